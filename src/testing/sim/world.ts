// A world in a box: one server and one client, each a whole Endpoint, on a simulated network with a virtual clock.
// Everything is derived from one seed. Test servers (test-server.ts) and the scenarios of test/sim drive it.
import { openSession, type SessionSettings } from '../../client/open-session.ts'
import type { ClientSession } from '../../client/session.ts'
import type { ExchangeHandler } from '../../handlers/exchange.ts'
import { EARLY_DATA_SETTINGS, type Http3Options, http3Service } from '../../handlers/http3-service.ts'
import type { RetryMode } from '../../supervisor/address-validation.ts'
import { Endpoint } from '../../supervisor/endpoint.ts'
import type { HandlerFault, SupervisionSettings } from '../../supervisor/supervision.ts'
import type {
  OpenQlog,
  PreferredAddresses,
  RemoteAddress,
  TransportSettings,
} from '../../transport/connection/index.ts'
import { type BackendSet, selectBackends } from '../../transport/crypto/index.ts'
import {
  loadIdentity,
  type ServerIdentity,
  type SessionTicketOptions,
  SessionTickets,
} from '../../transport/tls/index.ts'
import { SIM_CERTIFICATE, SIM_KEY, SIM_SERVER_NAME } from './identity.ts'
import type { LinkProfile } from './link-profile.ts'
import { addressKey, type NetworkOptions, SimNetwork } from './network.ts'
import { Random, seededEntropy } from './random.ts'
import type { SimSocket } from './sim-socket.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

export const SERVER_ADDRESS = { address: '10.0.0.1', port: 4_433, family: 4 } as const
export const CLIENT_ADDRESS = { address: '10.0.0.2', port: 50_000, family: 4 } as const

const identity = loadIdentity(SIM_CERTIFICATE, SIM_KEY)
export const backends = selectBackends()

export interface WorldOptions {
  readonly seed: number
  readonly handler: (clock: VirtualClock) => ExchangeHandler
  /** Faults on the way to the server and back. */
  readonly toServer: LinkProfile
  readonly toClient: LinkProfile
  readonly transport?: Partial<TransportSettings>
  readonly supervision?: Partial<SupervisionSettings>
  /** Of the server alone, over what both have. */
  readonly serverSupervision?: Partial<SupervisionSettings>
  /** QUIC versions of the server, in order of preference. */
  readonly serverVersions?: readonly number[]
  /** When the server sends a Retry. */
  readonly retry?: RetryMode
  /** Lets the server issue session tickets; every server of the world has keys of its own unless these say otherwise. */
  readonly resumption?: Partial<SessionTicketOptions>
  /** Opens the qlog of each connection, of both sides. */
  readonly openQlog?: OpenQlog
  /** Packet protection of one side, when it is not the usual one. */
  readonly serverBackends?: BackendSet
  readonly clientBackends?: BackendSet
  /** What the server shows of itself; default: the fixed certificate of identity.ts. */
  readonly identity?: ServerIdentity
  readonly serverAddress?: RemoteAddress
  readonly clientAddress?: RemoteAddress
  /** Where the server has a second socket, to which it asks clients to move (RFC 9000 section 9.6). */
  readonly preferredAddress?: RemoteAddress
  readonly network?: NetworkOptions
  /** What the server speaks on tunnels, and the like. */
  readonly http3?: (clock: VirtualClock) => Http3Options
}

export class World {
  readonly random: Random
  readonly clock = new VirtualClock()
  readonly network: SimNetwork
  readonly serverSocket: SimSocket
  readonly clientSocket: SimSocket
  readonly server: Endpoint
  readonly client: Endpoint
  /** The client, and those that addClient() made. */
  readonly clients: Endpoint[] = []
  /** What handlers did wrong, as the server reported it. */
  readonly faults: HandlerFault[] = []

