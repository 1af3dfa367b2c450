// A sender around LossRecovery with a clock that the test sets, for the tests of recovery.
import {
  LossRecovery,
  type RecoveryOptions,
  type SentPacket,
  Space,
} from '../../../../src/transport/recovery/index.ts'
import { AckFrame, type RangeSet } from '../../../../src/transport/wire/index.ts'

/** An ACK frame of ranges [smallest, largest], given in any order. */
export function ackOf(...ranges: [number, number][]): AckFrame {
  const ack = new AckFrame()
  const sorted = [...ranges].sort((a, b) => b[1] - a[1])
  sorted.forEach(([start, end], i) => {
    ack.starts[i] = start
    ack.ends[i] = end
  })
  ack.rangeCount = sorted.length
  ack.largest = sorted[0][1]
  return ack
}

/** An ACK frame of a set of packet numbers. */
export function ackOfSet(set: RangeSet): AckFrame {
  const ranges: [number, number][] = []
  for (let i = 0; i < set.size; i++) ranges.push([set.startAt(i), set.endAt(i) - 1])
  return ackOf(...ranges)
}

export interface SendOptions {
  space?: number
  size?: number
  ackEliciting?: boolean
  inFlight?: boolean
  isMtuProbe?: boolean
}

export class Sender {
  now = 0
  readonly acked: number[] = []
  readonly lost: number[] = []
  readonly congestion: boolean[] = []
  readonly recovery: LossRecovery

  constructor(options: Partial<RecoveryOptions> = {}) {
    const note = (list: number[]) => (_space: number, packet: SentPacket) => {
      list.push(packet.packetNumber)
    }
    this.recovery = new LossRecovery({
      role: 'server',
      events: {
        handleAcked: note(this.acked),
        handleLost: note(this.lost),
        handleCongestion: (isPersistent) => {
          this.congestion.push(isPersistent)
        },
      },
      ...options,
    })
  }

  /** Sends one packet now and returns its number. */
  send(options: SendOptions = {}): number {
    const space = options.space ?? Space.application
    const packet = this.recovery.pool.acquire()
    packet.packetNumber = this.recovery.nextPacketNumber(space)
    packet.size = options.size ?? 1200
    packet.ackEliciting = options.ackEliciting ?? true
    packet.inFlight = options.inFlight ?? packet.ackEliciting
    packet.isMtuProbe = options.isMtuProbe ?? false
    const number = packet.packetNumber
    this.recovery.onPacketSent(space, packet, this.now)
    return number
  }

  sendMany(count: number, options: SendOptions = {}): void {
    for (let i = 0; i < count; i++) this.send(options)
  }

  /** The peer's acknowledgement of [smallest, largest] arrives now. */
  ack(smallest: number, largest: number, options: { space?: number; delay?: number } = {}): void {
    const space = options.space ?? Space.application
    this.recovery.handleAck(space, ackOf([smallest, largest]), options.delay ?? 0, this.now)
  }

  ackRanges(...ranges: [number, number][]): void {
    this.recovery.handleAck(Space.application, ackOf(...ranges), 0, this.now)
  }
}
