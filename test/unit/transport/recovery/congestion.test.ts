// Congestion control: RFC 9002 section 7 and appendix B, RFC 9438.
import { describe, expect, it } from 'vitest'
import {
  Cubic,
  createCongestionController,
  initialWindow,
  NewReno,
  RttEstimator,
} from '../../../../src/transport/recovery/index.ts'
import { AckFrame } from '../../../../src/transport/wire/index.ts'
import { Sender } from './sender.ts'

const MSS = 1200
const rtt = new RttEstimator()
rtt.update(100, 0, 0)

describe('windows, RFC 9002 section 7.2', () => {
  it('the initial window is ten datagrams, at most 14720 bytes or two datagrams', () => {
    expect(initialWindow(1200)).toBe(12_000)
    expect(initialWindow(1472)).toBe(14_720)
    expect(initialWindow(1500)).toBe(14_720)
    expect(initialWindow(9000)).toBe(18_000)
  })

  it('the chosen controller is made', () => {
    expect(createCongestionController('cubic', MSS).name).toBe('cubic')
    expect(createCongestionController('newReno', MSS).name).toBe('newReno')
  })

  it.each(['cubic', 'newReno'] as const)('%s follows a changed datagram size', (name) => {
    const controller = createCongestionController(name, 1200)
    controller.setMaxDatagramSize(1400)
    expect(controller.window).toBe(14_000)
    controller.onAcked(20_000, 1, 2, rtt, true)
    controller.setMaxDatagramSize(1200)
    expect(controller.window).toBe(12_000)
  })
})

describe('NewReno, RFC 9002 section 7.3', () => {
  it('slow start grows by the bytes acknowledged', () => {
    const reno = new NewReno(MSS)
    reno.onAcked(5000, 1, 2, rtt, true)
    expect(reno.window).toBe(17_000)
    expect(reno.isInSlowStart).toBe(true)
  })

  it('a loss halves the window once per recovery period', () => {
    const reno = new NewReno(MSS)
    expect(reno.onCongestionEvent(10, 20)).toBe(true)
    expect([reno.window, reno.ssthresh]).toEqual([6000, 6000])
    expect(reno.onCongestionEvent(20, 30)).toBe(false)
    expect(reno.window).toBe(6000)
    expect(reno.onCongestionEvent(21, 30)).toBe(true)
    expect(reno.window).toBe(3000)
  })

  it('recovery does not grow; congestion avoidance grows by one datagram per window', () => {
    const reno = new NewReno(MSS)
    reno.onCongestionEvent(10, 20)
    reno.onAcked(1200, 20, 40, rtt, true)
    expect(reno.window).toBe(6000)
    for (let i = 0; i < 5; i++) reno.onAcked(1200, 21, 50, rtt, true)
    expect(reno.window).toBeGreaterThan(6000 + 1100)
    expect(reno.window).toBeLessThanOrEqual(6000 + 1200)
  })

  it('never below two datagrams; persistent congestion goes there and ends recovery', () => {
    const reno = new NewReno(MSS)
    for (let i = 1; i < 9; i++) reno.onCongestionEvent(i * 10 + 1, i * 10 + 5)
    expect(reno.window).toBe(2400)
    const other = new NewReno(MSS)
    other.onCongestionEvent(10, 20)
    other.onPersistentCongestion(30)
    expect(other.window).toBe(2400)
    other.onAcked(1200, 15, 40, rtt, true)
    expect(other.window).toBe(3600)
  })
})

