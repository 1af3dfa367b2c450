// fetch() over HTTP/3: web-standard requests and responses on sessions that are kept per origin. For programs
// that talk to many servers; whoever wants one connection and its details uses connect().
import { ClientError } from './client-error.ts'
import type { ClientResponse } from './client-response.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { MAX_SESSIONS } from './limits.ts'
import type { RequestInput } from './request-input.ts'
import { parseTarget } from './request-target.ts'
import type { ClientSession } from './session.ts'
import { MemorySessionStore } from './session-store.ts'
import { TokenStore } from './token-store.ts'

/** Statuses whose Response must not have a body (Fetch standard, "null body status"). */
const NULL_BODY = new Set([204, 205, 304])

export class HttpClient {
  readonly #options: ConnectOptions
  readonly #sessions = new Map<string, Promise<ClientSession>>()
  #isClosed = false

  /** @param options apply to every connection this client opens */
  constructor(options: ConnectOptions = {}) {
    this.#options = { tokens: new TokenStore(), sessions: new MemorySessionStore(), ...options }
  }

  /**
   * Like the web's fetch(), over HTTP/3 only, without redirects, cookies or a cache. The promise resolves at the
   * response's head; the body arrives as it is read. Rejects with ClientError, or with the signal's reason.
   */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    // A Request wants to be told that a streamed body is sent before the response is there.
    const request = new Request(input, { duplex: 'half', ...init } as RequestInit)
    const target = parseTarget(request.url)
    const { method, headers, signal } = request
    const prepared: RequestInput = { method, path: target.path, headers, signal, authority: target.authority }
    const body = request.body ?? undefined
    try {
      return toResponse(await this.#request(request.url, { ...prepared, body }), method)
    } catch (error) {
      // What a dying session refused unprocessed may go out again on a new one, if its body is still ours.
      if (!(error instanceof ClientError && error.kind === 'rejected' && body === undefined)) throw error
      return toResponse(await this.#request(request.url, prepared), method)
    }
  }

  /** Closes every session; requests in flight fail with kind 'aborted'. */
  async close(): Promise<void> {
    this.#isClosed = true
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    const closings = sessions.map((opening) =>
      opening.then(
        (session) => session.end(),
        () => {},
      ),
    )
    await Promise.all(closings)
  }

  async #request(url: string, input: RequestInput): Promise<ClientResponse> {
    const session = await this.#session(url)
    return session.request(input)
  }

  async #session(url: string): Promise<ClientSession> {
    if (this.#isClosed) throw new ClientError('aborted', 'the client was closed')
    const { origin } = new URL(url)
    const known = this.#sessions.get(origin)
    if (known !== undefined) {
      const session = await known
      if (session.isUsable) {
        this.#touch(origin, known)
        return session
      }
      if (this.#sessions.get(origin) === known) this.#sessions.delete(origin)
    }
    const opening = this.#sessions.get(origin) ?? connect(url, this.#options)
    this.#touch(origin, opening)
    opening.catch(() => this.#forget(origin, opening))
    return opening
  }

  /** Moves a session to the end of the queue of those that go when there are too many. */
  #touch(origin: string, session: Promise<ClientSession>): void {
    this.#sessions.delete(origin)
    this.#sessions.set(origin, session)
    if (this.#sessions.size <= MAX_SESSIONS) return
    const [oldest, unused] = this.#sessions.entries().next().value!
    this.#sessions.delete(oldest)
    unused.then(
      (old) => old.end(),
      () => {},
    )
  }

  #forget(origin: string, session: Promise<ClientSession>): void {
    if (this.#sessions.get(origin) === session) this.#sessions.delete(origin)
  }
}

function toResponse(response: ClientResponse, method: string): Response {
  const { status, headers } = response
  const hasNoBody = NULL_BODY.has(status) || method === 'HEAD'
  if (hasNoBody) response.discard()
  return new Response(hasNoBody ? null : response.stream(), { status, headers })
}
