// Two connections joined by a link on which addresses change: the client's NAT forgets its mapping, either side has
// several sockets, and somebody in between rewrites source addresses. No sockets, a virtual clock.
import type {
  ConnectionOptions,
  RemoteAddress,
  TransportSettings,
} from '../../../../src/transport/connection/index.ts'
import { DatagramBatch } from '../../../../src/transport/connection/index.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS, TestEnd } from './pair.ts'

/** A socket of one side, with the address that others see. */
export interface Place {
  address: RemoteAddress
}

interface Flying {
  at: number
  toServer: boolean
  from: RemoteAddress
  to: RemoteAddress
  bytes: Uint8Array
}

/** What was sent where. */
export interface Sent {
  at: number
  toServer: boolean
  to: RemoteAddress
  size: number
  bytes: Uint8Array
}

export class RoamingPair {
  readonly client: TestEnd
  readonly server: TestEnd
  readonly clientPlaces: Place[] = [{ address: CLIENT_ADDRESS }]
  readonly serverPlaces: Place[] = [{ address: SERVER_ADDRESS }]
  readonly sent: Sent[] = []
  now = 0
  delay = 20
  /** Decides about each datagram that leaves. */
  drop: (sent: Sent) => boolean = () => false
  /** The source that the receiver sees; somebody in between may change it. */
  rewrite: (from: RemoteAddress, toServer: boolean) => RemoteAddress = (from) => from
  #flying: Flying[] = []
  readonly #batch = new DatagramBatch()

  constructor(
    options: {
      client?: Partial<TransportSettings>
      server?: Partial<TransportSettings>
      serverChanges?: Partial<ConnectionOptions>
    } = {},
  ) {
    this.client = new TestEnd('client', undefined, 1, options.client ?? {}, { local: this.clientPlaces[0]! })
    const id = this.client.connection.originalDestinationConnectionId
    const local = this.serverPlaces[0]!
    this.server = new TestEnd('server', id, 2, options.server ?? {}, { local, ...options.serverChanges })
    this.run(3_000, () => this.client.application.isComplete && this.server.application.isComplete)
    this.run(300)
    this.sent.length = 0
  }

  /** The NAT gives the client's socket another address; the client does not know. */
  rebind(address: string, port: number, place = this.clientPlaces[0]!): RemoteAddress {
    place.address = { address, port, family: 4 }
    return place.address
  }

  addPlace(places: Place[], address: string, port: number): Place {
    const place: Place = { address: { address, port, family: 4 } }
    places.push(place)
    return place
  }

  run(time: number, done: () => boolean = () => false): void {
    const end = this.now + time
    while (true) {
      this.#flush(this.client)
      this.#flush(this.server)
      if (done()) return
      const arrivals = this.#flying.map(({ at }) => at)
      const timeouts = [this.client, this.server].map(({ connection }) => connection.nextTimeout())
      const next = Math.min(...arrivals, ...timeouts)
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.#deliver()
      for (const { connection } of [this.client, this.server]) {
        if (connection.nextTimeout() <= this.now) connection.handleTimeout(this.now)
      }
    }
    this.now = end
  }

  #flush(end: TestEnd): void {
    const batch = this.#batch
    const toServer = end === this.client
    while (true) {
      const added = end.connection.pollTransmit(batch, this.now)
      const { isBarred } = batch
      const from = (batch.local as Place | undefined)?.address
      for (let i = 0; i < batch.count; i++) {
        const start = batch.starts[i]!
        const bytes = new Uint8Array(batch.buffer.subarray(start, start + batch.lengths[i]!))
        const sent: Sent = { at: this.now, toServer, to: batch.remotes[i]!, size: bytes.length, bytes }
        this.sent.push(sent)
        if (!this.drop(sent)) this.carry(sent, from!)
      }
      batch.reset()
      if (added === 0 && !isBarred) return
    }
  }

  /** Lets a datagram fly. */
  carry({ toServer, to, bytes }: Sent, from: RemoteAddress, delay = this.delay): void {
    const source = this.rewrite(from, toServer)
    this.#flying.push({ at: this.now + delay, toServer, from: source, to, bytes: new Uint8Array(bytes) })
  }

  #deliver(): void {
    const due = this.#flying.filter(({ at }) => at <= this.now)
    this.#flying = this.#flying.filter(({ at }) => at > this.now)
    for (const { toServer, from, to, bytes } of due) {
      const places = toServer ? this.serverPlaces : this.clientPlaces
      const place = places.find(({ address }) => address.port === to.port && address.address === to.address)
      const { connection } = toServer ? this.server : this.client
      if (place !== undefined) connection.handleDatagram(bytes, 0, bytes.length, from, this.now, 0, place)
    }
  }

  /** The server sends bytes on a stream that the client has opened; resolves when all are there. */
  download(bytes: number): { isDone: () => boolean; id: number } {
    const stream = this.client.connection.openStream('bidi')!
    stream.application = this.client.application
    this.server.application.onStream = (accepted) => {
      accepted.write(new Uint8Array(bytes).fill(7))
      accepted.end()
    }
    stream.write(Buffer.from('GET'))
    stream.end()
    const { application } = this.client
    return { id: stream.id, isDone: () => application.finished.has(stream.id) }
  }
}