describe('CUBIC, RFC 9438', () => {
  // Grows to `segments` in slow start, then loses one packet at time 0.
  function afterLoss(segments: number): Cubic {
    const cubic = new Cubic(MSS)
    cubic.onAcked(segments * MSS - cubic.window, -5, -1, rtt, true)
    cubic.onCongestionEvent(-1, 0)
    return cubic
  }

  // Acknowledges a window every 100 ms.
  function run(cubic: Cubic, from: number, seconds: number): void {
    for (let now = from; now <= from + seconds * 1000; now += 100) {
      const packets = Math.floor(cubic.window / MSS)
      for (let i = 0; i < packets; i++) cubic.onAcked(MSS, now - 100 + 0.5, now, rtt, true)
    }
  }

  it('section 4.6: a loss takes the window to 0.7', () => {
    const cubic = afterLoss(1000)
    expect(cubic.window).toBeCloseTo(700 * MSS, 6)
    expect(cubic.ssthresh).toBeCloseTo(700 * MSS, 6)
    expect(cubic.onCongestionEvent(0, 50)).toBe(false)
  })

  it('section 4.2: back at the old window after K seconds, flat there, beyond afterwards', () => {
    const cubic = afterLoss(1000)
    const k = Math.cbrt((1000 * 0.3) / 0.4)
    run(cubic, 100, k / 2)
    const half = cubic.window / MSS
    expect(half).toBeGreaterThan(940)
    run(cubic, 100 + (k / 2) * 1000, k / 2)
    const atK = cubic.window / MSS
    expect(atK).toBeGreaterThan(985)
    expect(atK).toBeLessThan(1015)
    expect(atK - half).toBeLessThan(half - 700)
    run(cubic, 100 + k * 1000, k)
    expect(cubic.window / MSS).toBeGreaterThan(1250)
  })

  it('section 4.3: a small window grows at least as Reno would', () => {
    const cubic = afterLoss(10)
    run(cubic, 100, 2)
    const reno = 7 + 20 * 0.529
    expect(cubic.window / MSS).toBeGreaterThan(reno * 0.9)
  })

  it('section 4.7: fast convergence lowers the plateau when the old one was not reached', () => {
    const shorter = afterLoss(1000)
    shorter.onCongestionEvent(10, 20)
    const plateau = (700 * 1.7) / 2
    run(shorter, 100, Math.cbrt((plateau - 490) / 0.4))
    expect(shorter.window / MSS).toBeGreaterThan(plateau * 0.98)
    expect(shorter.window / MSS).toBeLessThan(plateau * 1.02)
  })

  it('section 4.8: after persistent congestion it slow-starts to the threshold and plateaus there', () => {
    const cubic = afterLoss(100)
    cubic.onPersistentCongestion(50)
    expect(cubic.window).toBe(2400)
    expect(cubic.ssthresh).toBeCloseTo(70 * MSS, 6)
    while (cubic.isInSlowStart) cubic.onAcked(MSS, 60, 100, rtt, true)
    const before = cubic.window
    cubic.onAcked(MSS, 150, 200, rtt, true)
    expect(cubic.window - before).toBeLessThan(MSS)
    expect(cubic.window).toBeGreaterThan(before)
    run(cubic, 200, 2)
    expect(cubic.window / MSS).toBeLessThan(85)
  })

  it('section 5.8: time in which the window was not used does not count', () => {
    const idle = afterLoss(1000)
    const busy = afterLoss(1000)
    run(idle, 100, 1)
    run(busy, 100, 1)
    for (let now = 1200; now < 60_000; now += 100) idle.onAcked(MSS, now - 1, now, rtt, false)
    idle.onAcked(MSS, 60_000, 60_100, rtt, true)
    expect(idle.window).toBeLessThan(busy.window * 1.01)
  })
})

describe('use of the window by LossRecovery, RFC 9002 section 7', () => {
  it('appendix B.4: bytes in flight may not exceed the window', () => {
    const sender = new Sender()
    for (let i = 0; i < 10; i++) {
      expect(sender.recovery.flight.canSend(1200, 0)).toBe(true)
      sender.send()
    }
    expect(sender.recovery.flight.canSend(1, 0)).toBe(false)
    expect(sender.recovery.flight.isCongestionBlocked(1)).toBe(true)
    expect(sender.recovery.flight.allowance(0)).toBe(0)
  })

  it('section 7.3.2: one packet may exceed the window when recovery begins', () => {
    const sender = new Sender()
    sender.sendMany(10)
    sender.now = 1000
    sender.ack(3, 3)
    expect(sender.lost).toEqual([0])
    expect(sender.recovery.bytesInFlight).toBe(8 * 1200)
    expect(sender.recovery.congestion.window).toBeCloseTo(8400, 6)
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(false)
    sender.send()
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(true)
  })

  it('section 2: PADDING alone is in flight, ACK alone is not', () => {
    const sender = new Sender()
    sender.send({ ackEliciting: false, inFlight: true })
    expect(sender.recovery.bytesInFlight).toBe(1200)
    sender.send({ ackEliciting: false })
    expect(sender.recovery.bytesInFlight).toBe(1200)
    expect(sender.recovery.hasAckElicitingInFlight(2)).toBe(false)
  })

  it('section 7.8: the window does not grow while it is not used', () => {
    const sender = new Sender()
    for (let i = 0; i < 50; i++) {
      sender.now += 10
      const n = sender.send()
      sender.now += 10
      sender.ack(n, n)
    }
    expect(sender.recovery.congestion.window).toBe(12_000)
    sender.sendMany(10)
    sender.now += 10
    sender.ack(50, 59)
    expect(sender.recovery.congestion.window).toBe(24_000)
  })

  it('section 7.8: slow start goes on when half of the window is used, unless the application is the limit', () => {
    for (const isLimited of [true, false]) {
      const sender = new Sender()
      sender.recovery.flight.setApplicationLimited(isLimited)
      sender.sendMany(6)
      sender.now = 10
      sender.ack(0, 5)
      expect(sender.recovery.congestion.window).toBe(isLimited ? 12_000 : 12_000 + 6 * 1200)
    }
  })

  it('section 7.1: an increase of ECN-CE is a congestion event when the path is ECN capable', () => {
    for (const isCapable of [true, false]) {
      const sender = new Sender({ ecn: isCapable })
      sender.recovery.ecn.beginDatagram()
      sender.sendMany(2)
      sender.now = 10
      const ack = Object.assign(ackOfTwo(), { hasEcn: true, ect0: 1, ce: 1 })
      sender.recovery.handleAck(2, ack, 0, 10)
      expect(sender.congestion).toEqual(isCapable ? [false] : [])
      expect(sender.lost).toEqual([])
    }
  })
})

function ackOfTwo() {
  return Object.assign(new AckFrame(), { largest: 1, rangeCount: 1, starts: [0], ends: [1] })
}
