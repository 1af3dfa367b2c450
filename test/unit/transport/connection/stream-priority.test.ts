// The order in which streams arrive follows their priorities (RFC 9218 section 10), also while they are being sent.
import { expect, test } from 'vitest'
import type { QuicStream } from '../../../../src/transport/streams/index.ts'
import { CRITICAL_URGENCY } from '../../../../src/transport/streams/index.ts'
import { Pair } from './pair.ts'

const BULK = 200_000

interface Wanted {
  urgency?: number
  /** Nothing is said when it is undefined. */
  incremental?: boolean | undefined
}

const ORDERED: Wanted = { incremental: false }

class Race {
  readonly pair = new Pair().handshake()
  readonly streams: QuicStream[] = []
  readonly finished: number[] = []

  constructor(wanted: readonly Wanted[], size = BULK) {
    const { client, server } = this.pair
    server.application.onReadable = (stream) => {
      server.application.readAll(stream)
      if (stream.isReadComplete) this.finished.push(stream.id)
    }
    for (const { urgency = 3, incremental } of wanted) {
      const stream = client.connection.openStream('bidi')!
      stream.application = client.application
      if (incremental !== undefined) stream.setPriority(urgency, incremental)
      stream.write(Buffer.alloc(size))
      stream.end()
      this.streams.push(stream)
    }
  }

  received(stream: QuicStream): number {
    return this.pair.server.application.bytes(stream.id).length
  }

  run(): this {
    this.pair.run(20_000, () => this.finished.length === this.streams.length)
    return this
  }
}

test('those that are not incremental in the order in which they were opened', () => {
  expect(new Race([ORDERED, ORDERED, ORDERED]).run().finished).toEqual([0, 4, 8])
})

test('the more urgent one first, whenever it was opened', () => {
  expect(new Race([{ ...ORDERED, urgency: 6 }, ORDERED, { ...ORDERED, urgency: 0 }]).run().finished).toEqual([
    8, 4, 0,
  ])
})

test.each<[string, boolean | undefined]>([
  ['incremental ones', true],
  ['those about which nothing was said', undefined],
])('%s at the same pace', (_name, incremental) => {
  const race = new Race([{ incremental }, { incremental }])
  race.pair.run(20_000, () => race.received(race.streams[1]) > BULK / 2)
  const [first, second] = race.streams.map((stream) => race.received(stream))
  expect(Math.abs(first - second)).toBeLessThan(BULK / 10)
})

test('a change in the middle counts at once', () => {
  const race = new Race([ORDERED, ORDERED])
  race.pair.run(20_000, () => race.received(race.streams[0]) > BULK / 4)
  race.streams[1].setPriority(1, false)
  expect(race.run().finished).toEqual([4, 0])
})

test('a critical stream overtakes what is queued', () => {
  const race = new Race([
    { ...ORDERED, urgency: 0 },
    { urgency: 0, incremental: true },
  ])
  const control = race.pair.client.connection.openStream('uni')!
  control.application = race.pair.client.application
  control.setPriority(CRITICAL_URGENCY, false)
  race.pair.run(20_000, () => race.received(race.streams[0]) > BULK / 4)
  const before = race.received(race.streams[0]) + race.received(race.streams[1])
  control.write(Buffer.alloc(3_000))
  control.end()
  race.pair.run(20_000, () => race.finished.includes(control.id))
  // What was in flight before it, a window at most, may still arrive first.
  expect(race.received(race.streams[0]) + race.received(race.streams[1]) - before).toBeLessThan(BULK / 2)
})

test('an endless stream leaves something to every other one', () => {
  const race = new Race([{ ...ORDERED, urgency: 0 }], 8 * BULK)
  const { client } = race.pair
  const last = client.connection.openStream('bidi')!
  last.application = client.application
  last.setPriority(7, false)
  last.write(Buffer.alloc(10_000))
  last.end()
  race.pair.run(20_000, () => race.finished.length > 0)
  expect(race.finished).toEqual([last.id])
})
