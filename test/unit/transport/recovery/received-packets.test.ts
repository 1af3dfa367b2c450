// When to acknowledge: RFC 9000 section 13.2, behaviour 19.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckTracker, EcnMark, MAX_RECEIVED_RANGES } from '../../../../src/transport/recovery/index.ts'
import { AckFrame, Cursor, parseAck, readFrameType } from '../../../../src/transport/wire/index.ts'

const NEVER = Number.POSITIVE_INFINITY

function ackOf(tracker: AckTracker, now: number, exponent = 3): AckFrame | undefined {
  const buffer = new Uint8Array(1200)
  const end = tracker.writeAck(buffer, 0, 1200, now, exponent)
  if (end === 0) return undefined
  const ack = new AckFrame()
  const cursor = new Cursor().reset(buffer, 0, end)
  parseAck(cursor, readFrameType(cursor), ack)
  return ack
}

describe('generating acknowledgements, RFC 9000 section 13.2', () => {
  it('section 13.2.1: within max_ack_delay after one ack-eliciting packet', () => {
    const tracker = new AckTracker(false, 25)
    expect(tracker.ackDeadline).toBe(NEVER)
    tracker.insert(0, true, 100)
    expect(tracker.ackDeadline).toBe(125)
    expect([tracker.shouldAckNow(124), tracker.shouldAckNow(125)]).toEqual([false, true])
    expect(tracker.hasPendingAck).toBe(true)
    ackOf(tracker, 110)
    expect([tracker.ackDeadline, tracker.hasPendingAck]).toEqual([NEVER, false])
  })

  it('section 13.2.2: at once after the second ack-eliciting packet', () => {
    const tracker = new AckTracker(false)
    tracker.insert(0, true, 100)
    tracker.insert(1, false, 101)
    expect(tracker.shouldAckNow(101)).toBe(false)
    tracker.insert(2, true, 102)
    expect(tracker.shouldAckNow(102)).toBe(true)
  })

  it('section 13.2.1: at once in the Initial and Handshake spaces', () => {
    const tracker = new AckTracker(true)
    tracker.insert(0, true, 100)
    expect(tracker.shouldAckNow(100)).toBe(true)
  })

  it('section 13.2.1: at once for a packet below another ack-eliciting one', () => {
    const tracker = new AckTracker(false)
    tracker.insert(0, true, 1)
    tracker.insert(1, true, 1)
    tracker.insert(2, false, 1)
    tracker.insert(5, false, 2)
    ackOf(tracker, 2)
    tracker.insert(4, true, 3)
    ackOf(tracker, 3)
    tracker.insert(3, true, 4)
    expect(tracker.shouldAckNow(4)).toBe(true)
  })

  it('section 13.2.1: at once when packets are missing in between, not when they only came late', () => {
    const tracker = new AckTracker(false)
    tracker.insert(0, true, 1)
    tracker.insert(1, true, 1)
    ackOf(tracker, 1)
    tracker.insert(3, true, 2)
    expect(tracker.shouldAckNow(2)).toBe(true)
    const complete = new AckTracker(false)
    complete.insert(0, true, 1)
    complete.insert(1, true, 1)
    ackOf(complete, 1)
    complete.insert(2, false, 2)
    complete.insert(3, true, 2)
    expect(complete.shouldAckNow(2)).toBe(false)
  })

  it('section 13.2.1: at once for a CE mark', () => {
    const tracker = new AckTracker(false)
    tracker.insert(0, true, 1, EcnMark.ce)
    expect(tracker.shouldAckNow(1)).toBe(true)
  })

  it('section 13.2.1: never for packets that are not ack-eliciting', () => {
    const tracker = new AckTracker(false)
    for (let i = 0; i < 10; i++) tracker.insert(2 * i, false, i)
    expect([tracker.ackDeadline, tracker.hasPendingAck]).toEqual([NEVER, false])
    expect(ackOf(tracker, 10)?.rangeCount).toBe(10)
  })

  it('section 13.2.5: the delay is that of the largest packet, in units of the exponent', () => {
    const tracker = new AckTracker(false)
    tracker.insert(7, true, 100)
    tracker.insert(3, true, 109)
    expect(ackOf(tracker, 110)).toMatchObject({ largest: 7, delay: (10 * 1000) / 8, hasEcn: false })
    expect(ackOf(tracker, 110, 0)?.delay).toBe(10_000)
  })

  it('section 13.4.1: ECN marks are counted and reported once there are any', () => {
    const tracker = new AckTracker(false)
    tracker.insert(0, true, 1, EcnMark.ect0)
    tracker.insert(1, true, 1, EcnMark.ect0)
    tracker.insert(1, true, 1, EcnMark.ect0)
    tracker.insert(2, true, 1, EcnMark.ect1)
    tracker.insert(3, true, 1, EcnMark.ce)
    expect(ackOf(tracker, 1)).toMatchObject({ hasEcn: true, ect0: 2, ect1: 1, ce: 1 })
  })

  it('an ACK that finds no room stays owed', () => {
    const tracker = new AckTracker(true)
    expect(tracker.writeAck(new Uint8Array(9), 4, 9, 0, 3)).toBe(4)
    tracker.insert(0, true, 1)
    expect(tracker.writeAck(new Uint8Array(9), 6, 9, 1, 3)).toBe(6)
    expect(tracker.shouldAckNow(1)).toBe(true)
  })
})

