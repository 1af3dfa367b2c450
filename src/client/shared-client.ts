// The fetch() of the package: one HttpClient for whoever needs no other. It lets the process end by itself, and says
// goodbye to the servers then.
import type { FetchInit } from './fetch.ts'
import { HttpClient } from './http-client.ts'

let shared: HttpClient | undefined

/**
 * The web's fetch(), over HTTP/3 where servers announce it. Rejects with TypeError ("fetch failed", its cause says why),
 * or with the signal's reason.
 */
export function fetch(input: string | URL | Request, init?: FetchInit): Promise<Response> {
  if (shared === undefined) {
    shared = new HttpClient()
    // Nothing is left to do: connections are idle, so closing them takes nothing away from anybody.
    process.once('beforeExit', () => {
      void shared?.close()
      shared = undefined
    })
  }
  return shared.fetch(input, init)
}
