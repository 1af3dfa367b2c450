// Behaviours 10 to 12 and 15 of the catalogue: coalesced, early and malformed packets, and the end of keys.
import { describe, expect, test } from 'vitest'
import {
  type ConnectionOptions,
  MAX_UNDECRYPTABLE_BYTES,
  MAX_UNDECRYPTABLE_PACKETS,
} from '../../src/transport/connection/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  /** A client that has its Finished ready, but has not sent it. */
  function withFinishedHeldBack(): [peer: ScriptedPeer, finished: Uint8Array] {
    const peer = new Peer()
    peer.start()
    peer.flush()
    return [peer, peer.takeCrypto()[0].bytes]
  }

  describe('10 coalesced packets (RFC 9000 section 12.2)', () => {
    test('one that cannot be opened does not keep the others from being processed', () => {
      const [peer, finished] = withFinishedHeldBack()
      const broken = peer.packet(Level.handshake, frame.bytesOf(frame.ping(), frame.padding(20)))
      broken[broken.length - 1] ^= 1
      peer.sendDatagram(broken, peer.packet(Level.handshake, frame.crypto(0, finished)))
      expect(peer.end.application.isComplete).toBe(true)
      expect(peer.connection.stats.undecryptable).toBe(1)
    })

    test('one of another connection is dropped, with all that follow it', () => {
      const [peer, finished] = withFinishedHeldBack()
      const foreign = peer.packet(Level.handshake, frame.crypto(0, finished), { dcid: new Uint8Array(8) })
      peer.sendDatagram(peer.packet(Level.handshake, frame.bytesOf(frame.ping(), frame.padding(3))), foreign)
      expect(peer.end.application.isComplete).toBe(false)
      expect(peer.frames(0x02, Level.handshake)).toHaveLength(1)
    })

    test('bytes behind the last packet are ignored', () => {
      const [peer, finished] = withFinishedHeldBack()
      peer.sendDatagram(peer.packet(Level.handshake, frame.crypto(0, finished)), new Uint8Array(100))
      expect(peer.end.application.isComplete).toBe(true)
    })

    test('another version in the same datagram is dropped', () => {
      const [peer, finished] = withFinishedHeldBack()
      peer.sendDatagram(peer.packet(Level.handshake, frame.crypto(0, finished), { version: 0x6b3343cf }))
      expect(peer.end.application.isComplete).toBe(false)
      expect(peer.connection.isEnding).toBe(false)
    })

    test('a changed source connection ID is dropped (RFC 9000 section 7.2)', () => {
      const [peer, finished] = withFinishedHeldBack()
      peer.sendDatagram(peer.packet(Level.handshake, frame.crypto(0, finished), { scid: new Uint8Array(8) }))
      expect(peer.end.application.isComplete).toBe(false)
      peer.sendDatagram(peer.packet(Level.handshake, frame.crypto(0, finished)))
      expect(peer.end.application.isComplete).toBe(true)
    })
  })

  describe('11 1-RTT packets before the handshake is complete (RFC 9001 section 5.7)', () => {
    test('are kept, and processed when it is', () => {
      const [peer, finished] = withFinishedHeldBack()
      peer.send(Level.application, frame.stream(0, 0, 'early', true))
      expect(peer.end.application.accepted).toEqual([])
      expect(peer.frames(0x02, Level.application)).toEqual([])
      peer.send(Level.handshake, frame.crypto(0, finished))
      expect(peer.end.application.bytes(0).toString()).toBe('early')
    })

    test('are kept up to a number', () => {
      const [peer, finished] = withFinishedHeldBack()
      for (let i = 0; i < 50; i++) peer.send(Level.application, frame.stream(0, i, 'x'))
      expect(peer.connection.receiver.undecryptableCount).toBe(MAX_UNDECRYPTABLE_PACKETS)
      peer.send(Level.handshake, frame.crypto(0, finished))
      expect(peer.end.application.bytes(0).length).toBe(MAX_UNDECRYPTABLE_PACKETS)
      expect(peer.connection.receiver.undecryptableCount).toBe(0)
    })

    test('are kept up to a number of bytes', () => {
      const [peer] = withFinishedHeldBack()
      for (let i = 0; i < 3; i++) peer.send(Level.application, frame.padding(10_000))
      expect(peer.connection.receiver.undecryptableCount).toBe(Math.floor(MAX_UNDECRYPTABLE_BYTES / 10_000))
    })

    test('wait for a certificate that is still being judged, and need no other datagram then', () => {
      let accept: (() => void) | undefined
      const connection: Partial<ConnectionOptions> = {
        tls: { alpn: ['test'], serverName: 'localhost', verifyCertificate: true },
        verifyCertificate: (_request, done) => {
          accept = () => done(true)
        },
      }
      const peer = new Peer({ role: 'server', connection })
      peer.start()
      peer.flush()
      peer.send(Level.application, frame.stream(1, 0, 'hello', true))
      expect(peer.end.application.accepted).toEqual([])
      accept!()
      peer.collect()
      expect(peer.end.application.isComplete).toBe(true)
      expect(peer.end.application.bytes(1).toString()).toBe('hello')
    })
  })

  describe('12 reserved bits (RFC 9000 section 17.2)', () => {
    test.each([Level.handshake, Level.application])(
      'of a packet of level %i that is not authentic mean nothing',
      (level) => {
        const peer = level === Level.handshake ? withFinishedHeldBack()[0] : new Peer().handshake()
        const packet = peer.packet(level, frame.bytesOf(frame.ping(), frame.padding(20)), {
          firstByteBits: 0x08,
        })
        packet[packet.length - 1] ^= 1
        peer.sendDatagram(packet)
        expect(peer.connection.isEnding).toBe(false)
        expect(peer.connection.stats.undecryptable).toBe(1)
      },
    )
  })

  describe('15 keys that have served are discarded (RFC 9001 section 4.9, RFC 9002 section 6.4)', () => {
    test('Initial keys of a server: with the first Handshake packet it processes', () => {
      const peer = new Peer({ autoAck: false })
      peer.start()
      peer.flush()
      const { connection } = peer
      expect(connection.spaces[0].isDiscarded).toBe(false)
      peer.send(Level.handshake, frame.ping())
      expect(connection.spaces[0].isDiscarded).toBe(true)
      expect(connection.recovery.hasAckElicitingInFlight(0)).toBe(false)
      const before = connection.stats.packetsReceived
      peer.send(Level.initial, frame.ping())
      expect(connection.stats.packetsReceived).toBe(before)
    })

    test('Initial keys of a client: with the first Handshake packet it sends', () => {
      const peer = new Peer({ role: 'server', autoAck: false })
      peer.start()
      const { connection } = peer
      peer.flush()
      expect(peer.packets.some((packet) => packet.level === Level.handshake)).toBe(true)
      expect(connection.spaces[0].isDiscarded).toBe(true)
      expect(connection.recovery.hasAckElicitingInFlight(0)).toBe(false)
    })

    test('Handshake keys of a server: when the handshake is complete', () => {
      const peer = new Peer().handshake()
      expect(peer.connection.spaces[1].isDiscarded).toBe(true)
      expect(peer.connection.recovery.hasAckElicitingInFlight(1)).toBe(false)
    })

    test('Handshake keys of a client: with HANDSHAKE_DONE', () => {
      const peer = new Peer({ role: 'server', autoAck: false }).handshake()
      const { connection } = peer
      expect(connection.spaces[1].isDiscarded).toBe(false)
      expect(connection.recovery.bytesInFlight).toBeGreaterThan(0)
      peer.send(Level.application, frame.handshakeDone())
      expect(connection.spaces[1].isDiscarded).toBe(true)
      expect(connection.recovery.hasAckElicitingInFlight(1)).toBe(false)
    })

    test('nothing of either counts as in flight afterwards', () => {
      const peer = new Peer().handshake()
      peer.advance(100)
      expect(peer.connection.recovery.bytesInFlight).toBe(0)
      expect(peer.connection.recovery.lossDetectionTimer()).toBe(Number.POSITIVE_INFINITY)
    })

    test('frames behind the one that completes the handshake meet a space that is gone', () => {
      const [peer, finished] = withFinishedHeldBack()
      peer.send(Level.handshake, frame.crypto(0, finished), frame.ack(0), frame.ping())
      expect(peer.end.application.isComplete).toBe(true)
      expect(peer.connection.isEnding).toBe(false)
      expect(peer.connection.stats.internalErrors).toBe(0)
    })
  })

  test('a client drops an Initial packet with a token (RFC 9000 section 17.2.2)', () => {
    const peer = new Peer({ role: 'server' })
    peer.start()
    const payload = frame.bytesOf(frame.ping(), frame.padding(1_150))
    peer.sendDatagram(peer.packet(Level.initial, payload, { token: new Uint8Array(4) }))
    expect(peer.connection.stats.packetsReceived).toBe(0)
    peer.sendDatagram(peer.packet(Level.initial, payload))
    expect(peer.connection.stats.packetsReceived).toBe(1)
  })

  test('a client that hears nothing after completion is not ended by the handshake timer', () => {
    const peer = new Peer({ role: 'server' }).handshake()
    expect(peer.end.application.isComplete).toBe(true)
    peer.advance(20_000)
    expect(peer.connection.isEnding).toBe(false)
    expect(peer.end.supervisor.missed).toEqual([])
    expect(peer.connection.nextTimeout()).toBeGreaterThan(peer.now)
  })
})
