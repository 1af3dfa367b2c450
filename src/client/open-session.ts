// Opens a session on an endpoint that exists, towards an address that is known: the part of connecting that needs
// neither names nor sockets, so that simulated clients use it as it is. Used by connect.ts and tests.
import type { QpackLimits } from '../http3/index.ts'
import type { ConnectSettings } from '../supervisor/connection-factory.ts'
import type { Endpoint } from '../supervisor/endpoint.ts'
import {
  QUIC_VERSIONS,
  type RemoteAddress,
  selectVersion,
  type TransportSettings,
} from '../transport/connection/index.ts'
import { KEY_EXCHANGE_GROUPS } from '../transport/crypto/index.ts'
import type { Identity } from '../transport/tls/index.ts'
import type { Liveness } from './liveness.ts'
import { Roaming, type SocketBinder } from './roaming.ts'
import { ClientSession } from './session.ts'
import type { SessionStore, StoredSession } from './session-store.ts'
import type { TokenStore } from './token-store.ts'

/** Most servers take one of these, and are spared a HelloRetryRequest; a ticket says which one its server takes. */
const OFFERED_GROUPS = KEY_EXCHANGE_GROUPS.slice(0, 2).map(({ id }) => id)

/** The verification hook of a connection: judges a server's certificate, now or later. */
export type CertificateVerifier = NonNullable<ConnectSettings['verifyCertificate']>

/** The session of an earlier connection, for this one to take up, and where new ones go. */
export interface SessionResumption {
  readonly store: SessionStore
  /** Under what the store keeps them. */
  readonly origin: string
  /** Taken from the store; absent: a full handshake. */
  readonly session?: StoredSession | undefined
  /** Send safe requests ahead of the handshake (0-RTT) when the session allows it. */
  readonly earlyData?: boolean | undefined
}

export interface SessionSettings {
  readonly remote: RemoteAddress
  /** Name the certificate must be for, sent as SNI unless it is an address. */
  readonly serverName: string
  /** :authority of requests. */
  readonly authority: string
  readonly alpn?: readonly string[] | undefined
  /** Absent: every certificate is accepted. */
  readonly verifyCertificate?: CertificateVerifier | undefined
  /** Certificate to show when the server asks for one. */
  readonly identity?: Identity | undefined
  readonly transport?: Partial<TransportSettings> | undefined
  /** What the server may use of our dynamic table; absent: the default. */
  readonly qpack?: QpackLimits | undefined
  /** QUIC versions in order of preference; the connection begins with v1 if it can, or with `version`. */
  readonly versions?: readonly number[] | undefined
  readonly version?: number | undefined
  /** `version` was chosen because of a Version Negotiation packet. */
  readonly afterVersionNegotiation?: boolean | undefined
  /** WebTransport may be spoken: announced in SETTINGS. */
  readonly webtransport?: boolean | undefined
  /** Tokens of earlier connections; without it none is sent, and none is kept. */
  readonly tokens?: TokenStore | undefined
  /** Absent: nothing is resumed, and nothing kept. */
  readonly resumption?: SessionResumption | undefined
  /** Makes the sockets of migrate(); without it the session stays where it is. */
  readonly bind?: SocketBinder | undefined
  /** What keeps the process alive for this connection. */
  readonly liveness?: Liveness | undefined
  /** Called once when the connection has ended: gives back what it stood on. */
  readonly release?: (() => Promise<unknown>) | undefined
}

/**
 * What to try when a session came to nothing because the server does not speak its version (RFC 9368 section 2.1):
 * undefined when that is not the reason, or when there is no version in common.
 */
export function settingsAfterNegotiation(
  { connection }: ClientSession,
  settings: SessionSettings,
): SessionSettings | undefined {
  const { offered, supported } = connection.versions
  const version = offered && selectVersion(supported, offered)
  if (version === undefined) return undefined
  return { ...settings, version, versions: supported, afterVersionNegotiation: true }
}

/** Starts the handshake; `session.opened` tells when it is complete. */
export function openSession(endpoint: Endpoint, settings: SessionSettings): ClientSession {
  const { remote, serverName, authority, verifyCertificate, identity, transport, tokens } = settings
  const server = `${serverName}:${remote.port}`
  const token = tokens?.take(server)
  const { resumption, versions = QUIC_VERSIONS } = settings
  const stored = resumption?.session
  // RFC 9369 section 5: a ticket is good for the version that it came with, so the connection begins with that one.
  const ticketVersion = versions.find((candidate) => candidate === stored?.ticket.version)
  const version = settings.version ?? ticketVersion
  const now = (): number => endpoint.options.clock.wallTime()
  const { address } = remote
  const keep = (given: Omit<StoredSession, 'address'>): void =>
    resumption?.store.put(resumption.origin, { ...given, address })
  let session: ClientSession | undefined
  endpoint.connect({
    remote,
    tls: {
      serverName,
      alpn: settings.alpn ?? ['h3'],
      verifyCertificate: verifyCertificate !== undefined,
      ...(stored?.ticket.group === undefined && { offerGroups: OFFERED_GROUPS }),
      ...(identity !== undefined && { identity }),
    },
    ...(verifyCertificate !== undefined && { verifyCertificate }),
    ...(transport !== undefined && { transport }),
    versions,
    ...(version !== undefined && { version }),
    ...(settings.afterVersionNegotiation === true && { afterVersionNegotiation: true }),
    ...(token !== undefined && { token }),
    ...(tokens !== undefined && { handleNewToken: (given: Uint8Array) => tokens.put(server, given) }),
    ...(resumption !== undefined && {
      resumption: {
        now,
        session: stored,
        earlyData: resumption.earlyData,
        onSession: (given) => session?.handleSession(given),
      },
    }),
    application: (connection, { sessions }) => {
      const webtransport = settings.webtransport === true ? { supervision: sessions } : undefined
      const http = { qpack: settings.qpack, webtransport }
      session = new ClientSession(connection, authority, settings.release, resumption && keep, http)
      session.sessions = sessions
      session.clock = endpoint.options.clock
      session.liveness = settings.liveness
      return session.application
    },
  })
  if (settings.bind !== undefined) {
    session!.roaming = new Roaming(endpoint, session!.connection, settings.bind)
  }
  const { early } = session!.connection.handshake
  if (early.writeKeys !== undefined) session!.beginEarlyData(stored!.settings)
  return session!
}
