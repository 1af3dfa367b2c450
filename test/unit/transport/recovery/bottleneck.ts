// Flows of endless data over one bottleneck with a drop-tail queue: LossRecovery and AckTracker alone, without
// packets or keys, so that minutes of virtual time take a second. For the tests of congestion control.
import {
  AckTracker,
  type CongestionAlgorithm,
  type CongestionController,
  createCongestionController,
  LossRecovery,
} from '../../../../src/transport/recovery/index.ts'
import { AckFrame, Cursor, parseAck } from '../../../../src/transport/wire/index.ts'

export interface BottleneckOptions {
  /** Bytes per ms. */
  rate: number
  /** One way, ms. */
  delay: number
  /** Bytes. */
  queue: number
  /** Share of packets that vanish at random. */
  loss?: number
  seed?: number
}

const SIZE = 1_200

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class Flow {
  readonly recovery: LossRecovery
  readonly acks = new AckTracker(false)
  readonly congestion: CongestionController
  startAt: number
  /** Bytes per ms that the application has to send; Infinity for all that fits. */
  supply = Number.POSITIVE_INFINITY
  sent = 0
  delivered = 0
  pacedAt = Number.POSITIVE_INFINITY

  constructor(algorithm: CongestionAlgorithm, startAt: number, random: () => number) {
    this.startAt = startAt
    const entropy = {
      fill: (bytes: Uint8Array) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256
      },
    }
    this.congestion = createCongestionController(algorithm, SIZE, entropy)
    this.recovery = new LossRecovery({
      role: 'server',
      events: { handleAcked: () => {}, handleLost: () => {} },
      congestion: this.congestion,
    })
    this.recovery.setHandshakeConfirmed(startAt)
  }
}

type Arrival = { at: number; flow: Flow; packetNumber: number } | { at: number; flow: Flow; ack: Uint8Array }

export class Bottleneck {
  now = 0
  dropped = 0
  readonly options: BottleneckOptions
  readonly flows: Flow[] = []
  /** No packet passes while this is set. */
  isBlackhole = false
  readonly #random: () => number
  #freeAt = 0
  // Both directions have one delay, so arrivals are in order within each.
  readonly #packets: Arrival[] = []
  readonly #acks: Arrival[] = []
  #packetHead = 0
  #ackHead = 0
  readonly #buffer = new Uint8Array(1_200)
  readonly #frame = new AckFrame()

  constructor(options: BottleneckOptions) {
    this.options = options
    this.#random = generator(options.seed ?? 1)
  }

  add(algorithm: CongestionAlgorithm, startAt = 0): Flow {
    const flow = new Flow(algorithm, startAt, this.#random)
    this.flows.push(flow)
    return flow
  }

  get queued(): number {
    return Math.max(0, this.#freeAt - this.now) * this.options.rate
  }

  /** @param time virtual ms to let pass */
  run(time: number): void {
    const end = this.now + time
    for (;;) {
      for (const flow of this.flows) this.#send(flow)
      const next = this.#nextTime()
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.#deliver()
      for (const flow of this.flows) this.#timers(flow)
    }
    this.now = end
  }

  /** Share of the rate that a flow, or all of them, got delivered in `time` ms from now. */
  measure(time: number, flows: readonly Flow[] = this.flows): number {
    const before = flows.reduce((sum, flow) => sum + flow.delivered, 0)
    this.run(time)
    const after = flows.reduce((sum, flow) => sum + flow.delivered, 0)
    return (after - before) / time / this.options.rate
  }

  #nextTime(): number {
    let next = Math.min(
      this.#packets[this.#packetHead]?.at ?? Number.POSITIVE_INFINITY,
      this.#acks[this.#ackHead]?.at ?? Number.POSITIVE_INFINITY,
    )
    for (const { recovery, acks, pacedAt, startAt } of this.flows) {
      if (startAt > this.now) next = Math.min(next, startAt)
      next = Math.min(next, recovery.lossDetectionTimer(), acks.ackDeadline, pacedAt)
    }
    return next
  }

  #send(flow: Flow): void {
    flow.pacedAt = Number.POSITIVE_INFINITY
    const { recovery, startAt, supply } = flow
    if (this.now < startAt) return
    for (;;) {
      if (supply !== Number.POSITIVE_INFINITY && flow.sent >= supply * (this.now - startAt)) {
        recovery.flight.setApplicationLimited(true)
        flow.pacedAt = startAt + (flow.sent + SIZE) / supply
        return
      }
      if (recovery.flight.isCongestionBlocked(SIZE)) break
      if (!recovery.flight.canSend(SIZE, this.now)) {
        flow.pacedAt = Math.max(this.now + 0.001, recovery.flight.nextPacedTime(this.now, SIZE))
        break
      }
      this.transmit(flow)
    }
    recovery.flight.setApplicationLimited(false)
  }

  transmit(flow: Flow): void {
    const { recovery } = flow
    const packet = recovery.pool.acquire()
    packet.packetNumber = recovery.nextPacketNumber(2)
    packet.size = SIZE
    packet.ackEliciting = true
    packet.inFlight = true
    flow.sent += SIZE
    const { packetNumber } = packet
    recovery.onPacketSent(2, packet, this.now)
    const { rate, delay, queue, loss = 0 } = this.options
    if (this.isBlackhole || (loss > 0 && this.#random() < loss)) return
    if (this.queued + SIZE > queue) {
      this.dropped++
      return
    }
    this.#freeAt = Math.max(this.now, this.#freeAt) + SIZE / rate
    this.#packets.push({ at: this.#freeAt + delay, flow, packetNumber })
  }

  #deliver(): void {
    for (; this.#packets[this.#packetHead]?.at <= this.now; this.#packetHead++) {
      const arrival = this.#packets[this.#packetHead] as { flow: Flow; packetNumber: number }
      arrival.flow.delivered += SIZE
      arrival.flow.acks.insert(arrival.packetNumber, true, this.now)
      if (arrival.flow.acks.shouldAckNow(this.now)) this.#acknowledge(arrival.flow)
    }
    for (; this.#acks[this.#ackHead]?.at <= this.now; this.#ackHead++) {
      const { flow, ack } = this.#acks[this.#ackHead] as { flow: Flow; ack: Uint8Array }
      const cursor = new Cursor().reset(ack, 1)
      parseAck(cursor, 0x02, this.#frame)
      flow.recovery.handleAck(2, this.#frame, (this.#frame.delay * 8) / 1_000, this.now)
    }
  }

  #acknowledge(flow: Flow): void {
    const end = flow.acks.writeAck(this.#buffer, 0, this.#buffer.length, this.now, 3)
    this.#acks.push({ at: this.now + this.options.delay, flow, ack: this.#buffer.slice(0, end) })
  }

  #timers(flow: Flow): void {
    if (flow.acks.shouldAckNow(this.now)) this.#acknowledge(flow)
    const probe = flow.recovery.handleTimeout(this.now)
    if (probe === undefined) return
    for (let i = 0; i < probe.count; i++) this.transmit(flow)
  }
}
