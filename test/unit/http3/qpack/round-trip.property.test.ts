// Our encoder against our decoder while both unidirectional streams are late, in pieces and out of step with the
// sections, against a twin that keeps every rule of RFC 9204 sections 2.1 and 3.2 the slow way.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QpackPair } from './qpack-pair.ts'

/** What happens next to the pair. */
type Action =
  | { readonly kind: 'send'; readonly stream: number; readonly fields: readonly string[] }
  | { readonly kind: 'section'; readonly pick: number }
  | { readonly kind: 'insertions'; readonly bytes: number }
  | { readonly kind: 'feedback'; readonly bytes: number }
  | { readonly kind: 'cancel'; readonly pick: number }

const name = fc.constantFrom(
  ':authority',
  'user-agent',
  'x-a',
  'x-b',
  'content-type',
  'cookie',
  'date',
  ':path',
)
const value = fc.oneof(
  fc.constantFrom('one', 'two', 'three', 'a much longer value that takes more room', 'v'.repeat(90), ''),
  fc.integer({ min: 0, max: 30 }).map((number) => `value ${number}`),
)
const fields = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 6 }).map((pairs) => pairs.flat())
const pick = fc.nat(20)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), stream: fc.nat(6), fields }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('section' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('insertions' as const), bytes: fc.nat(60) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('feedback' as const), bytes: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick }) },
)

interface Sent {
  readonly stream: number
  readonly fields: readonly string[]
  readonly bytes: Buffer
}

class Run {
  readonly pair: QpackPair
  readonly #blocked: number
  readonly #capacity: number
  /** Sections on their way; those of one stream arrive in order. */
  #travelling: Sent[] = []
  /** Sections by stream in the order of sending. */
  readonly sent = new Map<number, (readonly string[])[]>()
  readonly #waiting = new Set<number>()
  readonly #cancelled = new Set<number>()

  constructor(capacity: number, blocked: number) {
    this.pair = new QpackPair({ capacity, blocked })
    this.#capacity = capacity
    this.#blocked = blocked
  }

  apply(step: Action): void {
    if (step.kind === 'send') this.#send(4 * step.stream, step.fields)
    else if (step.kind === 'section') this.#deliver(step.pick)
    else if (step.kind === 'insertions') this.pair.deliverInsertions(step.bytes)
    else if (step.kind === 'feedback') this.pair.deliverFeedback(step.bytes)
    else this.#cancel(step.pick)
    this.#check()
  }

