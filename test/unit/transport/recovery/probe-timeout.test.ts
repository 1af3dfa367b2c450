// Probe timeout: RFC 9002 section 6.2, appendices A.8 and A.9, behaviour 16.
import { describe, expect, it } from 'vitest'
import { Space } from '../../../../src/transport/recovery/index.ts'
import { Sender } from './sender.ts'

const NEVER = Number.POSITIVE_INFINITY
const { initial, handshake, application } = Space

describe('probe timeout, RFC 9002 section 6.2', () => {
  it('section 6.2.2: the first timeout is 333 + 4 * 166.5 ms', () => {
    const sender = new Sender()
    expect(sender.recovery.lossDetectionTimer()).toBe(NEVER)
    sender.send({ space: initial })
    expect(sender.recovery.lossDetectionTimer()).toBe(999)
  })

  it('section 6.2.1: counts from the last ack-eliciting packet; ACK-only packets change nothing', () => {
    const sender = new Sender()
    sender.send({ space: handshake })
    sender.now = 100
    sender.send({ space: handshake, ackEliciting: false })
    expect(sender.recovery.lossDetectionTimer()).toBe(999)
    sender.send({ space: handshake })
    expect(sender.recovery.lossDetectionTimer()).toBe(1099)
  })

  it('section 6.2.1: no application data timeout before the handshake is confirmed', () => {
    const sender = new Sender()
    sender.send({ space: application })
    expect(sender.recovery.lossDetectionTimer()).toBe(NEVER)
    sender.recovery.setHandshakeConfirmed(1)
    expect(sender.recovery.lossDetectionTimer()).toBe(999 + 25)
    sender.recovery.setPeerMaxAckDelay(40)
    sender.send({ space: application })
    expect(sender.recovery.lossDetectionTimer()).toBe(999 + 40)
  })

  it('regression: handshake data that responses to early data keep out of the window is probed', () => {
    const sender = new Sender()
    const { recovery } = sender
    sender.sendMany(20, { space: application })
    expect(recovery.flight.isCongestionBlocked(1_200)).toBe(true)
    expect(recovery.lossDetectionTimer()).toBe(NEVER)
    sender.now = 50
    recovery.holdBack(handshake, 50)
    recovery.holdBack(handshake, 60)
    expect(recovery.lossDetectionTimer()).toBe(50 + 999)
    sender.now = 50 + 999
    expect(recovery.handleTimeout(sender.now)).toEqual({ space: handshake, count: 2 })
    sender.send({ space: handshake })
    sender.now = 2_000
    // In flight again: from here on its own probe timer runs.
    recovery.holdBack(handshake, 2_000)
    expect(recovery.lossDetectionTimer()).toBe(50 + 999 + 2 * 999)
    recovery.discardSpace(handshake, 2_000)
    expect(recovery.lossDetectionTimer()).toBe(NEVER)
  })

  it('section 6.2.1: the earliest space with packets in flight is probed', () => {
    const sender = new Sender()
    sender.send({ space: handshake })
    sender.now = 10
    sender.send({ space: initial })
    expect(sender.recovery.lossDetectionTimer()).toBe(999)
    expect(sender.recovery.handleTimeout(999)).toEqual({ space: handshake, count: 2 })
    sender.recovery.discardSpace(handshake, 1000)
    expect(sender.recovery.lossDetectionTimer()).toBe(1009)
    expect(sender.recovery.handleTimeout(1009)).toEqual({ space: initial, count: 2 })
  })

  it('section 6.2.1: each timeout doubles the next; an acknowledgement resets', () => {
    const sender = new Sender()
    sender.send({ space: initial })
    let timer = sender.recovery.lossDetectionTimer()
    for (const factor of [2, 4, 8]) {
      sender.now = timer
      expect(sender.recovery.handleTimeout(timer)?.count).toBe(2)
      expect(sender.lost).toEqual([])
      sender.send({ space: initial })
      timer = sender.recovery.lossDetectionTimer()
      expect(timer).toBe(sender.now + 999 * factor)
    }
    expect([sender.recovery.ptoCount, sender.recovery.counters.ptos]).toEqual([3, 3])
    sender.now += 100
    sender.ack(3, 3, { space: initial })
    expect(sender.recovery.ptoCount).toBe(0)
  })

  it('a timeout before its time does nothing', () => {
    const sender = new Sender()
    sender.send({ space: initial })
    expect(sender.recovery.handleTimeout(998)).toBeUndefined()
    expect(sender.recovery.ptoCount).toBe(0)
  })

  it('section 6.4: discarding keys resets the backoff', () => {
    const sender = new Sender()
    sender.send({ space: initial })
    sender.send({ space: handshake })
    sender.recovery.handleTimeout(999)
    sender.recovery.discardSpace(initial, 1000)
    expect(sender.recovery.ptoCount).toBe(0)
    expect(sender.recovery.lossDetectionTimer()).toBe(999)
  })

  it('section 6.2.4: a probe may repeat the oldest outstanding packets', () => {
    const sender = new Sender()
    sender.send()
    sender.send({ ackEliciting: false })
    sender.send()
    expect(sender.recovery.outstandingAt(application, 0)?.packetNumber).toBe(0)
    expect(sender.recovery.outstandingAt(application, 1)?.packetNumber).toBe(2)
    expect(sender.recovery.outstandingAt(application, 2)).toBeUndefined()
  })

  it('ptoInterval has no backoff, and max_ack_delay for application data only', () => {
    const sender = new Sender()
    sender.send({ space: initial })
    sender.recovery.handleTimeout(999)
    expect(sender.recovery.ptoInterval(handshake)).toBe(999)
    expect(sender.recovery.ptoInterval(application)).toBe(1024)
  })
})

