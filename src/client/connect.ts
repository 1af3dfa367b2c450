// connect(): from a URL to an open session. Finds the addresses, makes the sockets, and tries the addresses one
// after the other with a head start each (after RFC 8305), because a UDP port that nobody serves does not answer.
import { type QpackLimits, qpackLimitsOf } from '../http3/index.ts'
import { Endpoint } from '../supervisor/endpoint.ts'
import {
  type QuicVersionName,
  type RemoteAddress,
  type TransportSettings,
  versionsNamed,
} from '../transport/connection/index.ts'
import { selectBackends } from '../transport/crypto/index.ts'
import { systemClock } from '../transport/io/clock.ts'
import { systemEntropy } from '../transport/io/entropy.ts'
import { bindNodeSocket, type NodeSocket } from '../transport/io/node-socket.ts'
import { QlogDirectory } from '../transport/io/qlog-directory.ts'
import { type Identity, loadIdentity } from '../transport/tls/index.ts'
import { addressesOf, type Resolver } from './addresses.ts'
import type { Alternative } from './alternatives.ts'
import { ClientError } from './client-error.ts'
import { ADDRESS_HEAD_START, CLOSE_TIMEOUT, CONNECT_TIMEOUT, MAX_DATAGRAM_FRAME_SIZE } from './limits.ts'
import { type Countable, Liveness } from './liveness.ts'
import {
  type CertificateVerifier,
  openSession,
  type SessionSettings,
  settingsAfterNegotiation,
} from './open-session.ts'
import { parseTarget } from './request-target.ts'
import { certificateVerifier } from './server-certificate.ts'
import type { ClientSession } from './session.ts'
import type { SessionStore, StoredSession } from './session-store.ts'
import type { TokenStore } from './token-store.ts'

/** How a connection of the client is opened. */
export interface ConnectOptions {
  /** Trust anchors in PEM instead of those of Node.js. */
  readonly ca?: string | readonly string[] | undefined
  /** Accepts any certificate. For development only. */
  readonly insecure?: boolean | undefined
  /** Judges the server's certificate instead of `ca`. */
  readonly verifyCertificate?: CertificateVerifier | undefined
  /** Lets sessions of WebTransport be opened: announced to the server, together with datagrams. */
  readonly webtransport?: boolean | undefined
  /** Name the certificate must be for, and SNI; default: the URL's host. */
  readonly serverName?: string | undefined
  /** Default ["h3"]. */
  readonly alpn?: readonly string[] | undefined
  /** Certificate chain and private key to show when the server asks for them, PEM. */
  readonly cert?: string | undefined
  /** Private key of `cert`, PEM. */
  readonly key?: string | undefined
  /** The same, loaded already. */
  readonly identity?: Identity | undefined
  /** Gives up connecting; a session that is open is not affected. */
  readonly signal?: AbortSignal | undefined
  /** Longest wait for the handshake, ms; default 10,000. */
  readonly timeout?: number | undefined
  /** Receives each line of the TLS key log (NSS format). Secrets: for debugging only. */
  readonly keyLog?: ((line: string) => void) | undefined
  /** Folder for a qlog file of the connection (JSON-SEQ, for qvis); made when it does not exist. */
  readonly qlogDirectory?: string | undefined
  /** Limits and timers of the QUIC connection, in ms and bytes. */
  readonly transport?: Partial<TransportSettings> | undefined
  /** Sends a PING when the connection was idle for so long, ms (RFC 9000 section 10.1.2); default: never. */
  readonly keepAlive?: number | undefined
  /**
   * Header compression with a dynamic table (QPACK, RFC 9204): bytes that the server may use of it, 4,096 by default, and
   * responses that may wait for it, 16 by default.
   */
  readonly qpack?: Partial<QpackLimits> | undefined
  /**
   * QUIC versions in order of preference; default v1, v2. The connection begins with v1 when that is among them; a
   * server may move it to one that stands before, or ask for another one.
   */
  readonly versions?: readonly QuicVersionName[] | undefined
  /** Sessions of earlier connections: resumed, and new ones put there. Absent: every handshake is a full one. */
  readonly sessions?: SessionStore | undefined
  /**
   * Sends safe requests ahead of the handshake (0-RTT) when a session of `sessions` allows it; then connect() resolves
   * at once. What is sent so can be replayed by an attacker.
   */
  readonly earlyData?: boolean | undefined
  /** Tokens of earlier connections (RFC 9000 section 8.1.3): shared by the connections that may be seen as related. */
  readonly tokens?: TokenStore | undefined
  /**
   * Speak to this host and port instead (RFC 7838 section 2.1); certificate, SNI and :authority stay those of the URL.
   */
  readonly alternative?: Alternative | undefined
  /** Finds the addresses of a name; default: the system. */
  readonly resolve?: Resolver | undefined
  /** What the connection adds its sockets and timers to; default: one of its own, that keeps the process alive. */
  readonly liveness?: Liveness | undefined
}

