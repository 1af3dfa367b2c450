// Stream IDs, limits and what a frame may speak of, without a connection (RFC 9000 sections 2.1, 3 and 4.6).
import { describe, expect, test } from 'vitest'
import { StreamEvent } from '../../../../src/machines/index.ts'
import {
  type QuicStream,
  ReceiveCredit,
  SendCredit,
  SendQueue,
  type StreamApplication,
  StreamTable,
} from '../../../../src/transport/streams/index.ts'
import { TestApplication, TestSupervisor } from '../connection/pair.ts'

const LIMITS = {
  maxStreamDataBidiLocal: 101,
  maxStreamDataBidiRemote: 102,
  maxStreamDataUni: 103,
  maxStreamsBidi: 4,
  maxStreamsUni: 4,
}

class Host {
  now = 0
  readonly canResetAt = true
  readonly sendCredit = new SendCredit(1_000)
  readonly receiveCredit = new ReceiveCredit(1_000)
  readonly queue = new SendQueue<QuicStream>()
  readonly read: QuicStream[] = []

  queueSend(stream: QuicStream): void {
    this.queue.push(stream)
  }

  setPriority(stream: QuicStream, urgency: number, incremental: boolean): void {
    this.queue.setPriority(stream, urgency, incremental)
  }

  noteReadAll(stream: QuicStream): void {
    this.read.push(stream)
  }

  tuneStreamWindow(): void {}

  handleCreditConsumed(): void {}
}

class World {
  readonly host = new Host()
  readonly supervisor = new TestSupervisor()
  readonly application = new TestApplication()
  readonly table: StreamTable

  constructor(isServer = true) {
    // The supervisor deregisters through the connection; here the table is all there is.
    const releaseStream = (id: number) => this.table.release(id)
    this.supervisor.connection = { releaseStream } as unknown as TestSupervisor['connection']
    const accept = (stream: QuicStream): StreamApplication => this.application.acceptStream(stream)
    this.table = new StreamTable(isServer, LIMITS, this.host, this.supervisor, accept)
  }
}

describe('IDs (section 2.1)', () => {
  test.each([
    [true, 'bidi', [1, 5, 9]],
    [true, 'uni', [3, 7, 11]],
    [false, 'bidi', [0, 4, 8]],
    [false, 'uni', [2, 6, 10]],
  ] as const)('server: %s, %s: %j', (isServer, kind, ids) => {
    const { table } = new World(isServer)
    expect(table.open(kind)).toBeUndefined()
    table.setPeerLimits(LIMITS)
    expect([table.open(kind), table.open(kind), table.open(kind)].map((stream) => stream?.id)).toEqual(ids)
    expect(table.open(kind)).toBeDefined()
    expect(table.open(kind)).toBeUndefined()
  })

  test('windows are those for who opened the stream (section 18.2)', () => {
    const { table } = new World()
    table.setPeerLimits({
      ...LIMITS,
      maxStreamDataBidiLocal: 201,
      maxStreamDataBidiRemote: 202,
      maxStreamDataUni: 203,
    })
    const [ours, uni] = [table.open('bidi')!, table.open('uni')!]
    const theirs = table.forFrame(0, 'receiving')!
    const theirUni = table.forFrame(2, 'receiving')!
    expect([ours.sending!.credit.max, ours.receiving!.credit.advertised]).toEqual([202, 101])
    expect([theirs.sending!.credit.max, theirs.receiving!.credit.advertised]).toEqual([201, 102])
    expect([uni.sending!.credit.max, uni.receiving]).toEqual([203, undefined])
    expect([theirUni.sending, theirUni.receiving!.credit.advertised]).toEqual([undefined, 103])
  })
})

describe('streams of the peer (section 4.6)', () => {
  test('the limit counts IDs, not open streams', () => {
    const { table, supervisor } = new World()
    table.forFrame(12, 'receiving')
    expect(table.streams.size).toBe(4)
    for (const stream of [...table.streams.values()]) stream.actor.raise(StreamEvent.connectionClosed)
    expect(table.streams.size).toBe(0)
    expect(supervisor.live.size).toBe(0)
    expect(() => table.forFrame(16, 'receiving')).toThrow(/STREAM_LIMIT_ERROR/)
    expect(table.forFrame(12, 'receiving')).toBeUndefined()
  })

  test('returned credit is advertised in batches, or at once when the peer waits', () => {
    const { table } = new World()
    const [credit] = table.peer
    expect(credit.isUpdateDue).toBe(false)
    credit.isForced = true
    expect(credit.isUpdateDue).toBe(false)
    credit.isForced = false
    table.returnCredit(0)
    expect(credit.isUpdateDue).toBe(true)
    expect(credit.advertise()).toBe(5)
    expect(table.forFrame(16, 'receiving')?.id).toBe(16)
    table.returnCredit(1)
    expect(credit.isUpdateDue).toBe(false)
  })

  test('after the end nothing is opened any more', () => {
    const { table, application } = new World()
    table.setPeerLimits(LIMITS)
    table.forFrame(0, 'receiving')
    table.closeAll()
    expect(table.open('bidi')).toBeUndefined()
    expect(table.forFrame(8, 'receiving')).toBeUndefined()
    expect(application.accepted.map((stream) => stream.id)).toEqual([0])
    expect(table.opened - table.closed).toBe(0)
  })
})

describe('the send buffer (section 2.3)', () => {
  test('a writer is told to pause at the high-water mark and called again below the low one', () => {
    const { table, application } = new World()
    table.setPeerLimits({ ...LIMITS, maxStreamDataUni: 1_000_000 })
    const stream = table.open('uni')!
    stream.application = application
    const { buffer } = stream.sending!
    expect(stream.write(new Uint8Array(262_143))).toBe(true)
    expect(stream.write(new Uint8Array(1))).toBe(false)
    const sendAndAcknowledge = (end: number) => {
      const start = buffer.next
      buffer.next = end
      stream.sending!.handleAcked(start, end)
      return application.writable
    }
    expect([sendAndAcknowledge(100_000), sendAndAcknowledge(131_072), sendAndAcknowledge(200_000)]).toEqual([
      0, 1, 1,
    ])
  })
})
