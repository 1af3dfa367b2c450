// Acknowledgement-based loss detection: RFC 9002 section 6.1, appendix A.10; RFC 9000 section 13.1.
import { describe, expect, it } from 'vitest'
import { MAX_TRACKED_PACKETS, Space } from '../../../../src/transport/recovery/index.ts'
import { TransportErrorCode } from '../../../../src/transport/wire/index.ts'
import { errorCodeOf } from '../wire/bytes.ts'
import { ackOf, Sender } from './sender.ts'

describe('loss detection, RFC 9002 section 6.1', () => {
  it('section 6.1.1: three packets later is lost, two later is not yet', () => {
    const sender = new Sender()
    sender.sendMany(10)
    sender.now = 100
    sender.ack(5, 5)
    expect(sender.acked).toEqual([5])
    expect(sender.lost).toEqual([0, 1, 2])
    expect(sender.recovery.bytesInFlight).toBe(6 * 1200)
    expect(sender.recovery.counters).toMatchObject({ sent: 10, acked: 1, lost: 3 })
  })

  it('section 6.1.2: older than 9/8 of the round trip is lost, and the timer says when', () => {
    const sender = new Sender()
    sender.recovery.setHandshakeConfirmed(0)
    sender.send()
    sender.now = 5
    sender.send()
    sender.now = 85
    sender.ack(1, 1)
    expect(sender.lost).toEqual([])
    expect(sender.recovery.lossDetectionTimer()).toBe(90)
    sender.now = 89.9
    expect(sender.recovery.handleTimeout(sender.now)).toBeUndefined()
    expect(sender.lost).toEqual([])
    sender.now = 90
    expect(sender.recovery.handleTimeout(sender.now)).toBeUndefined()
    expect(sender.lost).toEqual([0])
    expect(sender.recovery.lossDetectionTimer()).toBe(Number.POSITIVE_INFINITY)
    expect(sender.recovery.bytesInFlight).toBe(0)
  })

  it('section 6.1.2: the time threshold is never below 1 ms', () => {
    const sender = new Sender({ initialRtt: 0.01 })
    sender.send()
    sender.send()
    sender.now = 0.01
    sender.ack(1, 1)
    expect(sender.recovery.lossDetectionTimer()).toBe(1)
  })

  it('the timer loses exactly what it was set for, whatever the rounding', () => {
    for (let i = 1; i < 200; i++) {
      const sender = new Sender()
      sender.now = i * 0.1
      sender.sendMany(2)
      sender.now += i * 0.37
      sender.ack(1, 1)
      sender.now = sender.recovery.lossDetectionTimer()
      sender.recovery.handleTimeout(sender.now)
      expect(sender.lost).toEqual([0])
    }
  })

  it('a packet is reported once: acknowledged after it was lost, it counts as spurious', () => {
    const sender = new Sender()
    sender.sendMany(6)
    sender.now = 50
    sender.ack(5, 5)
    sender.ack(0, 5)
    sender.ack(0, 5)
    expect(sender.lost).toEqual([0, 1, 2])
    expect(sender.acked).toEqual([5, 4, 3])
    expect(sender.recovery.counters.spurious).toBe(3)
    expect(sender.recovery.bytesInFlight).toBe(0)
  })

  it('RFC 9000 section 14.4: a lost MTU probe does not reduce the window', () => {
    const sender = new Sender()
    sender.send({ isMtuProbe: true, size: 1400 })
    sender.sendMany(5)
    const window = sender.recovery.congestion.window
    sender.now = 50
    sender.ack(5, 5)
    expect(sender.lost).toEqual([0, 1, 2])
    expect(sender.congestion).toEqual([false])
    const alone = new Sender()
    alone.send({ isMtuProbe: true, size: 1400 })
    alone.sendMany(3)
    alone.now = 50
    alone.ack(1, 3)
    expect(alone.lost).toEqual([0])
    expect(alone.congestion).toEqual([])
    expect(alone.recovery.congestion.window).toBeGreaterThanOrEqual(window)
  })

  it('an ACK-only packet below the largest acknowledged stays known until three later ones are', () => {
    const sender = new Sender()
    sender.send({ ackEliciting: false })
    sender.sendMany(2)
    sender.now = 10
    sender.ack(2, 2)
    sender.ack(0, 2)
    expect(sender.acked).toEqual([2, 1, 0])
    expect(sender.lost).toEqual([])
  })

  it('section 6.4: discarding a space takes its packets out of flight without reporting them', () => {
    const sender = new Sender()
    sender.sendMany(2, { space: Space.initial })
    sender.send({ space: Space.handshake })
    sender.recovery.discardSpace(Space.initial, 0)
    expect(sender.recovery.bytesInFlight).toBe(1200)
    expect([sender.lost, sender.acked]).toEqual([[], []])
    expect(sender.recovery.pool.idle).toBe(2)
    expect(sender.recovery.nextPacketNumber(Space.initial)).toBe(2)
    expect(sender.recovery.hasAckElicitingInFlight(Space.initial)).toBe(false)
    expect(sender.recovery.hasAckElicitingInFlight(Space.handshake)).toBe(true)
  })
})

