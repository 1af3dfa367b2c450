// Attacks on a connection that no other file of this folder makes, by row of the table in docs/limits.md.
import { describe, expect, test } from 'vitest'
import { MAX_UNDECRYPTABLE_PACKETS } from '../../src/transport/connection/index.ts'
import { MAX_POST_HANDSHAKE_MESSAGE_BYTES } from '../../src/transport/tls/limits.ts'
import { TransportErrorCode } from '../../src/transport/wire/index.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, ScriptedPeer } from './scripted-peer.ts'

const NOTHING = new Uint8Array(0)
const established = (options: ScriptedOptions = {}) => new ScriptedPeer(options).handshake()

describe('row 34: CRYPTO frames that bring nothing', () => {
  test('empty and repeated ones leave nothing behind, and end nothing', () => {
    const peer = established()
    const { receive } = peer.connection.spaces[2].crypto
    for (let i = 0; i < 2_000; i++) {
      peer.deliver(
        peer.packet(Level.application, frame.bytesOf(frame.crypto(0, NOTHING), frame.crypto(0, NOTHING))),
      )
    }
    peer.collect()
    expect(receive.highest).toBe(0)
    expect(peer.connection.isEnding).toBe(false)
  })
})

describe('row 35: packets before their keys', () => {
  test('thousands of them are a handful', () => {
    const peer = new ScriptedPeer()
    peer.start()
    peer.flush()
    for (let i = 0; i < 3_000; i++) peer.deliver(peer.packet(Level.application, frame.padding(30)))
    expect(peer.connection.receiver.undecryptableCount).toBe(MAX_UNDECRYPTABLE_PACKETS)
  })
})

describe('rows 29 and 30: messages after the handshake (CVE-2023-39322, CVE-2023-39321)', () => {
  const ticket = frame.bytesOf(
    Uint8Array.of(4, 0, 0, 30),
    new Uint8Array(20),
    Uint8Array.of(0, 4),
    new Uint8Array(6),
    Uint8Array.of(0, 0),
  )

  test('one that declares more than the cap is refused by its header alone', () => {
    const peer = established({ role: 'server' })
    const length = MAX_POST_HANDSHAKE_MESSAGE_BYTES + 1
    peer.send(Level.application, frame.crypto(0, Uint8Array.of(4, 0, length >> 8, length & 0xff)))
    expect(peer.close!.code).toBeGreaterThanOrEqual(0x100)
    expect(peer.connection.receiveBufferedBytes).toBe(0)
  })

  test('half of one waits for the rest, wherever it was cut, and may never come', () => {
    for (let cut = 1; cut < ticket.length; cut++) {
      const peer = established({ role: 'server' })
      const at = peer.spaces[2].cryptoSent
      peer.send(Level.application, frame.crypto(at, ticket.subarray(0, cut)))
      expect(peer.connection.isEnding).toBe(false)
      peer.connection.close(0, '', { application: true })
      peer.connection.abandon()
      expect(peer.connection.stats.internalErrors).toBe(0)
    }
  })
})

describe('rows 69 and 70: streams beyond the limit (GHSA-475v-pq2g-fp9g, lsquic #654)', () => {
  test.each([
    ['STREAM', frame.stream(40, 0, 'x')],
    ['RESET_STREAM', frame.resetStream(40, 0, 0)],
    ['STOP_SENDING', frame.stopSending(40, 0)],
    ['MAX_STREAM_DATA', frame.maxStreamData(40, 10)],
    ['STREAM_DATA_BLOCKED', frame.bytesOf(0x15, 40, 10)],
  ])('%s opens none', (_name, bytes) => {
    const peer = established({ settings: { initialMaxStreamsBidi: 10 } })
    peer.send(Level.application, bytes)
    expect(peer.close).toMatchObject({ code: TransportErrorCode.STREAM_LIMIT_ERROR })
    expect(peer.end.supervisor.started).toBe(0)
  })
})

describe('rows 37 and 47: what is closed twice', () => {
  test('is closed once', () => {
    const peer = established()
    const { connection } = peer
    for (let i = 0; i < 3; i++) connection.close(i, 'again', { application: true })
    peer.collect()
    expect(peer.close).toMatchObject({ code: 0 })
    for (let i = 0; i < 3; i++) connection.abandon()
    connection.handleTimeout(1e9)
    expect(connection.isClosed).toBe(true)
    expect(connection.updateKeys()).toBe(false)
    expect(peer.end.supervisor.missed).toEqual([])
    expect(connection.stats.internalErrors).toBe(0)
  })
})

describe('row 80: CVE-2026-14586, a clock that steps back', () => {
  test('harms nothing', () => {
    const peer = established()
    peer.advance(1_000)
    const stream = peer.connection.openStream('uni')!
    stream.write(new Uint8Array(20_000))
    for (let i = 0; i < 50; i++) {
      peer.now = 1_000 + (i % 2 === 0 ? -400 : 300) + i
      peer.send(Level.application, frame.ping(), frame.stream(0, i, 'x'))
      peer.connection.handleTimeout(peer.now)
      peer.collect()
      peer.acknowledge()
    }
    peer.now = 3_000
    peer.advance(2_000)
    expect(peer.connection.isEnding).toBe(false)
    expect(peer.connection.stats.internalErrors).toBe(0)
    expect(peer.end.application.bytes(0).length).toBe(50)
  })
})
