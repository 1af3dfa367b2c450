// The send buffer against a plain twin that keeps one state per byte (RFC 9000 sections 2.2 and 13.3).
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SendBuffer } from '../../../../src/transport/streams/index.ts'

const byteAt = (offset: number): number => (offset * 13 + (offset >> 8)) & 0xff

function append(buffer: SendBuffer, length: number): void {
  const { length: start } = buffer
  buffer.append(Uint8Array.from({ length }, (_, i) => byteAt(start + i)))
}

/** What a sender does: lost ranges first, then new ones, `room` positions at a time. */
function send(buffer: SendBuffer, room: number): [start: number, end: number] | undefined {
  const isRepeat = buffer.hasLost
  if (!isRepeat && !buffer.hasUnsent) return undefined
  const start = isRepeat ? buffer.lostStart : buffer.next
  const end = Math.min(start + room, isRepeat ? buffer.lostEnd : buffer.limit)
  const bytes = new Uint8Array(room)
  const dataEnd = Math.min(end, buffer.length)
  if (dataEnd > start) buffer.copyTo(bytes, 0, start, dataEnd)
  for (let i = start; i < dataEnd; i++) {
    if (bytes[i - start] !== byteAt(i)) throw new Error(`wrong byte at ${i}`)
  }
  if (isRepeat) buffer.takeLost(start, end)
  else buffer.next = end
  return [start, end]
}

type Step = { kind: 'append' | 'send' | 'ack' | 'lose' | 'probe'; amount: number }

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('append', 'send', 'send', 'ack', 'ack', 'lose', 'probe'),
  amount: fc.nat(200),
})

type State = 'unsent' | 'flying' | 'lost' | 'acked'

test('each position is unsent, in flight, lost or acknowledged, as in the twin', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.nat(120), (list, endAt) => {
      const buffer = new SendBuffer()
      const states: State[] = []
      const flights: [number, number][] = []
      const grow = () => {
        while (states.length < buffer.limit) states.push('unsent')
      }
      for (const [index, { kind, amount }] of list.entries()) {
        if (index === endAt) buffer.end()
        if (kind === 'append' && !buffer.isEnded) append(buffer, amount)
        grow()
        if (kind === 'send') {
          const range = send(buffer, amount + 1)
          if (range === undefined) continue
          flights.push(range)
          for (let i = range[0]; i < range[1]; i++) if (states[i] !== 'acked') states[i] = 'flying'
        } else if (kind === 'ack' || kind === 'lose') {
          const flight = flights.splice(amount % Math.max(1, flights.length), 1)[0]
          if (flight === undefined) continue
          const [start, end] = flight
          if (kind === 'ack') buffer.acknowledge(start, end)
          else buffer.lose(start, end)
          for (let i = start; i < end; i++) {
            if (kind === 'ack') states[i] = 'acked'
            else if (states[i] !== 'acked') states[i] = 'lost'
          }
        } else if (kind === 'probe') {
          buffer.loseInFlight()
          for (let i = 0; i < buffer.next; i++) if (states[i] !== 'acked') states[i] = 'lost'
        }
        const firstOpen = states.findIndex((state) => state !== 'acked')
        const base = firstOpen < 0 ? states.length : firstOpen
        expect(buffer.base).toBe(base)
        expect(buffer.hasLost).toBe(states.includes('lost'))
        if (buffer.hasLost) expect(buffer.lostStart).toBe(states.indexOf('lost'))
        expect(buffer.hasUnsent).toBe(states.includes('unsent'))
        expect(buffer.isComplete).toBe(buffer.isEnded && states.every((state) => state === 'acked'))
        expect(buffer.bufferedBytes).toBe(Math.max(0, buffer.length - base))
      }
    }),
    { numRuns: 500 },
  )
})

