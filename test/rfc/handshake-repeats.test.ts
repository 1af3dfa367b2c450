// The handshake over paths that lose much (RFC 9002 sections 6.2.3 and 6.2.4). Found in the simulator with the interop
// runner's 30 % loss: of 50 handshakes in a row, one in three runs had one that took longer than ten seconds.
import { describe, expect, test } from 'vitest'
import { MAX_HANDSHAKE_REPEATS } from '../../src/transport/connection/index.ts'
import { FrameType } from '../../src/transport/wire/index.ts'
import { Pair } from '../unit/transport/connection/pair.ts'
import * as frame from './frame-bytes.ts'
import { Level, ScriptedPeer } from './scripted-peer.ts'

/** A client that has sent its ClientHello, got the server's flight, and keeps silent about it. */
function silentClient(): ScriptedPeer {
  const peer = new ScriptedPeer({ autoAck: false })
  peer.start()
  peer.flush()
  expect(peer.frames(FrameType.crypto, Level.handshake).length).toBeGreaterThan(0)
  peer.packets.length = 0
  return peer
}

/** Levels of the CRYPTO frames in each datagram that has any. */
function cryptoLevels(peer: ScriptedPeer): number[][] {
  const datagrams = new Map<number, number[]>()
  for (const { datagram, level, frames } of peer.packets) {
    if (!frames.some(({ type }) => type === FrameType.crypto)) continue
    datagrams.set(datagram, [...(datagrams.get(datagram) ?? []), level])
  }
  return [...datagrams.values()]
}

describe('probes of several packet-number spaces (RFC 9002 section 6.2.4)', () => {
  test('what the server has in flight in both goes out at once, together where there is room', () => {
    const peer = silentClient()
    peer.advance(1_100)
    expect(cryptoLevels(peer)).toContainEqual([Level.initial, Level.handshake])
    expect(new Set(peer.packets.map(({ at }) => at)).size).toBe(1)
  })

  test('a client repeats its request with its Finished', () => {
    const pair = new Pair()
    let isDark = false
    pair.drop = (_index, toServer) => toServer && isDark
    pair.run(30, () => pair.client.application.isComplete)
    expect(pair.client.application.isComplete).toBe(true)
    const stream = pair.client.connection.openStream('bidi')!
    stream.write(Buffer.from('question'))
    stream.end()
    isDark = true
    pair.flush(pair.client)
    isDark = false
    expect(pair.server.application.received.size).toBe(0)
    // The first probe of the handshake: one for application data is not allowed before the server has confirmed it.
    pair.run(150)
    expect(pair.server.application.bytes(0).toString()).toBe('question')
  })
})

describe('a peer that repeats itself (RFC 9002 section 6.2.3)', () => {
  test.each([
    ['PING', frame.ping()],
    ['CRYPTO bytes that were there', frame.crypto(0, new Uint8Array(8))],
  ])('by %s gets what it may miss before the probe timeout', (_what, bytes) => {
    const peer = silentClient()
    peer.advance(20)
    expect(cryptoLevels(peer)).toEqual([])
    peer.send(Level.initial, bytes)
    expect(cryptoLevels(peer).flat()).toEqual(expect.arrayContaining([Level.initial, Level.handshake]))
  })

  test('a few times only', () => {
    const peer = silentClient()
    for (let i = 0; i < MAX_HANDSHAKE_REPEATS + 5; i++) {
      peer.packets.length = 0
      peer.send(Level.initial, frame.ping())
      expect(cryptoLevels(peer).length > 0).toBe(i < MAX_HANDSHAKE_REPEATS)
    }
  })

  test('and never more than the 3x limit allows (RFC 9000 section 8.1)', () => {
    const peer = silentClient()
    for (let i = 0; i < 20; i++) {
      peer.send(Level.initial, frame.ping())
      expect(peer.bytesReceived).toBeLessThanOrEqual(3 * peer.bytesSent)
    }
  })
})
