// A whole endpoint on a simulated socket, as the other side of a scripted peer: a server, or a client of ours that
// connects to the peer. Made before the peer (endpoint-peer.ts), which speaks to it through `deliver` and `take`.
import { http3Service } from '../../src/handlers/http3-service.ts'
import { Endpoint } from '../../src/supervisor/endpoint.ts'
import type { EndpointOptions } from '../../src/supervisor/endpoint-options.ts'
import { statusOf } from '../../src/supervisor/status.ts'
import type { QuicConnection, RemoteAddress } from '../../src/transport/connection/index.ts'
import { selectBackends } from '../../src/transport/crypto/index.ts'
import { loadIdentity, type SessionTickets } from '../../src/transport/tls/index.ts'
import { SIM_CERTIFICATE, SIM_KEY } from '../sim/identity.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { SimNetwork } from '../sim/network.ts'
import { Random, seededEntropy } from '../sim/random.ts'
import type { SimSocket } from '../sim/sim-socket.ts'
import { VirtualClock } from '../sim/virtual-clock.ts'
import { TestApplication, TestEnd } from '../unit/transport/connection/pair.ts'
import type { EndUnderTest, ScriptedOptions } from './scripted-options.ts'

const identity = loadIdentity(SIM_CERTIFICATE, SIM_KEY)
const PEER: RemoteAddress = { address: '10.0.0.2', port: 50_000, family: 4 }
const NO_PROCESS = { rss: () => 0, eventLoopLagP99Ms: () => 0 }

/** One way of the simulated link, ms. */
const DELAY = 0

/** What the endpoint is, besides what every scripted peer can say of the other side. */
export interface EndpointPeerOptions extends ScriptedOptions {
  /** Instead of HTTP/3. */
  readonly application?: NonNullable<EndpointOptions['server']>['application']
  readonly supervision?: EndpointOptions['supervision']
  /** Lets a server issue session tickets, and take those of others with the same keys. */
  readonly resumption?: SessionTickets
  /** First value of the clock, ms. */
  readonly startsAt?: number
}

export class EndpointEnd implements EndUnderTest {
  readonly endpoint: Endpoint
  readonly clock: VirtualClock
  /** Collects what arrives on streams, where the peer is told to use it. */
  readonly application = new TestApplication()
  readonly #socket: SimSocket
  readonly #arrived: Uint8Array[] = []
  readonly #marks: number[] = []
  /** Stands for the connection until the endpoint has one: nothing reaches it. */
  readonly #nobody: QuicConnection
  #connection: QuicConnection | undefined
  /** The ID that a client begins with. */
  #first: Uint8Array | undefined

  constructor(options: EndpointPeerOptions, isPlain: boolean) {
    const { seed = 1, role = 'client' } = options
    const alpn = [isPlain ? 'test' : 'h3']
    this.clock = new VirtualClock(options.startsAt)
    const random = new Random(seed)
    const link = { ...PERFECT_LINK, delay: DELAY, mtu: 65_535 }
    const network = new SimNetwork(this.clock, random.fork('network'), () => link)
    this.#socket = network.createSocket('10.0.0.1', 4_433)
    const peer = network.createSocket(PEER.address, PEER.port)
    peer.supportsEcn = true
    this.#socket.supportsEcn = options.settings?.ecn === true
    peer.start((buffer, start, end, _remote, ecn = 0) => {
      this.#arrived.push(new Uint8Array(buffer.subarray(start, end)))
      this.#marks.push(ecn)
    })
    const http3 = http3Service((exchange) => exchange.respond(200))
    const application = isPlain ? () => this.application : (options.application ?? http3)
    const { resumption } = options
    const serverTls = { identities: [identity], alpn, ...(resumption && { resumption }) }
    this.endpoint = new Endpoint({
      clock: this.clock,
      entropy: seededEntropy(random.fork('server')),
      sockets: [this.#socket],
      backends: options.connection?.backends ?? selectBackends(),
      supervision: { invariants: 'check', ...options.supervision },
      ...(options.settings && { transport: options.settings }),
      ...(role === 'client' && { server: { tls: serverTls, application } }),
    })
    this.endpoint.start()
    this.#nobody = new TestEnd('server', new Uint8Array(8), seed, {}).connection
    if (role === 'client') return
    const verifyCertificate = options.connection?.verifyCertificate
    const tls = { alpn, serverName: 'localhost', verifyCertificate: verifyCertificate !== undefined }
    const settings = { remote: PEER, tls, application, ...(verifyCertificate && { verifyCertificate }) }
    this.#connection = this.endpoint.connect(settings).connection
    this.#first = this.issued[0]
  }

  /** That of the endpoint, which stays known when it has ended. */
  get connection(): QuicConnection {
    const [entry] = this.endpoint.entries
    this.#connection ??= entry?.supervisor.connection
    return this.#connection ?? this.#nobody
  }

  get supervisor() {
    const { actors } = statusOf(this.endpoint, NO_PROCESS)
    return { missed: this.endpoint.missed.list(), live: { size: actors.live }, started: actors.started }
  }

  get issued(): Uint8Array[] {
    const active = this.connection.localIds.active.map(({ bytes }) => bytes)
    return this.#first === undefined ? active : [this.#first, ...active.filter((id) => id !== this.#first)]
  }

  /** Whether the connection is reached by this ID. */
  isOurs(id: Uint8Array): boolean {
    return this.connection.localIds.active.some(({ bytes }) => Buffer.compare(bytes, id) === 0)
  }

  deliver(bytes: Uint8Array, ecn = 0): void {
    this.#socket.deliver(bytes, PEER, ecn)
  }

  /** ECN fields of what `take` returns, in the same order. */
  takeMarks(): number[] {
    return this.#marks.splice(0)
  }

  /** What has arrived at the peer when everything that is due now has run. */
  take(): Uint8Array[] {
    while (this.clock.nextDue() <= this.clock.now()) this.clock.step()
    return this.#arrived.splice(0)
  }

  /** What the endpoint still has of connections. */
  get leftovers(): string[] {
    const { connections, streams, actors, timers } = statusOf(this.endpoint, NO_PROCESS)
    const live = {
      connections: connections.live,
      streams: streams.live,
      actors: actors.live,
      timers: timers.armed,
    }
    return Object.entries(live).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]))
  }
}