  /** Everything arrives in the end. */
  finish(): void {
    this.pair.deliverInsertions()
    while (this.#travelling.length > 0) this.#deliver(0)
    this.pair.deliverFeedback()
    this.#check()
  }

  #send(stream: number, fields: readonly string[]): void {
    if (this.#cancelled.has(stream)) return
    const bytes = this.pair.encode(stream, fields)
    this.#travelling.push({ stream, fields, bytes })
    this.sent.set(stream, [...(this.sent.get(stream) ?? []), fields])
  }

  #deliver(pick: number): void {
    this.#settle()
    const ready = this.#travelling.filter(
      ({ stream }, at) =>
        !this.#waiting.has(stream) && this.#travelling.findIndex((other) => other.stream === stream) === at,
    )
    const next = ready[pick % Math.max(1, ready.length)]
    if (next === undefined) return
    this.#travelling = this.#travelling.filter((section) => section !== next)
    const before = this.pair.decoded.get(next.stream)?.length ?? 0
    this.pair.decode(next.stream, next.bytes)
    if ((this.pair.decoded.get(next.stream)?.length ?? 0) === before) this.#waiting.add(next.stream)
  }

  /** Streams whose section was decoded by now wait no longer. */
  #settle(): void {
    for (const stream of this.#waiting) {
      const travelling = this.#travelling.filter((section) => section.stream === stream).length
      const decoded = this.pair.decoded.get(stream)?.length ?? 0
      if (decoded + travelling === this.sent.get(stream)!.length) this.#waiting.delete(stream)
    }
  }

  #cancel(pick: number): void {
    const streams = [...this.sent.keys()].filter((stream) => !this.#cancelled.has(stream))
    const stream = streams[pick % Math.max(1, streams.length)]
    if (stream === undefined) return
    this.#cancelled.add(stream)
    this.#waiting.delete(stream)
    this.#travelling = this.#travelling.filter((section) => section.stream !== stream)
    this.pair.decoder.cancel(stream)
  }

  #check(): void {
    const { encoder, decoder } = this.pair
    expect(encoder.riskyStreams).toBeLessThanOrEqual(this.#blocked)
    expect(decoder.blockedStreams).toBeLessThanOrEqual(encoder.riskyStreams + this.#cancelled.size)
    for (const table of [encoder.table, decoder.table]) {
      let size = 0
      for (let index = table.droppedCount; index < table.insertCount; index++) {
        const entry = table.get(index)!
        size += entry.name.length + entry.value.length + 32
      }
      expect(table.size).toBe(size)
      expect(size).toBeLessThanOrEqual(this.#capacity)
      expect(table.get(table.insertCount)).toBeUndefined()
      expect(table.get(table.droppedCount - 1)).toBeUndefined()
    }
    expect(decoder.table.insertCount).toBeLessThanOrEqual(encoder.table.insertCount)
    expect(encoder.table.knownReceived).toBeLessThanOrEqual(decoder.table.insertCount)
    // RFC 9204 section 2.1.1: nothing is evicted that was not acknowledged.
    expect(encoder.table.droppedCount).toBeLessThanOrEqual(encoder.table.knownReceived)
  }
}

describe('encoder and decoder out of step', () => {
  it.each([
    [0, 4],
    [64, 2],
    [128, 0],
    [128, 1],
    [256, 3],
    [512, 0],
    [4096, 100],
  ])('capacity %d, %d blocked streams: every section comes out as it went in', (capacity, blocked) => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 80 }), (actions) => {
        const run = new Run(capacity, blocked)
        for (const step of actions) run.apply(step)
        run.finish()
        for (const [stream, lists] of run.pair.decoded) {
          expect(lists).toEqual(run.sent.get(stream)!.slice(0, lists.length))
        }
        expect(run.pair.encoder.outstandingSections).toBe(0)
        expect(run.pair.encoder.riskyStreams).toBe(0)
        expect(run.pair.decoder.blockedStreams).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('the Required Insert Count wraps (section 4.5.1.1): 2,000 insertions into a table of three entries', () => {
    const pair = new QpackPair({ capacity: 100, blocked: 2 })
    for (let round = 0; round < 2_000; round++) {
      const list = ['server', `s${round}`]
      const section = pair.encode(4 * round, list)
      expect(section.length).toBe(3)
      // Every other section is ahead of its insertion.
      if (round % 2 === 0) pair.deliverInsertions()
      pair.decode(4 * round, section)
      pair.deliverInsertions()
      pair.deliverFeedback()
      expect(pair.decoded.get(4 * round)).toEqual([list])
    }
    expect(pair.encoder.table.insertCount).toBe(2_000)
    expect(pair.encoder.table.droppedCount).toBeGreaterThan(1_990)
  })

  it('the example of section 4.5.1.1: 100 bytes, ten insertions, four stands for nine', () => {
    const pair = new QpackPair({ capacity: 100, blocked: 2 })
    pair.encoderReader.push(Buffer.from('3f45', 'hex'))
    for (let round = 0; round < 10; round++) pair.encoderReader.push(Buffer.from(`c00130`, 'hex'))
    // Indexed field line, relative index 0: absolute index 8.
    pair.decode(0, Buffer.from('040080', 'hex'))
    expect(pair.decoded.get(0)).toEqual([[':authority', '0']])
  })
})
