// Round-trip time: RFC 9002 section 5, behaviour 17.
import { describe, expect, it } from 'vitest'
import { RttEstimator, Space } from '../../../../src/transport/recovery/index.ts'
import { Sender } from './sender.ts'

describe('RTT estimation, RFC 9002 section 5', () => {
  it('section 5.3: the first sample sets everything, later ones are averaged', () => {
    const rtt = new RttEstimator()
    expect([rtt.smoothed, rtt.variance, rtt.hasSample]).toEqual([333, 166.5, false])
    rtt.update(100, 30, 5)
    expect([rtt.smoothed, rtt.variance, rtt.min, rtt.latest]).toEqual([100, 50, 100, 100])
    expect(rtt.firstSampleTime).toBe(5)
    rtt.update(180, 20, 9)
    expect(rtt.variance).toBe((3 * 50 + Math.abs(100 - 160)) / 4)
    expect(rtt.smoothed).toBe((7 * 100 + 160) / 8)
    expect(rtt.firstSampleTime).toBe(5)
  })

  it('section 5.3: the delay is not subtracted below min_rtt', () => {
    const rtt = new RttEstimator()
    rtt.update(100, 0, 0)
    rtt.update(110, 20, 1)
    expect(rtt.smoothed).toBe((7 * 100 + 110) / 8)
    expect(rtt.min).toBe(100)
  })

  it('section 5.1: no sample when the largest acknowledged is not newly acknowledged', () => {
    const sender = new Sender()
    sender.sendMany(3)
    sender.now = 100
    sender.ack(2, 2)
    expect(sender.recovery.rtt.latest).toBe(100)
    sender.now = 500
    sender.ack(0, 2)
    expect(sender.acked).toEqual([2, 1, 0])
    expect(sender.recovery.rtt.latest).toBe(100)
  })

  it('section 5.1: no sample when nothing ack-eliciting is newly acknowledged', () => {
    const sender = new Sender()
    sender.send()
    sender.send({ ackEliciting: false })
    sender.now = 50
    sender.ack(1, 1)
    expect(sender.recovery.rtt.hasSample).toBe(false)
    sender.send({ ackEliciting: false })
    sender.now = 80
    sender.ack(0, 2)
    expect(sender.recovery.rtt.latest).toBe(30)
  })

  it('section 5.3: ack delay is clamped to max_ack_delay after confirmation only', () => {
    const measure = (isConfirmed: boolean) => {
      const sender = new Sender()
      if (isConfirmed) sender.recovery.setHandshakeConfirmed(0)
      sender.recovery.setPeerMaxAckDelay(10)
      sender.send()
      sender.now = 100
      sender.ack(0, 0)
      sender.send()
      sender.now = 300
      sender.ack(1, 1, { delay: 40 })
      return sender.recovery.rtt.smoothed
    }
    expect(measure(true)).toBe((7 * 100 + 190) / 8)
    expect(measure(false)).toBe((7 * 100 + 160) / 8)
  })

  it('section 5.3: ack delay of Initial packets is ignored', () => {
    const sender = new Sender()
    sender.send({ space: Space.initial })
    sender.now = 100
    sender.ack(0, 0, { space: Space.initial })
    sender.send({ space: Space.initial })
    sender.now = 300
    sender.ack(1, 1, { space: Space.initial, delay: 50 })
    expect(sender.recovery.rtt.smoothed).toBe((7 * 100 + 200) / 8)
  })
})
