// Builds a connection together with its supervisor and the application on it. Used by endpoint.ts for both roles.
import {
  type ClientTlsOptions,
  type ConnectionOptions,
  QUIC_VERSIONS,
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
  /** Versions to announce, in order of preference; see `firstVersion`, unless `version` says otherwise. */
  readonly versions?: readonly number[]
  readonly version?: number
  /** `version` was chosen because of a Version Negotiation packet. */
  readonly afterVersionNegotiation?: boolean
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
  | 'now'
  | 'entropy'
  | 'backends'
  | 'supervision'
  | 'owner'
  | 'connectionIds'
  | 'local'
  | 'keyLog'
  | 'openQlog'

/** What each connection has of its own; the rest is the same for all connections of an endpoint. */
type RoleOptions = Omit<ConnectionOptions, GivenByEndpoint>

/**
 * @param destination connection ID of the Initial packet that is accepted, a copy
 * @param version of that packet
 */
export function acceptConnection(
  host: FactoryHost,
  socket: DatagramSocket,
  destination: Uint8Array,
  remote: RemoteAddress,
  client: AdmittedClient,
  version: number,
): ConnectionEntry {
  const { tls, application, preferredAddress, verifyCertificate } = host.options.server!
  const { versions } = host.options
  const entry = new ConnectionEntry(socket, true, destination)
  const { firstConnectionId, isAddressValidated, newToken } = client
  const role: RoleOptions = {
    role: 'server',
    version,
    ...(versions && { versions }),
    tls,
    ...(verifyCertificate && { verifyCertificate }),
    remote,
    isAddressValidated,
    newToken,
    ...(preferredAddress === undefined ? {} : { preferredAddress }),
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
  const versions = settings.versions ?? host.options.versions ?? QUIC_VERSIONS
  return build(
    host,
    entry,
    { role: 'client', version: firstVersion(versions), ...rest, versions },
    application,
  )
}

/** Version 1 is what most servers speak: a better one costs no round trip from there, the other way round it does. */
function firstVersion(versions: readonly number[]): number {
  return versions.includes(QUIC_VERSION_1) ? QUIC_VERSION_1 : versions[0]
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
    now: clock.now(),
    entropy,
    backends,
    supervision: supervisor,
    owner: supervisor.lifeOwner,
    connectionIds: source,
    local: entry.socket,
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