describe('limiting acknowledgement ranges, RFC 9000 sections 13.2.3 and 13.2.4', () => {
  it('duplicates are known, also below what was forgotten', () => {
    const tracker = new AckTracker(false)
    expect(tracker.insert(5, true, 1)).toBe(true)
    expect([tracker.insert(5, true, 1), tracker.isDuplicate(5), tracker.isDuplicate(4)]).toEqual([
      false,
      true,
      false,
    ])
    tracker.handleAckOfAck(5)
    expect([tracker.isDuplicate(4), tracker.isDuplicate(5), tracker.insert(3, true, 2)]).toEqual([
      true,
      true,
      false,
    ])
    expect(tracker.isDuplicate(6)).toBe(false)
  })

  it('section 13.2.4: ranges that the peer knows to be acknowledged are dropped', () => {
    const tracker = new AckTracker(false)
    for (const n of [0, 2, 4, 5, 6, 9]) tracker.insert(n, true, 1)
    tracker.handleAckOfAck(5)
    tracker.handleAckOfAck(2)
    const ack = ackOf(tracker, 1)
    expect([ack?.rangeCount, ack?.starts.slice(0, 2), ack?.ends.slice(0, 2)]).toEqual([2, [9, 6], [9, 6]])
  })

  it('a gap left by settled packets does not force immediate acknowledgements', () => {
    const tracker = new AckTracker(false)
    for (const n of [0, 1, 3]) tracker.insert(n, n !== 3, 1)
    ackOf(tracker, 1)
    tracker.handleAckOfAck(3)
    tracker.insert(4, true, 2)
    expect(tracker.shouldAckNow(2)).toBe(false)
  })

  it('section 13.2.3: only the newest ranges are kept, and older packets are refused', () => {
    const tracker = new AckTracker(false)
    for (let i = 0; i < 1000; i++) tracker.insert(2 * i, true, 1)
    const ack = ackOf(tracker, 1)
    expect([ack?.largest, ack?.rangeCount]).toEqual([1998, MAX_RECEIVED_RANGES])
    expect(tracker.insert(1, true, 2)).toBe(false)
    expect(tracker.insert(1997, true, 2)).toBe(true)
  })

  it('no packet number is accepted twice, whatever the order', () => {
    const step = fc.record({ n: fc.nat(300), isAckOfAck: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const tracker = new AckTracker(false)
        const accepted = new Set<number>()
        for (const { n, isAckOfAck } of steps) {
          if (isAckOfAck && n % 7 === 0) tracker.handleAckOfAck(Math.min(n, tracker.largest))
          const isDuplicate = tracker.isDuplicate(n)
          if (accepted.has(n)) expect(isDuplicate).toBe(true)
          expect(tracker.insert(n, true, 0)).toBe(!isDuplicate)
          accepted.add(n)
        }
      }),
    )
  })
})
