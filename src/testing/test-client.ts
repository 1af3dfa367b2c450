// The client of a test server: requests whose virtual time passes by itself, and request streams that do exactly what a
// test says. Made by createTestClient().
import type { ClientResponse } from '../client/client-response.ts'
import type { RequestInput } from '../client/request-input.ts'
import type { ClientSession } from '../client/session.ts'
import { ScriptedRequest } from './scripted-request.ts'
import type { TestServer } from './test-server.ts'

/** A response that is here as a whole. */
export interface TestResponse {
  /** 200 to 599. */
  readonly status: number
  /** Its fields, without trailers. */
  readonly headers: Headers
  /** All of it. */
  readonly body: Uint8Array
  /** The body as UTF-8. */
  text(): string
}

/** A connected client. */
export class TestClient {
  /** The client's connection, with everything that quactor's client can do; let time pass with `server.run()`. */
  readonly session: ClientSession
  readonly #server: TestServer

  constructor(server: TestServer, session: ClientSession) {
    this.#server = server
    this.session = session
  }

  /** Whether the connection has ended. */
  get isClosed(): boolean {
    return !this.session.isUsable
  }

  /**
   * Sends a request and lets virtual time pass until its response is complete.
   * @param limit virtual ms
   * @throws ClientError when the stream or the connection fails; Error when the time is over
   */
  request(input: RequestInput | string, limit?: number): Promise<TestResponse> {
    const complete = typeof input === 'string' ? { path: input } : input
    return this.#server.run(this.session.request(complete).then(readWhole), limit)
  }

  /** Begins a request whose stream does what is said, step by step, and nothing by itself. */
  begin(method = 'POST', path = '/', fields: readonly string[] = []): ScriptedRequest {
    const request = new ScriptedRequest((id) => this.session.connection.streams.get(id))
    const scheme = [
      ':method',
      method,
      ':scheme',
      'https',
      ':authority',
      this.session.authority,
      ':path',
      path,
    ]
    this.session.openStream([...scheme, ...fields], true, request)
    return request
  }

  /** Closes the connection at once, with CONNECTION_CLOSE. */
  close(): void {
    this.session.close()
  }
}

async function readWhole(response: ClientResponse): Promise<TestResponse> {
  const chunks: Uint8Array[] = []
  for await (const chunk of response) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  return { status: response.status, headers: response.headers, body, text: () => body.toString() }
}