/**
 * Opens an HTTP/3 session to the host of an https URL.
 * @throws ClientError of kind 'connect' or 'timeout', TypeError for a wrong URL, RangeError for unknown versions, or the
 *   signal's reason
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<ClientSession> {
  const target = parseTarget(url)
  options.signal?.throwIfAborted()
  const { host, port } = options.alternative ?? target
  const addresses = await addressesOf(host, port, options.resolve)
  options.signal?.throwIfAborted()
  const origin = `https://${target.authority}`
  const session = options.sessions?.take(origin)
  const settings: Omit<SessionSettings, 'remote'> = {
    serverName: options.serverName ?? target.host,
    authority: target.authority,
    alpn: options.alpn,
    verifyCertificate: verifierOf(options),
    webtransport: options.webtransport,
    identity: identityOf(options),
    liveness: options.liveness ?? new Liveness(),
    transport: {
      maxDatagramFrameSize: MAX_DATAGRAM_FRAME_SIZE,
      ...options.transport,
      ...(options.keepAlive !== undefined && { keepAlive: options.keepAlive }),
    },
    qpack: options.qpack && qpackLimitsOf(options.qpack),
    versions: options.versions && versionsNamed(options.versions),
    resumption: options.sessions && {
      store: options.sessions,
      origin,
      session,
      earlyData: options.earlyData,
    },
    tokens: options.tokens,
  }
  // Where the session came from is known to answer.
  addresses.sort((one, other) => Number(isOf(session, other)) - Number(isOf(session, one)))
  const attempt = new ConnectAttempt(addresses, settings, options)
  return attempt.run()
}

/** @throws Error when a trust anchor cannot be read */
function verifierOf({ insecure, verifyCertificate, ca }: ConnectOptions): CertificateVerifier | undefined {
  if (insecure === true) return undefined
  return verifyCertificate ?? certificateVerifier(ca)
}

/** @throws Error when certificate or key cannot be read */
function identityOf({ identity, cert, key }: ConnectOptions): Identity | undefined {
  if (identity !== undefined || cert === undefined || key === undefined) return identity
  return loadIdentity(cert, key)
}

function isOf(session: StoredSession | undefined, { address }: RemoteAddress): boolean {
  return session?.address === address
}

/** One call of connect(): races the addresses, keeps the first session that opens and ends the others. */
class ConnectAttempt {
  readonly #addresses: readonly RemoteAddress[]
  readonly #settings: Omit<SessionSettings, 'remote'>
  readonly #options: ConnectOptions
  readonly #sessions: ClientSession[] = []
  readonly #outcome = Promise.withResolvers<ClientSession>()
  #tried = 0
  #failed = 0
  #isOver = false
  #headStart: NodeJS.Timeout | undefined

  constructor(
    addresses: readonly RemoteAddress[],
    settings: Omit<SessionSettings, 'remote'>,
    options: ConnectOptions,
  ) {
    this.#addresses = addresses
    this.#settings = settings
    this.#options = options
  }

