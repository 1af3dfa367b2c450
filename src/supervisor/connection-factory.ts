// Builds a connection together with its supervisor and the application on it. Used by endpoint.ts for both roles.
import {
  type ClientTlsOptions,
  type ConnectionOptions,
  QuicConnection,
  type RemoteAddress,
} from '../transport/connection/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { QUIC_VERSION_1 } from '../transport/wire/index.ts'
import type { AdmittedClient } from './address-validation.ts'
import { ConnectionEntry } from './connection-entry.ts'
import type { ConnectionIds } from './connection-ids.ts'
import { ConnectionSupervisor } from './connection-supervisor.ts'
import type { ApplicationFactory, EndpointOptions } from './endpoint-options.ts'
import type { SupervisionServices } from './supervision.ts'

/** What a connection of ours is opened with. */
export interface ConnectSettings {
  readonly remote: RemoteAddress
  readonly tls: ClientTlsOptions
  readonly application: ApplicationFactory
  /** Judges the server's certificate; without it every certificate is accepted. */
  readonly verifyCertificate?: NonNullable<ConnectionOptions['verifyCertificate']>
  readonly transport?: NonNullable<ConnectionOptions['transport']>
  /** The session to take up, and what becomes of new ones. */
  readonly resumption?: NonNullable<ConnectionOptions['resumption']>
  /** A token that this server gave to an earlier connection (RFC 9000 section 8.1.3); used once. */
  readonly token?: Uint8Array
  /** Told about each token for a later connection. */
  readonly handleNewToken?: NonNullable<ConnectionOptions['handleNewToken']>
}

/** The endpoint, as far as building a connection needs it. */
export interface FactoryHost {
  readonly options: EndpointOptions
  readonly services: SupervisionServices
  readonly ids: ConnectionIds<ConnectionEntry>
  forget(entry: ConnectionEntry): void
}

type GivenByEndpoint =
  | 'version'
  | 'now'
  | 'entropy'
  | 'backends'
  | 'supervision'
  | 'owner'
  | 'connectionIds'
  | 'keyLog'
  | 'openQlog'

/** What each connection has of its own; the rest is the same for all connections of an endpoint. */
type RoleOptions = Omit<ConnectionOptions, GivenByEndpoint>

/** @param destination connection ID of the Initial packet that is accepted, a copy */
export function acceptConnection(
  host: FactoryHost,
  socket: DatagramSocket,
  destination: Uint8Array,
  remote: RemoteAddress,
  client: AdmittedClient,
): ConnectionEntry {
  const { tls, application } = host.options.server!
  const entry = new ConnectionEntry(socket, true, destination)
  const { firstConnectionId, isAddressValidated, newToken } = client
  const role: RoleOptions = {
    role: 'server',
    tls,
    remote,
    isAddressValidated,
    newToken,
    originalDestinationConnectionId: firstConnectionId ?? destination,
    ...(firstConnectionId === undefined ? {} : { retrySourceConnectionId: destination }),
  }
  return build(host, entry, role, application)
}

export function openConnection(
  host: FactoryHost,
  socket: DatagramSocket,
  settings: ConnectSettings,
): ConnectionEntry {
  const entry = new ConnectionEntry(socket, false, new Uint8Array(0))
  const { application, ...rest } = settings
  return build(host, entry, { role: 'client', ...rest }, application)
}

function build(
  host: FactoryHost,
  entry: ConnectionEntry,
  role: RoleOptions,
  application: ApplicationFactory,
): ConnectionEntry {
  const { clock, entropy, backends, transport, keyLog, openQlog } = host.options
  const supervisor = new ConnectionSupervisor(host.services, () => host.forget(entry))
  const source = host.ids.sourceFor(entry)
  entry.supervisor = supervisor
  entry.retireIds = () => source.retireAll()
  const connection = new QuicConnection({
    version: QUIC_VERSION_1,
    now: clock.now(),
    entropy,
    backends,
    supervision: supervisor,
    owner: supervisor.lifeOwner,
    connectionIds: source,
    ...(keyLog === undefined ? {} : { keyLog }),
    ...(openQlog === undefined ? {} : { openQlog }),
    ...role,
    transport: {
      pathMtuDiscovery: entry.socket.forbidsFragmentation === true,
      ecn: entry.socket.supportsEcn === true,
      ...transport,
      ...role.transport,
    },
  })
  supervisor.adopt(connection, application(connection, supervisor))
  return entry
}
