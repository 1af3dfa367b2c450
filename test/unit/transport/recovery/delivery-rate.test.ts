// Delivery rate samples (draft-cardwell-iccrg-bbr-congestion-control section 4.5.2.1).
import { describe, expect, it } from 'vitest'
import { AckSample, DeliveryRate, SentPacket } from '../../../../src/transport/recovery/index.ts'

class Path {
  readonly rate = new DeliveryRate()
  readonly sample = new AckSample()
  inFlight = 0

  send(now: number, size = 1_000): SentPacket {
    const packet = new SentPacket()
    packet.size = size
    packet.inFlight = true
    packet.timeSent = now
    this.rate.onPacketSent(packet, this.inFlight, now)
    this.inFlight += size
    return packet
  }

  acknowledge(now: number, ...packets: SentPacket[]): AckSample {
    this.sample.begin(now, this.inFlight)
    this.rate.onAcked(packets, packets.length, 0, this.sample)
    for (const packet of packets) this.inFlight -= packet.size
    return this.sample
  }
}

describe('delivery rate', () => {
  it('is what was delivered between two packets, over the time it took', () => {
    const path = new Path()
    const packets = [0, 10, 20, 30, 40].map((now) => path.send(now))
    path.acknowledge(50, packets[0])
    path.acknowledge(60, packets[1])
    const next = path.send(60)
    path.acknowledge(70, packets[2])
    path.acknowledge(80, packets[3])
    expect(path.acknowledge(110, next).deliveryRate).toBeCloseTo(3_000 / 50, 9)
  })

  it('takes the longer of the sending and the receiving interval: compressed ACKs do not make a path fast', () => {
    const path = new Path()
    const packets = [0, 10, 20, 30].map((now) => path.send(now))
    const sample = path.acknowledge(40, packets[3], packets[2], packets[1], packets[0])
    expect(sample.deliveryRate).toBe(4_000 / 40)
    expect(sample.acked).toBe(4_000)
  })

  it('an interval shorter than the minimum round trip gives no sample', () => {
    const path = new Path()
    const packet = path.send(0)
    path.sample.begin(5, 1_000)
    path.rate.onAcked([packet], 1, 50, path.sample)
    expect(path.sample.deliveryRate).toBe(0)
    expect(path.sample.totalDelivered).toBe(1_000)
  })

  it('samples of a sender without data are marked until what was in flight then has been delivered', () => {
    const path = new Path()
    const first = path.send(0)
    path.rate.markAppLimited(path.inFlight)
    const second = path.send(10)
    expect(path.acknowledge(50, first).isAppLimited).toBe(false)
    expect(path.acknowledge(60, second).isAppLimited).toBe(true)
    const third = path.send(70)
    expect(third.isAppLimited).toBe(false)
  })

  it('tells what was in flight and what was lost since the newest packet was sent', () => {
    const path = new Path()
    const first = path.send(0)
    const second = path.send(1)
    path.rate.onLost(first.size)
    const sample = path.acknowledge(50, second)
    expect(sample.txInFlight).toBe(2_000)
    expect(sample.lostSinceSent).toBe(1_000)
  })
})
