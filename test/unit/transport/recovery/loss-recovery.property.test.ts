// LossRecovery under any sequence of sending, acknowledging, losing and waiting, against a plain twin.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCongestionController, Space } from '../../../../src/transport/recovery/index.ts'
import { RangeSet } from '../../../../src/transport/wire/index.ts'
import { ackOfSet, Sender } from './sender.ts'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send'), n: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ack'), n: fc.nat(255) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), n: fc.nat(80) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ackOnly'), n: fc.integer({ min: 1, max: 90 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('timer'), n: fc.constant(0) }) },
)

// Plays the steps; `mask` decides which packets arrive at the peer.
function play(sender: Sender, steps: { kind: string; n: number }[]): Set<number> {
  const inFlight = new Set<number>()
  const received = new RangeSet()
  let arriving: number[] = []
  for (const { kind, n } of steps) {
    if (kind === 'wait') sender.now += n
    else if (kind === 'timer') {
      sender.now = Math.max(sender.now, Math.min(sender.recovery.lossDetectionTimer(), sender.now + 1e6))
      sender.recovery.handleTimeout(sender.now)
    } else if (kind === 'ack') {
      for (const number of arriving) if (((number * 37) & 255) >= n / 2) received.add(number, number + 1)
      arriving = []
      if (!received.isEmpty) sender.recovery.handleAck(Space.application, ackOfSet(received), 0, sender.now)
    } else {
      for (let i = 0; i < n; i++) {
        const ackEliciting = kind === 'send'
        const number = sender.send({ ackEliciting, size: 100 + n })
        if (ackEliciting) inFlight.add(number)
        arriving.push(number)
      }
    }
  }
  return inFlight
}

describe('LossRecovery, any sequence of events', () => {
  it.each(['cubic', 'newReno'] as const)(
    '%s: every packet is settled at most once and nothing is forgotten',
    (name) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), fc.nat(255), (steps, seed) => {
          const entropy = { fill: (bytes: Uint8Array) => bytes.fill(seed) }
          const congestion = createCongestionController(name, 1200)
          const sender = new Sender({ entropy, skipPeriod: 3, congestion })
          sender.recovery.setHandshakeConfirmed(0)
          const sent = play(sender, steps)
          const settled = [...sender.acked, ...sender.lost]
          expect(new Set(settled).size).toBe(settled.length)
          for (const number of settled) sent.delete(number)
          let bytes = 0
          for (let i = 0; ; i++) {
            const packet = sender.recovery.outstandingAt(Space.application, i)
            if (packet === undefined) break
            expect(sent.delete(packet.packetNumber)).toBe(true)
            bytes += packet.size
          }
          expect(sent.size).toBe(0)
          expect(sender.recovery.bytesInFlight).toBe(bytes)
          expect(sender.recovery.hasAckElicitingInFlight(Space.application)).toBe(bytes > 0)
          expect(Number.isFinite(sender.recovery.lossDetectionTimer())).toBe(bytes > 0)
          expect(congestion.window).toBeGreaterThanOrEqual(2400)
        }),
        { numRuns: 300 },
      )
    },
  )

  it('a lossy transfer ends: waiting for the timer always leads to loss or a probe', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const sender = new Sender()
        sender.recovery.setHandshakeConfirmed(0)
        play(sender, steps)
        for (let i = 0; i < 40 && sender.recovery.bytesInFlight > 0; i++) {
          sender.now = Math.max(sender.now, sender.recovery.lossDetectionTimer())
          const probe = sender.recovery.handleTimeout(sender.now)
          if (probe === undefined) continue
          const number = sender.send()
          sender.now += 10
          sender.ack(number, number)
        }
        expect(sender.recovery.bytesInFlight).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('the ring keeps its packets while it grows', () => {
    const sender = new Sender()
    sender.sendMany(3000, { size: 1 })
    for (const index of [0, 63, 64, 65, 1500, 2999]) {
      expect(sender.recovery.outstandingAt(Space.application, index)?.packetNumber).toBe(index)
    }
    sender.now = 10
    sender.ack(0, 2999)
    expect(sender.acked).toHaveLength(3000)
    expect([sender.recovery.bytesInFlight, sender.recovery.pool.idle]).toEqual([0, 3000])
  })
})
