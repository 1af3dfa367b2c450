// What an endpoint is made from. Filled by serve(), by the client and by the simulator.

import type {
  ConnectionOptions,
  OpenQlog,
  PreferredAddresses,
  QuicConnection,
  ServerTlsOptions,
  TransportSettings,
} from '../transport/connection/index.ts'
import type { BackendSet, Entropy } from '../transport/crypto/index.ts'
import type { Clock } from '../transport/io/clock.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'

import type { RetryMode } from './address-validation.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import type { WorkerRole } from './hand-over.ts'
import type { HandlerFault, SupervisedApplication, SupervisionSettings } from './supervision.ts'

/** Makes what runs on a connection, usually HTTP/3. */
export type ApplicationFactory = (
  connection: QuicConnection,
  supervisor: ConnectionSupervisor,
) => SupervisedApplication

/** What makes an endpoint a server. */
export interface ServerRole {
  /** Everything but the transport parameters, which each connection adds. */
  readonly tls: ServerTlsOptions
  readonly application: ApplicationFactory
  /** Judges the certificates of clients, where `tls` asks for them. */
  readonly verifyCertificate?: NonNullable<ConnectionOptions['verifyCertificate']>
  /** Where clients should move to after the handshake (RFC 9000 section 9.6); a socket must be bound to each. */
  readonly preferredAddress?: PreferredAddresses
}

export interface EndpointOptions {
  readonly clock: Clock
  readonly entropy: Entropy
  /** Bound sockets, one per IP version; the endpoint closes them. */
  readonly sockets: readonly DatagramSocket[]
  readonly backends: BackendSet
  /** Absent: the endpoint only opens connections. */
  readonly server?: ServerRole
  readonly transport?: Partial<TransportSettings>
  /** QUIC versions to speak, in order of preference; default QUIC_VERSIONS. */
  readonly versions?: readonly number[]
  readonly supervision?: Partial<SupervisionSettings>
  /**
   * 32 bytes or more from which the keys of stateless resets and of address-validation tokens are derived, one key per
   * purpose; random when absent. Processes that share it know each other's tokens.
   */
  readonly secret?: Uint8Array
  /** Makes the endpoint one of several workers behind one port; `secret` must be theirs. */
  readonly worker?: WorkerRole
  /** When clients must prove their address first; default `auto`. */
  readonly retry?: RetryMode
  /** Receives each line of the TLS key log (NSS format). Secrets: for debugging only. */
  readonly keyLog?: (line: string) => void
  /** Opens the qlog of each connection; absent: none is logged. */
  readonly openQlog?: OpenQlog
  /** Told about every handler that crashes or hangs. Must not throw. */
  readonly report?: (fault: HandlerFault) => void
}
