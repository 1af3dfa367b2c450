// Pacing: RFC 9002 section 7.7.
import { describe, expect, it } from 'vitest'
import { Sender } from './sender.ts'

// A sender with 100 ms of round trip and a window of 100 datagrams, nothing in flight, slow start over.
function paced(): Sender {
  const sender = new Sender()
  sender.send()
  sender.now = 100
  sender.ack(0, 0)
  Object.assign(sender.recovery.congestion, { window: 100 * 1200, ssthresh: 50 * 1200 })
  return sender
}

function sendWhileAllowed(sender: Sender): number {
  let count = 0
  while (sender.recovery.flight.canSend(1200, sender.now)) {
    sender.send()
    count++
  }
  return count
}

describe('pacing, RFC 9002 section 7.7', () => {
  it('at most a burst of ten leaves at once', () => {
    const sender = paced()
    expect(sendWhileAllowed(sender)).toBe(10)
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(false)
    expect(sender.recovery.flight.allowance(sender.now)).toBe(0)
  })

  it('then one datagram per 1/(1.25 * window) of the round trip, at the time that nextPacedTime says', () => {
    const sender = paced()
    sendWhileAllowed(sender)
    for (let i = 0; i < 50; i++) {
      const next = sender.recovery.flight.nextPacedTime(sender.now)
      expect(next - sender.now).toBeCloseTo(100 / 125, 2)
      sender.now = next - 0.1
      expect(sender.recovery.flight.canSend(1200, sender.now)).toBe(false)
      sender.now = next
      expect(sendWhileAllowed(sender)).toBe(1)
    }
  })

  it('a window leaves within a round trip, and silence saves up one burst only', () => {
    const sender = paced()
    const start = sender.now
    while (!sender.recovery.flight.isCongestionBlocked(1200)) {
      sender.now = sender.recovery.flight.nextPacedTime(sender.now)
      sendWhileAllowed(sender)
    }
    expect(sender.now - start).toBeLessThan(100)
    expect(sender.now - start).toBeGreaterThan(60)
    sender.now += 10_000
    sender.ack(1, 100)
    expect(sendWhileAllowed(sender)).toBe(10)
  })

  it('nextPacedTime is now when a datagram may leave', () => {
    const sender = paced()
    expect(sender.recovery.flight.nextPacedTime(sender.now)).toBe(sender.now)
    expect(sender.recovery.flight.nextPacedTime(sender.now, 11 * 1200)).toBeGreaterThan(sender.now)
  })

  it('section 7.8: a window that only pacing kept from being used still grows', () => {
    const grown = (isPaced: boolean) => {
      const sender = paced()
      if (isPaced) sendWhileAllowed(sender)
      else sender.sendMany(10)
      sender.now = 200
      sender.ack(1, 10)
      return sender.recovery.congestion.window > 100 * 1200
    }
    expect(grown(true)).toBe(true)
    expect(grown(false)).toBe(false)
  })
})
