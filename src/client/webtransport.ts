// WebTransport from Node.js in the shape that browsers have (W3C WebTransport section 5): `new WebTransport(url)`, on a
// connection of its own that ends with the session.

import type { WebTransportHash } from './certificate-hashes.ts'
import { hashVerifier } from './certificate-hashes.ts'
import type { ConnectOptions } from './connect.ts'
import { connect } from './connect.ts'
import { parseTarget } from './request-target.ts'
import type { ClientSession } from './session.ts'
import { WebTransportClientSession, type WebTransportSessionOptions } from './webtransport-session.ts'

/** How the session and its connection are opened. */
export interface WebTransportOptions
  extends Omit<WebTransportSessionOptions, 'authority'>,
    Omit<ConnectOptions, 'sessions' | 'earlyData' | 'verifyCertificate'> {
  /** Accepts the server's certificate by its SHA-256 alone, if it is young and has no RSA key. */
  readonly serverCertificateHashes?: readonly WebTransportHash[] | undefined
}

/** A session on an open connection; see ClientSession.webtransport(). */
class SharedSession extends WebTransportClientSession {
  constructor(connection: ClientSession, path: string, options: WebTransportSessionOptions) {
    super(options)
    void this.begin(connection, path, options)
  }
}

/** @throws TypeError for protocols that cannot be offered */
export function openWebTransport(
  connection: ClientSession,
  path: string,
  options: WebTransportSessionOptions = {},
): WebTransportClientSession {
  return new SharedSession(connection, path, options)
}

/** WebTransport in the shape that browsers have, on a connection of its own (W3C WebTransport section 5). */
export class WebTransport extends WebTransportClientSession {
  /** There is no WebTransport without datagrams here. */
  static readonly supportsReliableOnly = false
  /** URL of the session. */
  readonly url: string
  readonly #leave = new AbortController()
  #own: ClientSession | undefined

  /**
   * Begins to connect; `ready` and `closed` tell how that goes.
   * @throws DOMException SyntaxError for a URL that is none, is not https, or has a fragment; TypeError for protocols that
   *   cannot be offered
   */
  constructor(url: string | URL, options: WebTransportOptions = {}) {
    super(options)
    const target = targetOf(url)
    this.url = target.href
    void this.#run(target, options)
  }

  async #run(url: URL, options: WebTransportOptions): Promise<void> {
    try {
      this.#own = await connect(url, this.#connectOptions(options))
    } catch (error) {
      this.refuse(error)
      return
    }
    if (this.isOver) this.handleGone()
    else await this.begin(this.#own, parseTarget(url).path, options)
  }

  #connectOptions(options: WebTransportOptions): ConnectOptions {
    const { serverCertificateHashes: hashes, signal, ...rest } = options
    return {
      ...rest,
      webtransport: true,
      signal: signal === undefined ? this.#leave.signal : AbortSignal.any([signal, this.#leave.signal]),
      ...(hashes !== undefined && { verifyCertificate: hashVerifier(hashes, Date.now) }),
    }
  }

  override handleEnd(end: Parameters<WebTransportClientSession['handleEnd']>[0]): void {
    super.handleEnd(end)
    this.#leave.abort(new DOMException('the session has ended', 'AbortError'))
    // Without a CONNECT stream there is no end of one to wait for.
    if (this.core === undefined) this.handleGone()
  }

  protected override handleGone(): void {
    void this.#own?.end()
  }
}

function targetOf(url: string | URL): URL {
  const parsed = URL.parse(String(url))
  if (parsed === null) throw new DOMException(`${url} is no URL`, 'SyntaxError')
  if (parsed.protocol !== 'https:') throw new DOMException('WebTransport needs an https URL', 'SyntaxError')
  if (parsed.hash !== '') throw new DOMException('the URL has a fragment', 'SyntaxError')
  return parsed
}