  /** Everybody whose invariants are checked after each step. */
  readonly #endpoints: Endpoint[] = []
  readonly #serverSockets: readonly SimSocket[]
  readonly #options: WorldOptions

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = new Random(options.seed)
    const { serverAddress = SERVER_ADDRESS, clientAddress = CLIENT_ADDRESS, preferredAddress } = options
    const servers = [serverAddress, ...(preferredAddress ? [preferredAddress] : [])]
    const profileFor = (_from: string, to: string): LinkProfile =>
      servers.some((address) => addressKey(address) === to) ? options.toServer : options.toClient
    const random = this.random.fork('network')
    this.network = new SimNetwork(this.clock, random, profileFor, options.network)
    this.#serverSockets = servers.map(({ address, port }) => this.network.createSocket(address, port))
    this.serverSocket = this.#serverSockets[0]!
    this.clientSocket = this.network.createSocket(clientAddress.address, clientAddress.port)
    this.server = this.startServer()
    this.client = this.#startClient('client', this.clientSocket)
  }

  /** A server on the server's socket; a second one takes the first one's place, without knowing its connections. */
  startServer(): Endpoint {
    const server = new Endpoint({
      ...this.#shared(this.#options.serverSupervision),
      backends: this.#options.serverBackends ?? backends,
      entropy: seededEntropy(this.random.fork('server')),
      secret: new Uint8Array(32).fill(7),
      ...(this.#options.serverVersions && { versions: this.#options.serverVersions }),
      ...(this.#options.retry === undefined ? {} : { retry: this.#options.retry }),
      sockets: this.#serverSockets,
      server: {
        tls: { identities: [this.#options.identity ?? identity], alpn: ['h3'], ...this.#tickets() },
        application: http3Service(
          this.#options.handler(this.clock),
          undefined,
          this.#options.http3?.(this.clock),
        ),
        ...this.#preferred(),
      },
      report: (fault) => this.faults.push(fault),
    })
    server.start()
    this.#endpoints.push(server)
    return server
  }

  #preferred(): { preferredAddress?: PreferredAddresses } {
    const { preferredAddress } = this.#options
    if (preferredAddress === undefined) return {}
    return { preferredAddress: { [preferredAddress.family === 4 ? 'ipv4' : 'ipv6']: preferredAddress } }
  }

  #tickets(): { resumption?: SessionTickets } {
    const { resumption } = this.#options
    if (resumption === undefined) return {}
    const entropy = seededEntropy(this.random.fork(`tickets of server ${this.#endpoints.length}`))
    const now = (): number => this.clock.wallTime()
    const shared = { entropy, now, applicationState: EARLY_DATA_SETTINGS }
    return { resumption: new SessionTickets({ ...shared, ...resumption }) }
  }

  /** One more client, with an address of its own and, if given, packet protection of its own. */
  addClient(clientBackends?: BackendSet): Endpoint {
    const number = this.clients.length + 1
    const socket = this.network.createSocket(`10.0.1.${number}`, 50_000)
    return this.#startClient(`client ${number}`, socket, clientBackends)
  }

  #startClient(label: string, socket: SimSocket, own?: BackendSet): Endpoint {
    const entropy = seededEntropy(this.random.fork(label))
    const chosen = own ?? this.#options.clientBackends ?? backends
    const client = new Endpoint({ ...this.#shared(), entropy, sockets: [socket], backends: chosen })
    client.start()
    this.clients.push(client)
    this.#endpoints.push(client)
    return client
  }

  #shared(own: Partial<SupervisionSettings> = {}) {
    const { transport = {}, supervision = {}, openQlog } = this.#options
    const settings = { invariants: 'check', ...supervision, ...own } as const
    return { clock: this.clock, transport, supervision: settings, ...(openQlog && { openQlog }) }
  }

  /** Addresses of the server's sockets, as the network's trace has them. */
  get serverAddresses(): readonly string[] {
    return this.#serverSockets.map(({ key }) => key)
  }

  /** Starts a handshake of a client with the server. */
  open(settings: Partial<SessionSettings> = {}, client = this.client): ClientSession {
    return openSession(client, {
      remote: this.#options.serverAddress ?? SERVER_ADDRESS,
      serverName: SIM_SERVER_NAME,
      authority: SIM_SERVER_NAME,
      ...settings,
    })
  }

  /**
   * Lets time pass until the promise settles, with every promise reaction in between.
   * @param limit virtual ms that this may take
   * @param afterStep called after each turn, once the invariants of all endpoints have been checked
   * @throws Error when the time is over or nothing is left that could happen; InvariantError
   */
  async run<T>(promise: Promise<T>, limit: number, afterStep?: () => void): Promise<T> {
    const end = this.clock.now() + limit
    let isSettled = false
    const done = (): void => {
      isSettled = true
    }
    promise.then(done, done)
    await settle()
    while (!isSettled) {
      if (this.clock.nextDue() > end) {
        const why =
          this.clock.nextDue() === Number.POSITIVE_INFINITY ? 'nothing is left to happen' : 'time is over'
        throw new Error(`the world stands still after ${limit} ms: ${why}`)
      }
      this.clock.step()
      await settle()
      for (const { invariants } of this.#endpoints) invariants.checkAll()
      afterStep?.()
    }
    return promise
  }

  /** Lets `time` ms pass. */
  async pass(time: number): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.clock.setTimer(this.clock.now() + time, resolve)
    })
    await this.run(over, time)
  }
}
