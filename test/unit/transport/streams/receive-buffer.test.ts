// Reassembly against a plain twin that keeps one flag per byte (RFC 9000 section 2.2), and the rules of lending.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FRAGMENT_MERGE_SIZE,
  MAX_RECEIVE_FRAGMENTS,
  ReceiveBuffer,
} from '../../../../src/transport/streams/index.ts'

/** Byte i of the stream in all these tests. */
const byteAt = (offset: number): number => (offset * 7 + (offset >> 8)) & 0xff

function piece(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => byteAt(offset + i))
}

class Twin {
  readonly #has: boolean[] = []
  #read = 0

  insert(offset: number, length: number): void {
    for (let i = offset; i < offset + length; i++) this.#has[i] = true
  }

  get contiguousEnd(): number {
    let end = this.#read
    while (this.#has[end]) end++
    return end
  }

  get readable(): number {
    return this.contiguousEnd - this.#read
  }

  read(count: number): void {
    this.#read += count
  }
}

type Step =
  | { kind: 'insert'; offset: number; length: number; settles: boolean }
  | { kind: 'read'; chunks: number }
  | { kind: 'settle' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('insert' as const),
        offset: fc.nat(300),
        length: fc.nat(60),
        settles: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('read' as const), chunks: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
  ),
  { maxLength: 60 },
)

describe('against the twin', () => {
  test('reads the same bytes in the same order, whatever comes when', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const buffer = new ReceiveBuffer()
        const twin = new Twin()
        let position = 0
        const take = () => {
          const chunk = buffer.read()
          if (chunk === undefined) return false
          for (const byte of chunk) {
            if (byte !== byteAt(position++)) throw new Error(`wrong byte at ${position - 1}`)
          }
          twin.read(chunk.length)
          return true
        }
        for (const step of list) {
          if (step.kind === 'insert') {
            const bytes = piece(step.offset, step.length)
            buffer.insert(step.offset, bytes)
            twin.insert(step.offset, step.length)
            if (step.settles) {
              buffer.settle()
              // The datagram buffer is used again.
              bytes.fill(0xee)
            }
          } else if (step.kind === 'read') {
            for (let i = 0; i < step.chunks && take(); i++);
          } else buffer.settle()
          expect(buffer.readableBytes).toBe(twin.readable)
          expect(buffer.readOffset).toBe(position)
        }
        while (take());
        expect(buffer.readableBytes).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('every byte arrives once for any order of overlapping pieces', () => {
    const pieces = fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 300 })), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, fc.boolean(), (random, readsOften) => {
        const cover = Array.from({ length: 23 }, (_, i): [number, number] => [i * 100, 120])
        const buffer = new ReceiveBuffer()
        const read: number[] = []
        const drain = () => {
          for (let chunk = buffer.read(); chunk !== undefined; chunk = buffer.read()) read.push(...chunk)
        }
        for (const [offset, length] of [...random, ...cover.toReversed()]) {
          const bytes = piece(offset, length)
          buffer.insert(offset, bytes)
          if (readsOften) drain()
          buffer.settle()
          bytes.fill(0)
        }
        drain()
        expect(read.length).toBe(buffer.highest)
        expect(read.every((byte, offset) => byte === byteAt(offset))).toBe(true)
        expect(buffer.bufferedBytes).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})

describe('lending', () => {
  test('bytes in order are lent, not copied', () => {
    const buffer = new ReceiveBuffer()
    const bytes = piece(0, 100)
    buffer.insert(0, bytes)
    expect(buffer.bufferedBytes).toBe(0)
    expect(buffer.read()!.buffer).toBe(bytes.buffer)
  })

  test('what was not read is copied by settle, and only that is held', () => {
    const buffer = new ReceiveBuffer()
    const datagram = new Uint8Array(65_536)
    datagram.set(piece(0, 20), 1_000)
    buffer.insert(0, datagram.subarray(1_000, 1_020))
    buffer.settle()
    datagram.fill(0xee)
    expect(buffer.bufferedBytes).toBe(20)
    const chunk = buffer.read()!
    expect([...chunk]).toEqual([...piece(0, 20)])
    expect(chunk.buffer.byteLength).toBeLessThanOrEqual(FRAGMENT_MERGE_SIZE)
  })

  test('bytes out of order are copied at once', () => {
    const buffer = new ReceiveBuffer()
    const bytes = piece(10, 10)
    buffer.insert(10, bytes)
    bytes.fill(0)
    buffer.insert(0, piece(0, 10))
    expect([...buffer.read()!, ...(buffer.read() ?? [])]).toEqual([...piece(0, 20)])
  })
})

describe('bounds', () => {
  test('small fragments with gaps are refused at the cap (RFC 9000 section 21.6)', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 0; i < MAX_RECEIVE_FRAGMENTS; i++) buffer.insert(1 + 2 * i, piece(1 + 2 * i, 1))
    expect(() => {
      for (let i = 0; i < 3; i++) buffer.insert(10_001 + 2 * i, piece(10_001 + 2 * i, 1))
    }).toThrow(/too many gaps/)
  })

  test('one-byte pieces in order make few objects', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 1; i < 20_000; i++) buffer.insert(i, piece(i, 1))
    buffer.insert(0, piece(0, 1))
    let chunks = 0
    while (buffer.read() !== undefined) chunks++
    expect(chunks).toBeLessThanOrEqual(2 + 20_000 / FRAGMENT_MERGE_SIZE)
    expect(buffer.readOffset).toBe(20_000)
  })

  test('discarding drops what is held and skips to the highest offset', () => {
    const buffer = new ReceiveBuffer()
    buffer.insert(0, piece(0, 10))
    buffer.insert(50, piece(50, 10))
    expect(buffer.discard()).toBe(60)
    expect(buffer).toMatchObject({ bufferedBytes: 0, readableBytes: 0, readOffset: 60 })
    expect(buffer.read()).toBeUndefined()
    expect(buffer.discard()).toBe(0)
  })
})

test('completion follows from the final size (RFC 9000 section 4.5)', () => {
  const buffer = new ReceiveBuffer()
  buffer.insert(5, piece(5, 5))
  buffer.finalSize = 10
  expect(buffer.isAllReceived).toBe(false)
  buffer.insert(0, piece(0, 5))
  expect(buffer).toMatchObject({ isAllReceived: true, isReadComplete: false })
  while (buffer.read() !== undefined);
  expect(buffer.isReadComplete).toBe(true)
})
