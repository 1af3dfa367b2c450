// Persistent congestion: RFC 9002 section 7.6, behaviour 22.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { conformancePath } from '../../../conformance.ts'
import { Sender } from './sender.ts'

const vectorsPath = conformancePath('vectors.json')
const MINIMUM_WINDOW = 2400

// A sender with an RTT sample taken at time 0, whose smoothed_rtt + 4 * rttvar + max_ack_delay stays 2 s.
function senderOfTwoSeconds(): Sender {
  const sender = new Sender()
  sender.recovery.setHandshakeConfirmed(-1000)
  sender.now = -1000
  sender.send()
  sender.now = 0
  sender.ack(0, 0)
  Object.defineProperty(sender.recovery.rtt, 'timeoutBase', { get: () => 2000 - 25 })
  return sender
}

function sendAt(sender: Sender, time: number): number {
  sender.now = time
  return sender.send()
}

describe('persistent congestion, RFC 9002 section 7.6', () => {
  it('section 7.6.3: the example, with its losses and the minimum window', () => {
    const sender = senderOfTwoSeconds()
    sendAt(sender, 10)
    sendAt(sender, 1000)
    sender.now = 1200
    sender.ack(1, 1)
    for (const time of [2000, 3000, 4000, 5000, 6000, 8000, 12_000]) sendAt(sender, time)
    sender.now = 12_200
    sender.ack(9, 9)
    expect(sender.lost).toEqual([2, 3, 4, 5, 6, 7, 8])
    expect(sender.congestion).toEqual([false, true])
    expect(sender.recovery.counters.persistentCongestion).toBe(1)
    // The packet that was acknowledged grows the minimum window in slow start (appendix B.5).
    expect(sender.recovery.congestion.window).toBe(MINIMUM_WINDOW + 1200)
    expect(sender.recovery.rtt.min).toBe(200)
  })

  it('section 7.6.2: the span must exceed the duration', () => {
    for (const [last, isPersistent] of [
      [7000, false],
      [7001, true],
    ] as const) {
      const sender = senderOfTwoSeconds()
      sendAt(sender, 1000)
      sendAt(sender, last)
      sendAt(sender, 12_000)
      sender.now = 15_000
      sender.ack(3, 3)
      expect(sender.lost).toEqual([1, 2])
      // Section 5.2: min_rtt starts anew.
      expect(sender.recovery.rtt.min).toBe(isPersistent ? 3000 : 1000)
      expect(sender.recovery.counters.persistentCongestion).toBe(isPersistent ? 1 : 0)
    }
  })

  it('section 7.6.2: an acknowledged packet between the two ends the run', () => {
    const sender = senderOfTwoSeconds()
    for (const time of [1000, 4000, 9000, 12_000]) sendAt(sender, time)
    sender.now = 12_200
    sender.ackRanges([2, 2], [4, 4])
    expect(sender.lost).toEqual([1, 3])
    expect(sender.recovery.counters.persistentCongestion).toBe(0)
    expect(sender.congestion).toEqual([false])
  })

  it('section 7.6.2: a run is followed over several acknowledgements', () => {
    const sender = senderOfTwoSeconds()
    for (const time of [1000, 2000, 2100, 2200, 2300]) sendAt(sender, time)
    sender.now = 2400
    sender.ack(5, 5)
    expect(sender.lost).toEqual([1, 2])
    sendAt(sender, 8000)
    sender.now = 8100
    sender.ack(6, 6)
    expect(sender.lost).toEqual([1, 2, 3, 4])
    expect(sender.recovery.counters.persistentCongestion).toBe(0)
    const longer = senderOfTwoSeconds()
    for (const time of [1000, 2000, 2100, 8000]) sendAt(longer, time)
    for (const time of [8100, 8200, 8300]) sendAt(longer, time)
    longer.now = 8400
    longer.ack(7, 7)
    expect(longer.lost).toEqual([1, 2, 3, 4])
    expect(longer.recovery.counters.persistentCongestion).toBe(1)
  })

  it('section 7.6.2: packets that are not ack-eliciting do not count', () => {
    const sender = senderOfTwoSeconds()
    sender.now = 1000
    sender.send({ ackEliciting: false, inFlight: true })
    sendAt(sender, 5000)
    sender.now = 9000
    sender.send({ ackEliciting: false, inFlight: true })
    sendAt(sender, 12_000)
    sender.now = 12_200
    sender.ack(4, 4)
    expect(sender.lost).toEqual([1, 2, 3])
    expect(sender.recovery.counters.persistentCongestion).toBe(0)
  })

  it('section 7.6.2: packets sent before the first RTT sample do not count', () => {
    const sender = new Sender()
    sendAt(sender, 0)
    sendAt(sender, 100_000)
    sendAt(sender, 100_100)
    sender.now = 100_200
    sender.ack(2, 2)
    expect(sender.lost).toEqual([0, 1])
    expect(sender.recovery.counters.persistentCongestion).toBe(0)
    expect(sender.recovery.congestion.window).toBeGreaterThan(MINIMUM_WINDOW)
  })
})

describe.skipIf(vectorsPath === undefined)('persistent congestion, stored vector', () => {
  it('section 7.6.3: plays as listed', () => {
    const vector = JSON.parse(readFileSync(vectorsPath!, 'utf8')).rfc9002_7_6_3_persistent_congestion_example
    const sender = senderOfTwoSeconds()
    sendAt(sender, 10)
    // Numbers 0 and 1 are taken: packet n of the vector is n + 1 here.
    for (const [seconds, action, number] of vector.events as [number, string, number][]) {
      const isFirst = number === 1
      sender.now = Math.max(seconds * 1000, 20)
      if (action.startsWith('send')) expect(sender.send()).toBe(number + 1)
      else sender.ack(isFirst ? 1 : number + 1, number + 1)
    }
    expect(sender.lost).toEqual((vector.expect.lost as number[]).map((n) => n + 1))
    expect(sender.recovery.counters.persistentCongestion).toBe(vector.expect.persistent_congestion ? 1 : 0)
  })
})
