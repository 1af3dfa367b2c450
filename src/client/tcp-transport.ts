// Requests over TCP, by Node's own HTTP/1.1 client: where HTTP/3 is not known to be spoken, or cannot be reached. Same
// options, request and response as over HTTP/3. One per HttpClient.
import { Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { ClientResponse } from './client-response.ts'
import { flattenHeaders } from './fields.ts'
import { MAX_TCP_CONNECTIONS } from './limits.ts'
import { lengthOfBody } from './request-body.ts'
import type { RequestInput } from './request-input.ts'
import { TcpExchange } from './tcp-exchange.ts'

export interface TcpOptions {
  readonly ca?: string | readonly string[] | undefined
  readonly insecure?: boolean | undefined
  readonly serverName?: string | undefined
  /** Certificate and key to show when the server asks for one, PEM. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Longest wait for a connection, ms. */
  readonly timeout: number
}

export class TcpTransport {
  readonly #timeout: number
  readonly #agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent }

  constructor({ ca, insecure, serverName, cert, key, timeout }: TcpOptions) {
    const shared = { keepAlive: true, maxSockets: MAX_TCP_CONNECTIONS, maxFreeSockets: MAX_TCP_CONNECTIONS }
    this.#timeout = timeout
    this.#agents = {
      'http:': new HttpAgent(shared),
      'https:': new HttpsAgent({
        ...shared,
        ALPNProtocols: ['http/1.1'],
        ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
        ...(insecure === true && { rejectUnauthorized: false }),
        ...(serverName !== undefined && { servername: serverName }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      }),
    }
  }

  /**
   * Makes one request; resolves with the final response's head.
   * @throws ClientError, TypeError for fields that HTTP does not allow, or the signal's reason
   */
  request(url: URL, input: RequestInput): Promise<ClientResponse> {
    input.signal?.throwIfAborted()
    const isSecure = url.protocol === 'https:'
    const options: RequestOptions = {
      agent: this.#agents[isSecure ? 'https:' : 'http:'],
      method: input.method ?? (input.body === undefined ? 'GET' : 'POST'),
      path: input.path ?? url.pathname + url.search,
      headers: headersOf(input, url),
    }
    const outgoing = (isSecure ? requestHttps : requestHttp)(url, options)
    return new TcpExchange(outgoing, input, this.#timeout).start()
  }

  /** Ends all connections, those with requests in flight, too. */
  close(): void {
    this.#agents['http:'].destroy()
    this.#agents['https:'].destroy()
  }
}

/** Names and values in turn, as node:http takes them; Host is ours to say. */
function headersOf(input: RequestInput, url: URL): string[] {
  const { body } = input
  const flat = ['host', url.host, ...flattenHeaders(input.headers)]
  const has = (name: string): boolean => flat.some((text, index) => index % 2 === 0 && text === name)
  if (input.expectContinue === true && body !== undefined) flat.push('expect', '100-continue')
  if (body === undefined || has('content-length')) return flat
  const length = lengthOfBody(body)
  if (length === undefined) flat.push('transfer-encoding', 'chunked')
  else flat.push('content-length', String(length))
  return flat
}