describe('address validation and the timer, RFC 9002 section 6.2.2.1', () => {
  it('a server blocked by the amplification limit sets no timer and resumes afterwards', () => {
    const sender = new Sender()
    sender.send({ space: initial })
    sender.recovery.setAntiAmplificationBlocked(true, 1)
    expect(sender.recovery.lossDetectionTimer()).toBe(NEVER)
    expect(sender.recovery.handleTimeout(5000)).toBeUndefined()
    sender.recovery.setAntiAmplificationBlocked(false, 5000)
    expect(sender.recovery.lossDetectionTimer()).toBe(999)
    expect(sender.recovery.handleTimeout(5000)).toEqual({ space: initial, count: 2 })
  })

  it('a client with nothing in flight probes: Initial first, Handshake once it has the keys', () => {
    const sender = new Sender({ role: 'client' })
    sender.send({ space: initial })
    sender.now = 100
    sender.ack(0, 0, { space: initial })
    expect(sender.recovery.lossDetectionTimer()).toBe(100 + 300)
    expect(sender.recovery.handleTimeout(400)).toEqual({ space: initial, count: 1 })
    expect(sender.recovery.lossDetectionTimer()).toBe(400 + 600)
    sender.recovery.setHandshakeKeysAvailable()
    expect(sender.recovery.handleTimeout(1000)).toEqual({ space: handshake, count: 1 })
  })

  it('a client whose only data in flight is 0-RTT probes too', () => {
    const sender = new Sender({ role: 'client' })
    sender.send({ space: initial })
    sender.send({ space: application })
    sender.now = 100
    sender.ack(0, 0, { space: initial })
    expect(sender.recovery.lossDetectionTimer()).toBe(400)
    expect(sender.recovery.handleTimeout(400)).toEqual({ space: initial, count: 1 })
  })

  it('an Initial acknowledgement does not reset the backoff of a client, a Handshake one ends the probing', () => {
    const sender = new Sender({ role: 'client' })
    sender.send({ space: initial })
    sender.recovery.handleTimeout(999)
    sender.now = 1000
    sender.ack(0, 0, { space: initial })
    expect(sender.recovery.ptoCount).toBe(1)
    sender.send({ space: handshake })
    sender.now = 1100
    sender.ack(0, 0, { space: handshake })
    expect(sender.recovery.ptoCount).toBe(0)
    expect(sender.recovery.lossDetectionTimer()).toBe(NEVER)
  })

  it('a client that knows its address is validated stops probing', () => {
    const sender = new Sender({ role: 'client' })
    sender.send({ space: initial })
    sender.now = 10
    sender.ack(0, 0, { space: initial })
    expect(sender.recovery.lossDetectionTimer()).toBeLessThan(NEVER)
    sender.recovery.setPeerAddressValidated(20)
    expect(sender.recovery.lossDetectionTimer()).toBe(NEVER)
  })
})
