// The record of a packet in flight: what recovery must know, and opaque entries for what the packet carried.
// Filled by the packet builder of connection, owned by LossRecovery from onPacketSent on, reused through a pool.
import { MAX_POOLED_PACKETS } from './limits.ts'

export class SentPacket {
  packetNumber = -1
  /** ms. */
  timeSent = 0
  /** Bytes of the packet, header and tag included. */
  size = 0
  ackEliciting = false
  /** Counts for congestion control: ack-eliciting or with PADDING (RFC 9002 section 2). */
  inFlight = false
  /** A probe for a larger path MTU: its loss says nothing about congestion (RFC 9000 section 14.4). */
  isMtuProbe = false
  /** Went to another path than the one that is measured: says nothing about it (RFC 9000 section 9.4). */
  isOffPath = false
  /** Left with the mark ECT(0) in its IP header. */
  isEct = false
  // What DeliveryRate noted when it was sent: times in ms, counts in bytes.
  firstSentTime = 0
  deliveredTime = 0
  delivered = 0
  lostBefore = 0
  txInFlight = 0
  isAppLimited = false
  /** Entries 0..entryCount-1 of the arrays below; their meaning belongs to who added them. */
  entryCount = 0
  readonly kinds: number[] = []
  readonly targets: (object | undefined)[] = []
  readonly starts: number[] = []
  readonly ends: number[] = []
  readonly fins: boolean[] = []

  /** Whether congestion control counts it. */
  get isCounted(): boolean {
    return this.inFlight && !this.isOffPath
  }

  /**
   * Notes one thing that the packet carries.
   * @param kind caller's code
   * @param target caller's object, released when the packet is
   * @param start first number of the caller's range
   * @param end last number of the caller's range
   * @param fin caller's flag
   */
  addEntry(kind: number, target: object | undefined, start = 0, end = 0, fin = false): void {
    const index = this.entryCount++
    this.kinds[index] = kind
    this.targets[index] = target
    this.starts[index] = start
    this.ends[index] = end
    this.fins[index] = fin
  }

  /** Forgets everything, references included. */
  clear(): void {
    for (let i = 0; i < this.entryCount; i++) this.targets[i] = undefined
    this.entryCount = 0
    this.packetNumber = -1
    this.timeSent = 0
    this.size = 0
    this.ackEliciting = false
    this.inFlight = false
    this.isMtuProbe = false
    this.isOffPath = false
    this.isEct = false
  }
}

/** Free SentPacket objects of one connection. */
export class SentPacketPool {
  private readonly free: SentPacket[] = []
  private readonly capacity: number

  /** @param capacity most idle objects kept */
  constructor(capacity: number = MAX_POOLED_PACKETS) {
    this.capacity = capacity
  }

  get idle(): number {
    return this.free.length
  }

  acquire(): SentPacket {
    return this.free.pop() ?? new SentPacket()
  }

  release(packet: SentPacket): void {
    packet.clear()
    if (this.free.length < this.capacity) this.free.push(packet)
  }
}
