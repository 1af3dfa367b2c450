// Keep-alive: a PING in time, so that the idle timeout does not end a connection that is wanted (RFC 9000 section
// 10.1.2).
import { describe, expect, test } from 'vitest'
import { Pair } from './pair.ts'

const IDLE = { maxIdleTimeout: 2_000 }

function packetsIn(pair: Pair, time: number): number {
  const before = pair.sent.toServer
  pair.run(time)
  return pair.sent.toServer - before
}

describe('keep-alive (RFC 9000 section 10.1.2)', () => {
  test('without it an idle connection ends', () => {
    const pair = new Pair({ client: IDLE, server: IDLE }).handshake()
    pair.run(5_000)
    expect(pair.client.application.closing?.cause).toBe('idle')
    expect(pair.server.application.closing?.cause).toBe('idle')
  })

  test('with it the connection stays, at one exchange per interval', () => {
    const pair = new Pair({ client: { ...IDLE, keepAlive: 500 }, server: IDLE }).handshake()
    expect(packetsIn(pair, 10_000)).toBeLessThanOrEqual(20)
    expect([pair.client.connection.isEnding, pair.server.connection.isEnding]).toEqual([false, false])
  })

  test('nothing is added while there is traffic', () => {
    const quiet = new Pair({ client: IDLE, server: IDLE }).handshake()
    const kept = new Pair({ client: { ...IDLE, keepAlive: 500 }, server: IDLE }).handshake()
    const counts = [quiet, kept].map((pair) => {
      const stream = pair.client.connection.openStream('bidi')!
      stream.application = pair.client.application
      const before = pair.sent.toServer
      for (let i = 0; i < 20; i++) {
        stream.write(Buffer.alloc(10))
        pair.run(300)
      }
      return pair.sent.toServer - before
    })
    expect(counts[1]).toBe(counts[0])
  })

  test('an interval that is longer than the idle timeout is cut to half of it', () => {
    const pair = new Pair({ client: { keepAlive: 60_000 }, server: IDLE }).handshake()
    pair.run(10_000)
    expect(pair.server.connection.isEnding).toBe(false)
  })

  test('a peer that is gone is still found out: probes that nobody answers do not count', () => {
    const pair = new Pair({ client: { ...IDLE, keepAlive: 500 }, server: IDLE }).handshake()
    pair.drop = () => true
    pair.run(6_000)
    expect(pair.client.application.closing?.cause).toBe('idle')
  })

  test('also a server may keep its clients', () => {
    const pair = new Pair({ client: IDLE, server: { ...IDLE, keepAlive: 700 } }).handshake()
    pair.run(10_000)
    expect([pair.client.connection.isEnding, pair.server.connection.isEnding]).toEqual([false, false])
  })
})
