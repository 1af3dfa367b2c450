// UDP as a test has it: sockets that remember what was sent, and names that resolve to what the test says.
import { type ConnectUdpOptions, UdpProxy } from '../../../../src/handlers/connect-udp/udp-proxy.ts'
import type { RemoteAddress } from '../../../../src/transport/connection/index.ts'
import type { RelayEvents, RelaySocket } from '../../../../src/transport/io/relay-socket.ts'
import { TunnelWorld, type TunnelWorldOptions } from '../../../sim/tunnel-world.ts'

export class FakeSocket implements RelaySocket {
  readonly target: RemoteAddress
  readonly events: RelayEvents
  readonly sent: string[] = []
  isOpen = true
  isFull = false

  constructor(target: RemoteAddress, events: RelayEvents) {
    this.target = target
    this.events = events
  }

  send(payload: Uint8Array): boolean {
    if (!this.isFull) this.sent.push(Buffer.from(payload).toString())
    return !this.isFull
  }

  close(): void {
    this.isOpen = false
  }
}

export class FakeUdp {
  readonly sockets: FakeSocket[] = []
  readonly asked: string[] = []
  names: Record<string, readonly string[]> = {}
  failure: Error | undefined

  get open(): number {
    return this.sockets.filter(({ isOpen }) => isOpen).length
  }

  resolve = (host: string): Promise<readonly string[]> => {
    this.asked.push(host)
    const found = this.names[host]
    if (host === 'slow.example') return new Promise(() => {})
    return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found)
  }

  openSocket = (target: RemoteAddress, events: RelayEvents): Promise<RelaySocket> => {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const socket = new FakeSocket(target, events)
    this.sockets.push(socket)
    return Promise.resolve(socket)
  }
}

/** A world with a proxy on a made-up network behind it. */
export class ProxyWorld extends TunnelWorld {
  readonly udp: FakeUdp
  readonly proxy: UdpProxy

  constructor(options: ConnectUdpOptions, world: TunnelWorldOptions = {}) {
    const udp = new FakeUdp()
    let proxy: UdpProxy | undefined
    super({
      transport: { maxDatagramFrameSize: 65_535 },
      ...world,
      tunnels: { 'connect-udp': (exchange) => proxy!.handle(exchange) },
    })
    this.udp = udp
    proxy = new UdpProxy(options, { clock: this.clock, openSocket: udp.openSocket, resolve: udp.resolve })
    this.proxy = proxy
  }
}
