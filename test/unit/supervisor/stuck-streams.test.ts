// The watchdog by itself: when it speaks, how often, and what a look at 10,000 idle streams costs.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  bidiStream,
  connectionLife,
  createLifeActor,
  deadlinesOf,
  type LifeActor,
  receiveStream,
  StreamEvent,
} from '../../../src/machines/index.ts'
import type { StuckReport } from '../../../src/supervisor/stuck-report.ts'
import { type StuckHost, StuckStreams } from '../../../src/supervisor/stuck-streams.ts'
import type { QuicStream } from '../../../src/transport/streams/index.ts'
import { RecordingOwner } from '../../machines/interpreted.ts'

const owner = new RecordingOwner()
const streams = new Map<LifeActor, QuicStream>()
let heard: string[] = []

/** Says which actor, in which state, for how long. */
class EchoHost implements StuckHost {
  reportStuck(actor: LifeActor, stream: QuicStream | undefined, now: number): StuckReport {
    const state = actor.table.name[actor.state]
    return {
      kind: stream === undefined ? 'connection' : 'stream',
      connection: '',
      stream: stream?.id,
      machine: actor.table.id,
      state,
      timeInState: now - actor.since,
      deadline: 0,
      waitingFor: 'peerAck',
      reason: '',
    }
  }

  handleStuck({ stream, state, timeInState }: StuckReport): void {
    heard.push(`${stream} ${state} ${timeInState}`)
  }
}

function start(id: number, table = bidiStream): LifeActor {
  const actor = createLifeActor(table, id, owner).start()
  streams.set(actor, { id } as QuicStream)
  return actor
}

function raise(actor: LifeActor, at: number, ...events: number[]): void {
  owner.time = at
  for (const event of events) actor.raise(event)
}

/** Leaves the response unacknowledged: 60 s. */
const ANSWERED = [
  StreamEvent.recvFin,
  StreamEvent.recvAllData,
  StreamEvent.appReadAll,
  StreamEvent.sendStream,
  StreamEvent.sendFin,
]
const UNACKNOWLEDGED = 'send.dataSent|receive.dataRead'

describe('stuck streams', () => {
  let watchdog: StuckStreams

  beforeEach(() => {
    streams.clear()
    heard = []
    owner.time = 0
    watchdog = new StuckStreams(new EchoHost(), streams)
  })

  it('says nothing up to the deadline, and speaks once after it', () => {
    raise(start(4), 500, ...ANSWERED)
    for (const now of [1_000, 60_000, 60_500]) watchdog.sweep(now)
    expect(heard).toEqual([])
    expect(watchdog.count).toBe(0)
    for (const now of [60_501, 61_000, 200_000]) watchdog.sweep(now)
    expect(heard).toEqual([`4 ${UNACKNOWLEDGED} 60001`])
    expect(watchdog.count).toBe(1)
    expect(watchdog.list(300_000)).toMatchObject([{ stream: 4, timeInState: 299_500 }])
  })

  it('a state that may last as long as the connection is never stuck', () => {
    const idle = start(0)
    const streaming = start(4)
    raise(streaming, 0, StreamEvent.recvFin, StreamEvent.recvAllData, StreamEvent.appReadAll)
    raise(streaming, 0, StreamEvent.sendStream)
    start(3, receiveStream)
    watchdog.sweep(1e9)
    expect(heard).toEqual([])
    expect(deadlinesOf(bidiStream)[idle.state]!.ms).toBe(Number.POSITIVE_INFINITY)
  })

  it('the deadline counts from the last change of state', () => {
    const actor = start(4)
    raise(actor, 0, ...ANSWERED.slice(0, 3))
    raise(actor, 50_000, StreamEvent.sendStream, StreamEvent.sendFin)
    watchdog.sweep(100_000)
    expect(heard).toEqual([])
    watchdog.sweep(110_001)
    expect(heard).toHaveLength(1)
  })

  it('one that moves on is no longer counted, and speaks again when it is stuck anew', () => {
    const actor = start(4)
    raise(actor, 0, ...ANSWERED)
    watchdog.sweep(61_000)
    raise(actor, 61_500, StreamEvent.appReset)
    expect(watchdog.count).toBe(0)
    expect(watchdog.isStuck(actor)).toBe(false)
    watchdog.sweep(62_000)
    expect(watchdog.list(62_000)).toEqual([])
    watchdog.sweep(82_000)
    expect(heard).toEqual([`4 ${UNACKNOWLEDGED} 61000`, '4 send.resetQueued|receive.dataRead 20500'])
  })

  it('one that ends is forgotten with everything that was kept of it', () => {
    const actor = start(4)
    raise(actor, 0, ...ANSWERED)
    watchdog.sweep(61_000)
    raise(actor, 61_500, StreamEvent.sendAllAcked)
    streams.delete(actor)
    watchdog.forget(actor)
    expect(watchdog.count).toBe(0)
    expect(watchdog.list(62_000)).toEqual([])
  })

  it('an actor that is no stream is looked at when asked, listed, and not counted as a stream', () => {
    const connection = createLifeActor(connectionLife, 'connection', owner).start()
    watchdog.inspect(connection, 11_000)
    expect(heard).toEqual([])
    watchdog.inspect(connection, 11_001)
    expect(heard).toEqual(['undefined handshaking 11001'])
    expect(watchdog.count).toBe(0)
    expect(watchdog.list(12_000)).toHaveLength(1)
  })

  it('looks at 10,000 idle streams in less than 1 ms of CPU', () => {
    for (let index = 0; index < 10_000; index++) start(index * 4)
    for (let round = 1; round <= 50; round++) watchdog.sweep(round * 1_000)
    // Over many rounds: the system's clock for CPU time ticks in milliseconds.
    const rounds = 500
    const before = process.threadCpuUsage()
    for (let round = 1; round <= rounds; round++) watchdog.sweep(round * 1_000)
    const { user, system } = process.threadCpuUsage(before)
    expect(heard).toEqual([])
    expect(user + system).toBeGreaterThan(0)
    expect((user + system) / 1_000 / rounds).toBeLessThan(1)
  })
})
