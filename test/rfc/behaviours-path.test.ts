// Behaviour 23 of the catalogue: path MTU discovery between two whole connections (RFC 9000 sections 14.3, 14.4).
import { describe, expect, test } from 'vitest'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import type { TestEnd } from '../unit/transport/connection/pair.ts'
import { PAIRS } from './endpoint-pair.ts'

describe.each(PAIRS)('between a client and %s', (_side, Ends) => {
  const LARGE_WINDOWS = { initialMaxData: 8_000_000, initialMaxStreamDataUni: 8_000_000 }

  interface PathOptions {
    server?: Partial<TransportSettings>
    client?: Partial<TransportSettings>
  }

  /** A pair whose server looks for the path's MTU; `carries` is what the path to the client lets through, bytes. */
  class PathPair extends Ends {
    carries = 1_500
    readonly tooLarge: number[] = []
    largest = 0

    constructor({ server = {}, client = {} }: PathOptions = {}) {
      super({ server: { pathMtuDiscovery: true, ...server }, client: { ...LARGE_WINDOWS, ...client } })
      this.drop = (_index, toServer, bytes) => {
        if (toServer) return false
        this.largest = Math.max(this.largest, bytes.length)
        if (bytes.length <= this.carries) return false
        this.tooLarge.push(bytes.length)
        return true
      }
      this.handshake()
    }

    /** The server sends `bytes` on a stream; returns the time until the client has them all. */
    transfer(bytes: number, limit = 60_000): number {
      const start = this.now
      const stream = this.server.connection.openStream('uni')!
      stream.application = this.server.application
      stream.write(Buffer.alloc(bytes, 7))
      stream.end()
      this.run(limit, () => this.client.application.finished.has(stream.id))
      expect(this.client.application.bytes(stream.id).equals(Buffer.alloc(bytes, 7))).toBe(true)
      return this.now - start
    }
  }

  function mtuOf(end: TestEnd) {
    return end.connection.mtu
  }

  describe('23 DPLPMTUD (RFC 8899, RFC 9000 sections 14.3 and 14.4)', () => {
    test('a transfer finds 1,452 bytes, and path, congestion control and datagrams follow', () => {
      const pair = new PathPair()
      pair.transfer(300_000)
      expect(mtuOf(pair.server).current).toBe(1_452)
      expect(pair.server.connection.path.maxDatagramSize).toBe(1_452)
      expect(pair.largest).toBe(1_452)
    })

    test('nothing is probed before the handshake is confirmed, nor for a short exchange', () => {
      const pair = new PathPair()
      pair.transfer(5_000)
      expect(mtuOf(pair.server).counters.probes).toBe(0)
      expect(pair.largest).toBe(1_200)
    })

    test('lost probes do not reduce the congestion window', () => {
      const pair = new PathPair()
      pair.carries = 1_200
      pair.transfer(3_000_000)
      expect(mtuOf(pair.server).counters.probesLost).toBeGreaterThan(2)
      const { recovery } = pair.server.connection
      expect(recovery.congestion.ssthresh).toBe(Number.POSITIVE_INFINITY)
      expect(recovery.counters.lost).toBe(0)
      expect(recovery.counters.persistentCongestion).toBe(0)
      expect(mtuOf(pair.server).current).toBe(1_200)
    })

    test('a path in between is found to within 20 bytes', () => {
      const pair = new PathPair()
      pair.carries = 1_337
      for (let i = 0; i < 20; i++) pair.transfer(100_000)
      expect(mtuOf(pair.server).state).toBe('complete')
      expect(mtuOf(pair.server).current).toBeGreaterThanOrEqual(1_317)
      expect(mtuOf(pair.server).current).toBeLessThanOrEqual(1_337)
    })

    test('the peer never gets more than its max_udp_payload_size', () => {
      const pair = new PathPair()
      mtuOf(pair.server).setPeerLimit(1_250)
      pair.transfer(300_000)
      expect(pair.largest).toBe(1_250)
    })

    test('maxDatagramSize bounds the search, and 1,500 bounds maxDatagramSize', () => {
      const bounded = new PathPair({ server: { maxDatagramSize: 1_300 } })
      bounded.transfer(300_000)
      expect(bounded.largest).toBe(1_300)
      const jumbo = new PathPair({ server: { maxDatagramSize: 9_000 } })
      jumbo.carries = 9_000
      jumbo.transfer(300_000)
      expect(jumbo.largest).toBe(1_500)
    })

    test('a black hole in the middle of a transfer: falls back to 1,200 and repairs itself', () => {
      const pair = new PathPair()
      pair.transfer(300_000)
      pair.carries = 1_300
      const time = pair.transfer(300_000)
      expect(time).toBeLessThan(3_000)
      expect(mtuOf(pair.server).counters.blackHoles).toBe(1)
      pair.transfer(600_000)
      // The search began again and found what the path carries now.
      expect(mtuOf(pair.server).current).toBeGreaterThan(1_270)
      expect(mtuOf(pair.server).current).toBeLessThanOrEqual(1_300)
    })

    test('plain loss is no black hole', () => {
      const pair = new PathPair()
      pair.transfer(300_000)
      const { drop } = pair
      pair.drop = (index, toServer, bytes, mark) => index % 20 === 0 || drop(index, toServer, bytes, mark)
      pair.transfer(600_000)
      expect(mtuOf(pair.server).counters.blackHoles).toBe(0)
      expect(mtuOf(pair.server).current).toBe(1_452)
    })

    test('a new path starts with 1,200 bytes again', () => {
      const pair = new PathPair()
      pair.transfer(300_000)
      mtuOf(pair.server).reset()
      expect(pair.server.connection.path.maxDatagramSize).toBe(1_200)
    })

    test('datagrams that no longer fit are dropped instead of blocking the others (RFC 9221 section 5)', () => {
      const pair = new PathPair({ client: { maxDatagramFrameSize: 65_535 } })
      pair.transfer(300_000)
      const { connection } = pair.server
      const fates: string[] = []
      const watcher = { handleDatagramFate: (fate: string) => fates.push(fate) }
      connection.sendDatagram(new Uint8Array(1_400), watcher)
      connection.sendDatagram(new Uint8Array(100), watcher)
      mtuOf(pair.server).reset()
      expect(fates).toEqual(['dropped'])
      pair.run(500)
      expect(fates).toEqual(['dropped', 'sent', 'acknowledged'])
    })
  })
})