test('every byte gets through whatever is lost, and nothing is left', () => {
  const chances = fc.array(fc.nat(9), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(chances, fc.array(fc.nat(2_000), { maxLength: 10 }), (luck, chunks) => {
      const buffer = new SendBuffer()
      for (const length of chunks) append(buffer, length)
      buffer.end()
      const arrived = new Uint8Array(buffer.limit)
      for (let turn = 0; !buffer.isComplete; turn++) {
        const range = send(buffer, 400)
        if (range === undefined) throw new Error('neither complete nor anything to send')
        const isLost = turn < 500 && luck[turn % luck.length] < 4
        if (isLost) buffer.lose(range[0], range[1])
        else {
          arrived.fill(1, range[0], range[1])
          buffer.acknowledge(range[0], range[1])
        }
      }
      expect(arrived.every((flag) => flag === 1)).toBe(true)
      expect(buffer.bufferedBytes).toBe(0)
    }),
    { numRuns: 200 },
  )
})

describe('the FIN', () => {
  test('is a position of its own: sent, lost and acknowledged like a byte', () => {
    const buffer = new SendBuffer()
    append(buffer, 10)
    expect(send(buffer, 100)).toEqual([0, 10])
    buffer.end()
    expect(buffer.hasUnsent).toBe(true)
    expect(send(buffer, 100)).toEqual([10, 11])
    buffer.acknowledge(0, 10)
    expect(buffer).toMatchObject({ isComplete: false, bufferedBytes: 0 })
    buffer.lose(10, 11)
    expect(send(buffer, 100)).toEqual([10, 11])
    buffer.acknowledge(10, 11)
    expect(buffer.isComplete).toBe(true)
  })

  test('of an empty stream completes it', () => {
    const buffer = new SendBuffer()
    expect(buffer.hasUnsent).toBe(false)
    buffer.end()
    expect(send(buffer, 10)).toEqual([0, 1])
    buffer.acknowledge(0, 1)
    expect(buffer.isComplete).toBe(true)
  })
})

test('discarding leaves nothing to send or to hold', () => {
  const buffer = new SendBuffer()
  append(buffer, 1_000)
  send(buffer, 100)
  send(buffer, 100)
  buffer.lose(0, 100)
  buffer.acknowledge(100, 200)
  buffer.end()
  buffer.discard()
  expect(buffer).toMatchObject({ hasLost: false, hasUnsent: false, bufferedBytes: 0 })
})

test('chunks are released as they are acknowledged: 10,000 small ones leave nothing behind', () => {
  const buffer = new SendBuffer()
  for (let i = 0; i < 10_000; i++) {
    append(buffer, 3)
    const range = send(buffer, 3)!
    if (i % 100 === 99) buffer.acknowledge(range[1] - 300, range[1])
    expect(buffer.bufferedBytes).toBeLessThanOrEqual(300)
  }
  expect(buffer.bufferedBytes).toBe(0)
})

describe('a reset that still delivers the beginning', () => {
  test('keeps what the peer has acknowledged, also beyond that beginning', () => {
    const buffer = new SendBuffer()
    append(buffer, 4)
    send(buffer, 4)
    buffer.acknowledge(0, 4)
    buffer.cut(3)
    expect([buffer.base, buffer.next, buffer.length, buffer.limit]).toEqual([4, 4, 4, 4])
    expect(buffer.hasUnsent || buffer.hasLost).toBe(false)
  })

  test('forgets what comes behind it, sent or not', () => {
    const buffer = new SendBuffer()
    append(buffer, 10)
    send(buffer, 6)
    buffer.lose(2, 6)
    buffer.cut(3)
    expect([buffer.base, buffer.next, buffer.length, buffer.lostStart, buffer.lostEnd]).toEqual([
      0, 3, 3, 2, 3,
    ])
  })

  test('does not count what was on its way beyond it, acknowledged before or after', () => {
    const buffer = new SendBuffer()
    append(buffer, 10)
    send(buffer, 10)
    buffer.acknowledge(6, 8)
    buffer.cut(3)
    buffer.acknowledge(8, 10)
    buffer.acknowledge(0, 6)
    expect([buffer.base, buffer.next, buffer.length]).toEqual([3, 3, 3])
  })
})
