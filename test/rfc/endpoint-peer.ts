// A scripted client (scripted-peer.ts) whose other side is a whole server endpoint with HTTP/3 on a simulated socket,
// instead of one connection: routing, supervision and the turns of the loop are part of what is tested.
import { http3Service } from '../../src/handlers/http3-service.ts'
import { Endpoint } from '../../src/supervisor/endpoint.ts'
import type { EndpointOptions } from '../../src/supervisor/endpoint-options.ts'
import { statusOf } from '../../src/supervisor/status.ts'
import type { QuicConnection, RemoteAddress } from '../../src/transport/connection/index.ts'
import { selectBackends } from '../../src/transport/crypto/index.ts'
import { loadIdentity } from '../../src/transport/tls/index.ts'
import { SIM_CERTIFICATE, SIM_KEY } from '../sim/identity.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { SimNetwork } from '../sim/network.ts'
import { Random, seededEntropy } from '../sim/random.ts'
import type { SimSocket } from '../sim/sim-socket.ts'
import { VirtualClock } from '../sim/virtual-clock.ts'
import type { ScriptedOptions } from './scripted-options.ts'
import { ScriptedPeer } from './scripted-peer.ts'

const identity = loadIdentity(SIM_CERTIFICATE, SIM_KEY)
const CLIENT: RemoteAddress = { address: '10.0.0.2', port: 50_000, family: 4 }
const NO_PROCESS = { rss: () => 0, eventLoopLagP99Ms: () => 0 }

/** One way of the simulated link, ms. */
const DELAY = 0

/** What the endpoint is, besides what every scripted peer can say of the other side. */
export interface EndpointPeerOptions extends ScriptedOptions {
  /** Instead of HTTP/3. */
  readonly application?: NonNullable<EndpointOptions['server']>['application']
  readonly supervision?: EndpointOptions['supervision']
}

export class EndpointPeer extends ScriptedPeer {
  readonly endpoint: Endpoint
  readonly #clock = new VirtualClock()
  readonly #start = this.#clock.now()
  readonly #server: SimSocket
  readonly #arrived: Uint8Array[] = []
  #connection: QuicConnection | undefined

  constructor(options: EndpointPeerOptions = {}) {
    super({ alpn: ['h3'], ...options })
    const random = new Random(options.seed ?? 1)
    const link = { ...PERFECT_LINK, delay: DELAY }
    const network = new SimNetwork(this.#clock, random.fork('network'), () => link)
    this.#server = network.createSocket('10.0.0.1', 4_433)
    network.createSocket(CLIENT.address, CLIENT.port).start((buffer, start, end) => {
      this.#arrived.push(new Uint8Array(buffer.subarray(start, end)))
    })
    this.endpoint = new Endpoint({
      clock: this.#clock,
      entropy: seededEntropy(random.fork('server')),
      sockets: [this.#server],
      backends: selectBackends(),
      supervision: { invariants: 'check', ...options.supervision },
      ...(options.settings && { transport: options.settings }),
      server: {
        tls: { identities: [identity], alpn: ['h3'] },
        application: options.application ?? http3Service((exchange) => exchange.respond(200)),
      },
    })
    this.endpoint.start()
  }

  /** That of the endpoint, which stays known when it has ended. */
  override get connection(): QuicConnection {
    const [entry] = this.endpoint?.entries ?? []
    this.#connection = entry?.supervisor.connection ?? this.#connection
    return this.#connection ?? super.connection
  }

  override deliver(...packets: Uint8Array[]): void {
    const bytes = Buffer.concat(packets)
    this.bytesSent += bytes.length
    this.#server.deliver(bytes, CLIENT)
  }

  override collect(): void {
    while (this.#clock.nextDue() <= this.#clock.now()) this.#clock.step()
    for (const datagram of this.#arrived.splice(0)) this.receive(datagram)
  }

  override advance(milliseconds: number): void {
    const end = this.now + milliseconds
    this.collect()
    while (this.#clock.nextDue() - this.#start <= end) {
      this.#clock.step()
      this.now = this.#clock.now() - this.#start
      this.collect()
      if (this.autoAck) this.acknowledge()
    }
    this.#clock.setTimer(this.#start + end, () => {})
    this.collect()
    while (this.#clock.now() - this.#start < end) this.#clock.step()
    this.now = end
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
