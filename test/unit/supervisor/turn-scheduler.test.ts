import { describe, expect, it } from 'vitest'
import { ConnectionEntry } from '../../../src/supervisor/connection-entry.ts'
import type { ConnectionSupervisor } from '../../../src/supervisor/connection-supervisor.ts'
import { Counters } from '../../../src/supervisor/counters.ts'
import { TurnScheduler } from '../../../src/supervisor/turn-scheduler.ts'
import { TurnTime } from '../../../src/supervisor/turn-time.ts'
import {
  type DatagramBatch,
  MAX_DATAGRAMS_PER_POLL,
  type RemoteAddress,
} from '../../../src/transport/connection/index.ts'
import type { DatagramSocket } from '../../../src/transport/io/datagram-socket.ts'
import { VirtualClock } from '../../sim/virtual-clock.ts'

const PEER: RemoteAddress = { address: '192.0.2.1', port: 1, family: 4 }

/** A connection that has a number of datagrams to send, `perPoll` at a time. */
class Talker {
  readonly path = { local: undefined }
  left: number
  polls = 0
  received: number[] = []
  marks: number[] = []
  timeouts: number[] = []
  timeoutAt = Number.POSITIVE_INFINITY
  readonly perPoll: number

  constructor(left: number, perPoll = 10) {
    this.left = left
    this.perPoll = perPoll
  }

  pollTransmit(batch: DatagramBatch): number {
    this.polls++
    let added = 0
    while (added < this.perPoll && this.left > 0 && !batch.isFull) {
      batch.commit(100, PEER)
      this.left--
      added++
    }
    return added
  }

  handleDatagram(...given: [Uint8Array, number, number, unknown, number, ecn: number]): void {
    this.received.push(given[0][0])
    this.marks.push(given[5])
  }

  nextTimeout(): number {
    return this.timeoutAt
  }

  handleTimeout(now: number): void {
    this.timeouts.push(now)
    this.timeoutAt = Number.POSITIVE_INFINITY
  }
}

class CountingSocket implements DatagramSocket {
  readonly name = 'counting'
  readonly localAddress = '10.0.0.1'
  readonly localPort = 4433
  isBlocked = false
  sent = 0

  start(): void {}

  send(batch: DatagramBatch): void {
    this.sent += batch.count
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function setUp() {
  const clock = new VirtualClock()
  const counters = new Counters()
  const defects: unknown[] = []
  const turns = new TurnScheduler(clock, new TurnTime(clock), counters, (_entry, error) =>
    defects.push(error),
  )
  const socket = new CountingSocket()
  const add = (connection: Talker): ConnectionEntry => {
    const entry = new ConnectionEntry(socket, true, new Uint8Array(8))
    entry.supervisor = { connection } as unknown as ConnectionSupervisor
    return entry
  }
  return { clock, counters, turns, socket, add, defects }
}

describe('turns (design: one connection may not starve the others)', () => {
  it('a connection sends at most 100 datagrams per turn, and the others come in between', () => {
    const { clock, turns, socket, add } = setUp()
    const greedy = new Talker(1_000, MAX_DATAGRAMS_PER_POLL)
    const modest = new Talker(5)
    turns.markDirty(add(greedy))
    turns.markDirty(add(modest))
    clock.step()
    const share = 1_000 - greedy.left
    expect(share).toBeGreaterThan(90)
    expect(share).toBeLessThanOrEqual(100)
    expect(modest.left).toBe(0)
    expect(socket.sent).toBe(share + 5)
    for (let turn = 0; turn < 11; turn++) clock.step()
    expect(greedy.left).toBe(0)
  })

  it('at most 16 operations, however little each gives', () => {
    const { clock, turns, add } = setUp()
    const dribbling = new Talker(100, 1)
    turns.markDirty(add(dribbling))
    clock.step()
    expect(dribbling.polls).toBe(16)
    expect(dribbling.left).toBe(84)
  })

  it('a connection without more to do gets no further turn', () => {
    const { clock, turns, add } = setUp()
    const talker = new Talker(3)
    const entry = add(talker)
    turns.markDirty(entry)
    turns.markDirty(entry)
    clock.step()
    expect(talker.polls).toBe(2)
    expect(clock.step()).toBe(false)
  })

  it('a full socket is left alone for a millisecond', () => {
    const { clock, turns, socket, add, counters } = setUp()
    const talker = new Talker(3)
    socket.isBlocked = true
    turns.markDirty(add(talker))
    const begin = clock.now()
    clock.step()
    expect(talker.polls).toBe(0)
    socket.isBlocked = false
    while (clock.step());
    expect(socket.sent).toBe(3)
    expect(clock.now() - begin).toBe(1)
    expect(counters.timersArmed).toBe(0)
  })

  it('an exception of one connection is reported and harms no other', () => {
    const { clock, turns, socket, add, defects } = setUp()
    const broken = new Talker(1)
    broken.pollTransmit = () => {
      throw new Error('defect')
    }
    turns.markDirty(add(broken))
    turns.markDirty(add(new Talker(2)))
    clock.step()
    expect(defects).toHaveLength(1)
    expect(socket.sent).toBe(2)
  })
})

describe('timers: one per connection', () => {
  it('fires when the connection wants it', () => {
    const { clock, turns, add, counters } = setUp()
    const talker = new Talker(0)
    talker.timeoutAt = clock.now() + 50
    turns.markDirty(add(talker))
    while (clock.step());
    expect(talker.timeouts).toEqual([1_050])
    expect(counters.timersArmed).toBe(0)
  })

  it('a time that moves back leaves the timer armed, one that moves forward does not', () => {
    const { clock, turns, add } = setUp()
    const talker = new Talker(0)
    const entry = add(talker)
    const times = [50, 80, 20]
    for (const time of times) {
      talker.timeoutAt = 1_000 + time
      turns.markDirty(entry)
      clock.step()
      expect(clock.armed).toBe(1)
    }
    expect(entry.timer?.at).toBe(1_020)
    while (clock.step());
    expect(talker.timeouts).toEqual([1_020])
  })

  it('a connection that is gone has no timer and no turn', () => {
    const { clock, turns, add, counters } = setUp()
    const talker = new Talker(5)
    talker.timeoutAt = clock.now() + 50
    const entry = add(talker)
    turns.markDirty(entry)
    clock.step()
    turns.markDirty(entry)
    turns.remove(entry)
    const { polls } = talker
    while (clock.step());
    expect(talker.polls).toBe(polls)
    expect(talker.timeouts).toEqual([])
    expect([clock.armed, counters.timersArmed]).toEqual([0, 0])
  })
})

describe('the backlog of a connection', () => {
  it('keeps copies in order, 100 per turn and 256 in all', () => {
    const { clock, turns, add } = setUp()
    const talker = new Talker(0)
    const entry = add(talker)
    const borrowed = Buffer.alloc(1)
    let kept = 0
    for (let index = 0; index < 300; index++) {
      borrowed[0] = index & 0xff
      if (entry.defer(borrowed, 0, 1, PEER, index & 3, entry.socket)) kept++
    }
    expect(kept).toBe(256)
    borrowed.fill(0xee)
    turns.markDirty(entry)
    clock.step()
    expect(talker.received).toHaveLength(100)
    while (clock.step());
    expect(talker.received).toEqual(Array.from({ length: 256 }, (_, index) => index))
    expect(talker.marks).toEqual(Array.from({ length: 256 }, (_, index) => index & 3))
  })
})
