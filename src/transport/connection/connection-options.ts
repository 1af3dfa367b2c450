// What a connection is made of: identity, configuration, and the supervisor's side of it.
import type { ActorOwner } from '../../machines/index.ts'
import type { BackendSet, Entropy } from '../crypto/index.ts'
import type { QuicStream, StreamApplication, StreamKind, StreamSupervision } from '../streams/index.ts'
import type {
  CertificateVerdict,
  ClientTlsConfig,
  ServerTlsConfig,
  VerificationRequest,
} from '../tls/index.ts'
import type { CloseInfo } from './closing.ts'
import type { QuicConnection } from './connection.ts'
import type { RemoteAddress } from './datagram-batch.ts'
import type { ResumableSession } from './early-data.ts'
import type { ConnectionIdSource } from './local-connection-ids.ts'
import type { OpenQlog } from './qlog/sink.ts'
import type { TransportSettings } from './settings.ts'

type GivenByConnection = 'quicTransportParameters' | 'backends' | 'keyLog' | 'version'
export type ServerTlsOptions = Omit<ServerTlsConfig, GivenByConnection>
export type ClientTlsOptions = Omit<ClientTlsConfig, GivenByConnection | 'resumption'>

/** What runs on a connection: HTTP/3, or a test. Calls are synchronous. */
export interface ConnectionApplication {
  /** The handshake is complete (RFC 9001 section 4.1.1); streams may be opened. */
  handleHandshakeComplete(): void
  /** The peer opened a stream. */
  acceptStream(stream: QuicStream): StreamApplication
  /** The peer allows more streams of this kind. */
  handleStreamCredit(kind: StreamKind): void
  /** Client that sent early data: whether the server took it. If not, all of it is sent again. */
  handleEarlyDataVerdict?(isAccepted: boolean): void
  /** A DATAGRAM frame (RFC 9221); the payload is borrowed until the call returns. */
  handleDatagramFrame?(payload: Uint8Array): void
  /** Closing or draining has begun; all streams have ended. */
  handleClosing(info: CloseInfo): void
  /** The connection is over and forgotten. */
  handleClosed(): void
}

/** What a client's connection needs to be given sessions, and to take one up again. */
export interface ConnectionResumption {
  /** Wall-clock time, ms: tickets age while nobody runs. */
  readonly now: () => number
  /** The session to resume, if it still can be. */
  readonly session?: ResumableSession | undefined
  /** Send early data, when the session allows it. */
  readonly earlyData?: boolean | undefined
  /** Receives a session for a later connection, several times as a rule. */
  readonly onSession?: ((session: ResumableSession) => void) | undefined
}

/** Addresses of the server that it would rather be reached at, one per IP version at most. */
export interface PreferredAddresses {
  /** For clients that came by IPv4. */
  readonly ipv4?: RemoteAddress
  /** For clients that came by IPv6. */
  readonly ipv6?: RemoteAddress
}

export interface ConnectionOptions {
  readonly role: 'server' | 'client'
  /** Version of the first packet. */
  readonly version: number
  /** Versions to announce, in order of preference; default QUIC_VERSIONS. */
  readonly versions?: readonly number[]
  /** Client: `version` was chosen because of a Version Negotiation packet (RFC 9368 section 4). */
  readonly afterVersionNegotiation?: boolean
  /** Server: destination connection ID of the client's first packet. Client: chosen from entropy when absent. */
  readonly originalDestinationConnectionId?: Uint8Array
  /** Server: source connection ID of the Retry packet that was sent; the client's first packet now goes to it. */
  readonly retrySourceConnectionId?: Uint8Array
  /** Server: a token has proved the client's address, so that the 3x limit does not hold. */
  readonly isAddressValidated?: boolean
  /** Server: makes the token that the client may use for its next connection (RFC 9000 section 8.1.3). */
  readonly newToken?: (remote: RemoteAddress, version: number) => Uint8Array
  /** Client: a token of an earlier NEW_TOKEN frame; longer ones than MAX_TOKEN_LENGTH are left out. */
  readonly token?: Uint8Array
  /** Client: told about each token for a later connection; it may keep the bytes. */
  readonly handleNewToken?: (token: Uint8Array) => void
  readonly remote: RemoteAddress
  /** The socket of this side, where the endpoint has several: output for a path leaves by its socket. */
  readonly local?: object
  /** Server: where clients should move to once the handshake is confirmed (RFC 9000 section 9.6). */
  readonly preferredAddress?: PreferredAddresses
  /** Milliseconds of the caller's monotonic clock. */
  readonly now: number
  readonly entropy: Entropy
  readonly backends: BackendSet
  readonly tls: ServerTlsOptions | ClientTlsOptions
  readonly transport?: Partial<TransportSettings>
  readonly supervision: StreamSupervision
  /** Owns the actors of the connection and of the handshake. */
  readonly owner: ActorOwner
  readonly connectionIds: ConnectionIdSource<QuicConnection>
  /** Client only. A server's part is in its `tls`. */
  readonly resumption?: ConnectionResumption
  /** Opens the qlog of this connection; without it nothing is logged. */
  readonly openQlog?: OpenQlog
  /** Receives NSS key log lines. */
  readonly keyLog?: (line: string) => void
  /** Judges the peer's certificate, now or later; without it every certificate is accepted. */
  readonly verifyCertificate?: (
    request: VerificationRequest,
    done: (verdict: CertificateVerdict) => void,
  ) => void
}
