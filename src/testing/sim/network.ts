// The simulated network: sockets with addresses, and per direction the faults of a LinkProfile, all driven by
// one virtual clock and one seeded generator. Worlds (world.ts) build endpoints on it; faults that are not
// dice (blackhole, rebinding of a NAT) are switched from outside while the world runs.
import type { DatagramBatch, RemoteAddress } from '../../transport/connection/datagram-batch.ts'
import type { LinkProfile } from './link-profile.ts'
import type { Random } from './random.ts'
import { SimSocket } from './sim-socket.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type DatagramFate = 'delivered' | 'lost' | 'blackholed' | 'queueFull' | 'tooLarge' | 'unreachable'

/** One line of the network's trace: what became of a datagram, and when it left. */
export interface TraceEntry {
  at: number
  from: string
  to: string
  bytes: number
  fate: DatagramFate
  corrupted: boolean
  copies: number
}

/** What flows from one address to another. */
class Direction {
  readonly profile: LinkProfile
  readonly random: Random
  lastArrival = 0
  bottleneckFreeAt = 0
  isBlackhole = false
  lostInARow = 0
  corruptedInARow = 0
  /** When those that are not sent yet will be, oldest first; kept only where the queue counts datagrams. */
  departures: number[] = []

  constructor(profile: LinkProfile, random: Random) {
    this.profile = profile
    this.random = random
  }
}

/** Sees a datagram as it is sent, before the network does anything to it; true = it is dropped. */
export type Tap = (from: string, to: string, bytes: Uint8Array) => boolean

export interface NetworkOptions {
  /** Directions of one name share one link with its bottleneck; default: each pair of addresses has its own. */
  readonly linkName?: (from: string, to: string) => string
  /**
   * The source address of a datagram is that of its sender when it arrives, as behind a NAT at the far end of the
   * link; default: when it is sent.
   */
  readonly translatesOnArrival?: boolean
}

export class SimNetwork {
  readonly clock: VirtualClock
  /** Datagrams on their way; each holds one armed timer of the clock. */
  inFlight = 0
  readonly counters = { sent: 0, delivered: 0, lost: 0, duplicated: 0, corrupted: 0, reordered: 0 }
  /** Called for every datagram sent, when set. */
  trace: ((entry: TraceEntry) => void) | undefined
  tap: Tap | undefined
  /** What the network makes of the ECN field of a datagram, as it is sent; sockets without ECN leave it zero. */
  remark: ((ecn: number, from: string, to: string) => number) | undefined
  readonly #random: Random
  readonly #directions = new Map<string, Direction>()
  readonly #sockets = new Map<string, SimSocket>()
  readonly #profileFor: (from: string, to: string) => LinkProfile
  readonly #options: NetworkOptions

  /** @param profileFor the faults between two addresses ("10.0.0.1:4433"); asked once per direction */
  constructor(
    clock: VirtualClock,
    random: Random,
    profileFor: (from: string, to: string) => LinkProfile,
    options: NetworkOptions = {},
  ) {
    this.clock = clock
    this.#random = random
    this.#options = options
    this.#profileFor = profileFor
  }

  createSocket(address: string, port: number): SimSocket {
    const socket = new SimSocket(this, address, port)
    this.#sockets.set(socket.key, socket)
    return socket
  }

  removeSocket(socket: SimSocket): void {
    this.#sockets.delete(socket.key)
  }

  /** Gives a socket a new public address, as a NAT does that forgot its mapping; the old address goes dead. */
  rebind(socket: SimSocket, address: string, port: number): void {
    this.#sockets.delete(socket.key)
    socket.setPublicAddress(address, port)
    this.#sockets.set(socket.key, socket)
  }

  /** Swallows everything from one address to another until switched off. */
  setBlackhole(from: string, to: string, isBlackhole: boolean): void {
    this.#direction(from, to).isBlackhole = isBlackhole
  }

