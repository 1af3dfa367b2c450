// A server with an inspector, and a client of it, for the tests of this folder. Everything is closed at the end of a test.
import { request as httpRequest } from 'node:http'
import { onTestFinished } from 'vitest'
import { connect, type QuactorServer, type ServeOptions, serve } from '../../../src/index.ts'
import { FeedClient } from './feed-client.ts'

export interface InspectedServer {
  readonly server: QuactorServer
  /** Base URL of the admin port. */
  readonly inspector: string
  readonly token: string
}

export async function startInspected(options: ServeOptions = {}): Promise<InspectedServer> {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    tcp: false,
    inspector: { port: 0 },
    onFault: () => {},
    ...options,
  })
  onTestFinished(async () => {
    await server.close({ timeout: 100 })
  })
  return { server, inspector: server.inspector!, token: server.inspectorToken! }
}

/** A client's connection to the server. */
export async function connectTo(server: QuactorServer): ReturnType<typeof connect> {
  const session = await connect(server.url.replace('localhost', '127.0.0.1'), { insecure: true })
  onTestFinished(async () => {
    await session.abandon()
  })
  return session
}

export async function openFeed(inspector: string): Promise<FeedClient> {
  const client = await FeedClient.open(inspector)
  onTestFinished(() => void client.close())
  return client
}

/** A plain request with any Host; fetch() sets its own. */
export function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
    })
    request.on('error', reject)
    request.end()
  })
}