  async run(): Promise<ClientSession> {
    const { signal, timeout = CONNECT_TIMEOUT } = this.#options
    const handleAbort = (): void => this.#outcome.reject(signal?.reason)
    signal?.addEventListener('abort', handleAbort, { once: true })
    const deadline = this.#arm(timeout, () => {
      this.#outcome.reject(new ClientError('timeout', `no connection within ${timeout} ms`))
    })
    let winner: ClientSession | undefined
    try {
      void this.#tryNext()
      winner = await this.#outcome.promise
      return winner
    } finally {
      this.#isOver = true
      this.#disarm(deadline)
      this.#disarm(this.#headStart)
      signal?.removeEventListener('abort', handleAbort)
      for (const session of this.#sessions) if (session !== winner) void session.abandon()
    }
  }

  /** The session goes with the first attempt; early data only where the session came from, else nobody might answer. */
  #settingsFor(remote: RemoteAddress): SessionSettings {
    const { resumption } = this.#settings
    if (resumption === undefined) return { ...this.#settings, remote }
    const session = this.#tried === 1 ? resumption.session : undefined
    const earlyData = resumption.earlyData === true && isOf(session, remote)
    return { ...this.#settings, remote, resumption: { ...resumption, session, earlyData } }
  }

  /** Opens a session; in another version when the server asks for that. */
  async #open(settings: SessionSettings): Promise<ClientSession> {
    const session = await openOwnSession(settings, this.#options)
    this.#sessions.push(session)
    if (this.#isOver) void session.abandon()
    try {
      await session.ready
      return session
    } catch (error) {
      const next = settingsAfterNegotiation(session, settings)
      if (next === undefined || this.#isOver) throw error
      return this.#open(next)
    }
  }

  #arm(delay: number, callback: () => void): NodeJS.Timeout {
    const timer = setTimeout(callback, delay)
    return this.#settings.liveness?.add(timer) ?? timer
  }

  #disarm(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return
    clearTimeout(timer)
    this.#settings.liveness?.delete(timer)
  }

  async #tryNext(): Promise<void> {
    this.#disarm(this.#headStart)
    const remote = this.#addresses[this.#tried]
    if (remote === undefined || this.#isOver) return
    this.#tried++
    this.#headStart = this.#arm(ADDRESS_HEAD_START, () => void this.#tryNext())
    try {
      this.#outcome.resolve(await this.#open(this.#settingsFor(remote)))
    } catch (error) {
      this.#failed++
      if (this.#failed === this.#addresses.length) this.#outcome.reject(error)
      else void this.#tryNext()
    }
  }
}

/** Opens a session on a socket of its own, which goes when the session ends. */
async function openOwnSession(
  settings: SessionSettings,
  { keyLog, qlogDirectory }: ConnectOptions,
): Promise<ClientSession> {
  const { remote, liveness = new Liveness() } = settings
  const qlog = qlogDirectory === undefined ? undefined : new QlogDirectory(qlogDirectory)
  const address = remote.family === 6 ? '::' : '0.0.0.0'
  const own: Countable[] = []
  const count = <T extends Countable>(member: T): T => {
    own.push(member)
    return liveness.add(member)
  }
  const bind = async (): Promise<NodeSocket> => count(await bindNodeSocket({ address, port: 0 }))
  const socket = await bind()
  const endpoint = new Endpoint({
    clock: count(systemClock()),
    entropy: systemEntropy(),
    sockets: [socket],
    backends: selectBackends(),
    ...(keyLog !== undefined && { keyLog }),
    ...(qlog && { openQlog: qlog.open }),
  })
  endpoint.start()
  const release = async (): Promise<void> => {
    await endpoint.close(CLOSE_TIMEOUT)
    await qlog?.close()
    for (const member of own) liveness.delete(member)
  }
  return openSession(endpoint, { ...settings, bind, release })
}
