// The numbers of one connection: metrics() tells what recovery, path and streams know.
import { describe, expect, it } from 'vitest'
import { Pair } from './pair.ts'

describe('metrics()', () => {
  it('is a plain object of times, sizes and counts', () => {
    const pair = new Pair({ server: { congestion: 'bbr', ecn: true } }).handshake()
    const { client, server } = pair
    const stream = client.connection.openStream('bidi')!
    stream.application = client.application
    stream.write(Buffer.alloc(50_000))
    stream.end()
    pair.run(1_000)
    const metrics = client.connection.metrics()
    expect(JSON.parse(JSON.stringify(metrics)).congestionController).toBe('cubic')
    expect(metrics.smoothedRtt).toBeCloseTo(20, 0)
    expect(metrics.minRtt).toBeGreaterThanOrEqual(20)
    expect(metrics.bytesAcknowledged).toBeGreaterThan(50_000)
    expect(metrics.bytesSent).toBe(pair.bytesSent.toServer)
    // Packets of a space whose keys are gone are neither acknowledged nor lost.
    expect(metrics.packetsSent - metrics.packetsAcknowledged).toBeLessThan(3)
    expect([metrics.packetsLost, metrics.bytesLost, metrics.probeTimeouts]).toEqual([0, 0, 0])
    expect([metrics.maxDatagramSize, metrics.pathMtuState]).toEqual([1_200, 'disabled'])
    expect(server.connection.metrics().congestionController).toBe('bbr')
    expect(server.connection.metrics().congestionPhase).toBe('startup')
    expect(server.connection.metrics().ecnState).toBe('capable')
  })

  it('losses, probe timeouts and spurious losses are counted', () => {
    const pair = new Pair().handshake()
    const { client } = pair
    pair.drop = (index, toServer) => toServer && index % 7 === 0
    const stream = client.connection.openStream('bidi')!
    stream.application = client.application
    stream.write(Buffer.alloc(100_000))
    stream.end()
    pair.run(5_000)
    const metrics = client.connection.metrics()
    expect(metrics.packetsLost).toBeGreaterThan(5)
    expect(metrics.bytesLost).toBeGreaterThan(5 * 1_000)
    expect(metrics.slowStartThreshold).toBeLessThan(Number.POSITIVE_INFINITY)
    expect(metrics.bytesInFlight).toBe(0)
  })
})
