// RFC 9297 section 3: the capsule parser at any split, its limits, and what ends a message.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CapsuleReader,
  type CapsuleSink,
  encodeCapsule,
  H3Error,
  usesCapsules,
} from '../../../src/http3/index.ts'

const UNKNOWN = 0x3f_ff_01
const LIMITS = new Map([
  [0, 1_500],
  [0x2843, 1_028],
])

class Recorder implements CapsuleSink {
  readonly capsules: { type: number; value: string }[] = []
  readonly skipped: { type: number; length: number }[] = []

  maxLength(type: number): number {
    return LIMITS.get(type) ?? -1
  }

  handleCapsule(type: number, value: Uint8Array): void {
    this.capsules.push({ type, value: Buffer.from(value).toString('hex') })
  }

  handleSkipped(type: number, length: number): void {
    this.skipped.push({ type, length })
  }
}

function errorOf(work: () => void): H3Error {
  try {
    work()
  } catch (error) {
    if (error instanceof H3Error) return error
    throw error
  }
  throw new Error('no error')
}

describe('RFC 9297 section 3.2: the capsule protocol', () => {
  test('capsules are the same at every split, and unknown ones leave no trace', () => {
    const capsule = fc.record({
      type: fc.constantFrom(0, 0x2843, UNKNOWN),
      value: fc.uint8Array({ maxLength: 700 }),
    })
    fc.assert(
      fc.property(fc.array(capsule, { maxLength: 6 }), fc.infiniteStream(fc.nat(90)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ type, value }) => encodeCapsule(type, value)))
        const recorder = new Recorder()
        const reader = new CapsuleReader(recorder)
        for (let offset = 0; offset < bytes.length; ) {
          const end = Math.min(bytes.length, offset + 1 + Number(cuts.next().value))
          const piece = new Uint8Array(bytes.subarray(offset, end))
          reader.push(piece)
          piece.fill(0xee) // borrowed: nothing may rely on it afterwards
          offset = end
        }
        expect(reader.isPartial).toBe(false)
        expect(reader.heldBytes).toBe(0)
        const known = sent.filter(({ type }) => type !== UNKNOWN)
        expect(recorder.capsules).toEqual(
          known.map(({ type, value }) => ({ type, value: Buffer.from(value).toString('hex') })),
        )
        expect(recorder.skipped.length).toBe(sent.length - known.length)
      }),
      { numRuns: 200 },
    )
  })

  test('integers longer than necessary are fine', () => {
    const recorder = new Recorder()
    new CapsuleReader(recorder).push(Uint8Array.of(0x40, 0x00, 0x80, 0, 0, 2, 7, 8))
    expect(recorder.capsules).toEqual([{ type: 0, value: '0708' }])
  })

  test('an unknown capsule is counted down, never kept', () => {
    const recorder = new Recorder()
    const reader = new CapsuleReader(recorder)
    reader.push(Uint8Array.of(0x17, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
    for (let round = 0; round < 100; round++) reader.push(new Uint8Array(1_000))
    expect(reader.heldBytes).toBe(0)
    expect(recorder.skipped).toEqual([{ type: 0x17, length: 2 ** 62 }])
  })

  test('of a declared length only what has arrived takes memory', () => {
    const reader = new CapsuleReader(new Recorder())
    reader.push(Uint8Array.of(0x68, 0x43, 0x44, 0x00, 1, 2, 3))
    expect(reader.heldBytes).toBe(3)
  })
})

describe('RFC 9297 section 3.3: error handling', () => {
  test('a value longer than its type allows makes the message malformed, before a byte of it is kept', () => {
    const recorder = new Recorder()
    const reader = new CapsuleReader(recorder)
    const error = errorOf(() => reader.push(Uint8Array.of(0x68, 0x43, 0x44, 0x05, 1)))
    expect(error.message).toContain('H3_MESSAGE_ERROR')
    expect(error.scope).toBe('stream')
    expect(reader.heldBytes).toBe(0)
    reader.push(encodeCapsule(0, Uint8Array.of(1)))
    expect(recorder.capsules).toEqual([])
  })

  test.each([
    ['in the type', [0x68]],
    ['before the length', [0x00]],
    ['in the length', [0x00, 0x44]],
    ['before the value', [0x00, 0x02]],
    ['in the value', [0x00, 0x02, 1]],
    ['in a skipped value', [0x17, 0x02, 1]],
  ])('a stream that ends %s is a malformed message', (_where, bytes) => {
    const reader = new CapsuleReader(new Recorder())
    reader.push(Uint8Array.from(bytes))
    expect(reader.isPartial).toBe(true)
    expect(errorOf(() => reader.finish()).message).toContain('H3_MESSAGE_ERROR')
    expect(reader.isPartial).toBe(false)
  })

  test('a stream may end between two capsules', () => {
    const reader = new CapsuleReader(new Recorder())
    reader.push(encodeCapsule(0, Uint8Array.of(1, 2)))
    expect(() => reader.finish()).not.toThrow()
  })
})

test('RFC 9297 section 3.5: a datagram of useless size is discarded without its bytes', () => {
  const recorder = new Recorder()
  const reader = new CapsuleReader(recorder)
  reader.push(Buffer.concat([encodeCapsule(0, new Uint8Array(1_501)), encodeCapsule(0, Uint8Array.of(9))]))
  expect(recorder.skipped).toEqual([{ type: 0, length: 1_501 }])
  expect(recorder.capsules).toEqual([{ type: 0, value: '09' }])
})

test('the owner may stop the reader from within a capsule', () => {
  const seen: number[] = []
  const reader: CapsuleReader = new CapsuleReader({
    maxLength: () => 10,
    handleCapsule: (type) => {
      seen.push(type)
      reader.stop()
    },
  })
  reader.push(Buffer.concat([encodeCapsule(1, new Uint8Array(0)), encodeCapsule(2, new Uint8Array(3))]))
  expect(seen).toEqual([1])
})

describe('RFC 9297 section 3.4: the Capsule-Protocol field', () => {
  test.each([
    [['capsule-protocol', '?1'], true],
    [['a', 'b', 'capsule-protocol', '?1;unknown=1'], true],
    [['capsule-protocol', '?0'], false],
    [['capsule-protocol', '1'], false],
    [['capsule-protocol', '?1, ?1'], false],
    [['capsule-protocol', '?1', 'capsule-protocol', '?1'], false],
    [['capsule-protocol', ''], false],
    [[], false],
  ])('%j: %s', (fields, expected) => {
    expect(usesCapsules(fields)).toBe(expected)
  })
})