describe('acknowledgements of packets never sent, RFC 9000 sections 13.1 and 21.4', () => {
  const code = (sender: Sender, ...ranges: [number, number][]) =>
    errorCodeOf(() => sender.recovery.handleAck(Space.application, ackOf(...ranges), 0, sender.now))

  it('above the largest sent is PROTOCOL_VIOLATION', () => {
    const sender = new Sender()
    expect(code(sender, [0, 0])).toBe(TransportErrorCode.PROTOCOL_VIOLATION)
    sender.send()
    expect(code(sender, [0, 1])).toBe(TransportErrorCode.PROTOCOL_VIOLATION)
    expect(sender.acked).toEqual([])
    expect(code(sender, [0, 0])).toBeUndefined()
  })

  it('a number that was skipped is PROTOCOL_VIOLATION, the numbers around it are not', () => {
    const entropy = { fill: (bytes: Uint8Array) => bytes.fill(0) }
    const sender = new Sender({ entropy, skipPeriod: 4 })
    const sent: number[] = []
    for (let i = 0; i < 30; i++) sent.push(sender.send())
    const skipped = Array.from({ length: sent[29] }, (_, n) => n).filter((n) => !sent.includes(n))
    expect(skipped.length).toBeGreaterThan(3)
    for (const n of skipped) {
      expect(code(sender, [n, n])).toBe(TransportErrorCode.PROTOCOL_VIOLATION)
      expect(code(sender, [n + 1, n + 1], [0, n])).toBe(TransportErrorCode.PROTOCOL_VIOLATION)
    }
    const first = skipped[0]
    expect(code(sender, [first + 1, first + 1], [0, first - 1])).toBeUndefined()
    expect(sender.acked).toEqual([first + 1, ...Array.from({ length: first }, (_, i) => first - 1 - i)])
  })

  it('skips become rarer and their numbers are spread', () => {
    let value = 1
    const entropy = {
      fill: (bytes: Uint8Array) => {
        value = (value * 1_103_515_245 + 12_345) % 2 ** 31
        for (let i = 0; i < bytes.length; i++) bytes[i] = (value >>> (8 * i)) & 0xff
      },
    }
    const sender = new Sender({ entropy })
    let last = -1
    let skips = 0
    for (let i = 0; i < 10_000; i++) {
      const n = sender.send({ size: 1 })
      if (n !== last + 1) skips++
      last = n
      sender.ack(n, n)
    }
    expect(skips).toBeGreaterThanOrEqual(2)
    expect(skips).toBeLessThan(12)
  })

  it('Initial and Handshake numbers are never skipped', () => {
    const entropy = { fill: (bytes: Uint8Array) => bytes.fill(0) }
    const sender = new Sender({ entropy, skipPeriod: 1 })
    for (let i = 0; i < 20; i++) expect(sender.send({ space: Space.handshake })).toBe(i)
  })
})

describe('bounded memory of sent packets', () => {
  it('ACK-only packets that nobody acknowledges expire', () => {
    const sender = new Sender()
    for (let i = 0; i < 5000; i++) sender.send({ ackEliciting: false, size: 40 })
    expect(sender.recovery.bytesInFlight).toBe(0)
    expect(sender.recovery.pool.idle).toBeLessThanOrEqual(1)
    sender.now = 5
    sender.ack(0, 4999)
    expect(sender.acked.length).toBeLessThanOrEqual(64)
    expect(sender.recovery.pool.idle).toBeLessThanOrEqual(65)
    expect(sender.recovery.counters.sent).toBe(0)
  })

  it('ACK-only packets expire behind a packet that is in flight', () => {
    const sender = new Sender()
    sender.send()
    for (let i = 0; i < 5000; i++) sender.send({ ackEliciting: false, size: 40 })
    expect(sender.recovery.outstandingAt(Space.application, 0)?.packetNumber).toBe(0)
    sender.now = 5
    sender.ack(0, 5000)
    expect(sender.acked.length).toBeLessThanOrEqual(65)
    expect(sender.acked.at(-1)).toBe(0)
    expect(sender.recovery.bytesInFlight).toBe(0)
  })

  it('a full ring blocks data, and acknowledgements push out the oldest packet as lost', () => {
    const sender = new Sender()
    sender.send()
    for (let i = 0; i < MAX_TRACKED_PACKETS - 2000; i++) sender.send({ ackEliciting: false, size: 40 })
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(false)
    for (let i = 0; i < 1000; i++) sender.send({ ackEliciting: false, size: 40 })
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(true)
    for (let i = 0; i < 1100; i++) sender.send({ ackEliciting: false, size: 40 })
    expect(sender.lost).toEqual([0])
    expect(sender.recovery.bytesInFlight).toBe(0)
    expect(sender.recovery.flight.isCongestionBlocked(1200)).toBe(false)
  })

  it('a released packet holds no reference to what it carried', () => {
    const sender = new Sender()
    const packet = sender.recovery.pool.acquire()
    packet.addEntry(3, { some: 'stream' }, 10, 20, true)
    expect([packet.kinds[0], packet.starts[0], packet.ends[0], packet.fins[0]]).toEqual([3, 10, 20, true])
    sender.recovery.pool.release(packet)
    expect([packet.entryCount, packet.targets[0], packet.packetNumber]).toEqual([0, undefined, -1])
  })
})