  /** Takes the datagrams of a batch from `socket`; called by SimSocket.send. */
  transmit(socket: SimSocket, batch: DatagramBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const start = batch.starts[i]!
      // new Uint8Array copies; slice() of a Buffer would only be a view of the batch.
      const bytes = new Uint8Array(batch.buffer.subarray(start, start + batch.lengths[i]!))
      this.#carry(socket, addressKey(batch.remotes[i]!), bytes, batch.ecn[i]!)
    }
  }

  #carry(sender: SimSocket, to: string, bytes: Uint8Array, mark: number): void {
    const source = sender.publicAddress
    const from = addressKey(source)
    const direction = this.#direction(from, to)
    const ecn = sender.supportsEcn ? (this.remark?.(mark, from, to) ?? mark) : 0
    this.counters.sent++
    const isDropped = this.tap?.(from, to, bytes) === true
    const fate = isDropped ? 'lost' : this.#fate(direction, bytes.length)
    let copies = 0
    let corrupted = false
    if (fate === 'delivered') {
      const { profile, random } = direction
      copies = random.chance(profile.duplicate) ? 2 : 1
      if (copies === 2) this.counters.duplicated++
      corrupted = this.#isCorrupted(direction, bytes)
      if (corrupted) this.#corrupt(bytes, direction)
      const isLate = this.#options.translatesOnArrival === true
      for (let copy = 0; copy < copies; copy++)
        this.#schedule(direction, isLate ? sender : source, to, bytes, ecn)
    } else this.counters.lost++
    this.trace?.({ at: this.clock.now(), from, to, bytes: bytes.length, fate, corrupted, copies })
  }

  #fate(direction: Direction, size: number): DatagramFate {
    const { profile, random } = direction
    const isLost = random.chance(profile.loss) && direction.lostInARow < profile.lossBurst
    direction.lostInARow = isLost ? direction.lostInARow + 1 : 0
    if (size > profile.mtu) return 'tooLarge'
    if (direction.isBlackhole) return 'blackholed'
    if (isLost) return 'lost'
    if (profile.rate !== Number.POSITIVE_INFINITY) {
      const now = this.clock.now()
      const backlog = Math.max(0, direction.bottleneckFreeAt - now) * profile.rate
      if (backlog + size > profile.queue || !hasPlace(direction, now)) return 'queueFull'
      direction.bottleneckFreeAt = Math.max(now, direction.bottleneckFreeAt) + size / profile.rate
      if (profile.queuePackets !== Number.POSITIVE_INFINITY)
        direction.departures.push(direction.bottleneckFreeAt)
    }
    return 'delivered'
  }

  #isCorrupted(direction: Direction, bytes: Uint8Array): boolean {
    const { profile, random } = direction
    // A Version Negotiation packet answers a version that was corrupted: corrupted itself it would mean nothing.
    const isMeant =
      random.chance(profile.corrupt) &&
      direction.corruptedInARow < profile.corruptBurst &&
      (profile.corruptWithin === Number.POSITIVE_INFINITY || !isVersionNegotiation(bytes))
    direction.corruptedInARow = isMeant ? direction.corruptedInARow + 1 : 0
    return isMeant
  }

  #corrupt(bytes: Uint8Array, { profile, random }: Direction): void {
    this.counters.corrupted++
    if (profile.corruptWithin !== Number.POSITIVE_INFINITY) {
      bytes[random.below(Math.min(profile.corruptWithin, bytes.length))]! ^= 1 + random.below(255)
      return
    }
    const flips = 1 + random.below(4)
    for (let i = 0; i < flips; i++) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
  }

  #schedule(
    direction: Direction,
    source: RemoteAddress | SimSocket,
    to: string,
    bytes: Uint8Array,
    ecn: number,
  ): void {
    const { profile, random } = direction
    const leaves = Math.max(this.clock.now(), direction.bottleneckFreeAt)
    let arrival = Math.max(leaves + profile.delay + random.float() * profile.jitter, direction.lastArrival)
    if (random.chance(profile.reorder)) {
      arrival += random.float() * profile.reorderDelay
      this.counters.reordered++
    } else direction.lastArrival = arrival
    this.inFlight++
    this.clock.setTimer(arrival, () => {
      this.inFlight--
      const socket = this.#sockets.get(to)
      if (socket === undefined) return
      this.counters.delivered++
      socket.deliver(bytes, source instanceof SimSocket ? source.publicAddress : source, ecn)
    })
  }

  #direction(from: string, to: string): Direction {
    const key = this.#options.linkName?.(from, to) ?? `${from}>${to}`
    let direction = this.#directions.get(key)
    if (direction === undefined) {
      direction = new Direction(this.#profileFor(from, to), this.#random.fork(key))
      this.#directions.set(key, direction)
    }
    return direction
  }
}

/** Whether the queue, which counts datagrams, has room for one more behind the one that is being sent. */
function hasPlace(direction: Direction, now: number): boolean {
  const { departures, profile } = direction
  while (departures.length > 0 && departures[0]! <= now) departures.shift()
  return departures.length <= profile.queuePackets
}

/** RFC 8999 section 6: a long header whose version is zero. */
function isVersionNegotiation(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0x80) !== 0 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0 && bytes[4] === 0
}

export function addressKey(address: RemoteAddress): string {
  return `${address.address}:${address.port}`
}
