// Behaviours 1 to 4 and 7 of the catalogue: first flights, amplification, Version Negotiation.
import { describe, expect, test } from 'vitest'
import { buildVersionNegotiation } from '../../src/transport/connection/index.ts'
import { Cursor, PacketHeader, PacketType, parsePacketHeader } from '../../src/transport/wire/index.ts'
import { TestEntropy } from '../unit/transport/connection/pair.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  /** The ClientHello of a peer that has not sent it. */
  function helloOf(peer: ScriptedPeer): Uint8Array {
    peer.start()
    return peer.takeCrypto()[0].bytes
  }

  function cryptoFrames(bytes: Uint8Array, size: number): Uint8Array[] {
    const frames: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size)
      frames.push(frame.crypto(at, bytes.subarray(at, at + size)))
    return frames
  }

  describe('1 a ClientHello larger than one datagram (RFC 9000 sections 7.5 and 19.6)', () => {
    test('is put together from Initial packets in any order', () => {
      const peer = new Peer()
      const hello = helloOf(peer)
      expect(hello.length).toBeGreaterThan(1_200)
      for (const part of cryptoFrames(hello, 500).toReversed()) {
        expect(peer.isComplete).toBe(false)
        peer.send(Level.initial, part)
      }
      peer.flush()
      expect(peer.end.application.isComplete).toBe(true)
    })

    test.each([1, 2, 3, 7, 64, 333])('may be cut every %i bytes', (size) => {
      const peer = new Peer()
      const frames = cryptoFrames(helloOf(peer), size)
      const perPacket = Math.floor(1_100 / (size + 6))
      const packets: Uint8Array[][] = []
      for (let at = 0; at < frames.length; at += perPacket) packets.push(frames.slice(at, at + perPacket))
      for (const [index, packet] of packets.entries()) {
        peer.send(Level.initial, ...(index % 2 === 0 ? packet : packet.toReversed()))
      }
      peer.flush()
      expect(peer.end.application.isComplete).toBe(true)
    })

    test('may overlap and repeat itself', () => {
      const peer = new Peer()
      const hello = helloOf(peer)
      for (const [from, to] of [
        [700, 1_300],
        [0, 800],
        [300, 900],
        [700, 1_300],
        [1_200, hello.length],
      ]) {
        peer.send(Level.initial, frame.crypto(from, hello.subarray(from, to)))
      }
      peer.flush()
      expect(peer.end.application.isComplete).toBe(true)
    })
  })

  describe('2 a client Initial in a datagram below 1200 bytes (RFC 9000 section 14.1)', () => {
    test('is dropped and changes nothing', () => {
      const peer = new Peer()
      const hello = helloOf(peer)
      const small = peer.packet(Level.initial, frame.crypto(0, hello.subarray(0, 900)))
      peer.sendDatagram(small)
      expect(peer.packets).toEqual([])
      expect(peer.connection.isPeerIdKnown).toBe(false)
      expect(peer.connection.spaces[0].crypto.receive.highest).toBe(0)
    })

    test('1200 bytes are counted over the whole datagram', () => {
      const peer = new Peer()
      const packet = peer.packet(Level.initial, frame.ping())
      peer.sendDatagram(packet, new Uint8Array(1_199 - packet.length))
      expect(peer.packets).toEqual([])
      const next = peer.packet(Level.initial, frame.bytesOf(frame.ping(), frame.padding(3)))
      peer.sendDatagram(next, new Uint8Array(1_200 - next.length))
      expect(peer.frames(0x02, Level.initial)).toMatchObject([{ largest: 1, ranges: [[1, 1]] }])
    })
  })

  describe('3 at most three times what came from an unvalidated address (RFC 9000 section 8.1)', () => {
    function watchedPeer(): ScriptedPeer {
      const peer = new Peer({ autoAck: false })
      const hello = helloOf(peer)
      peer.sendCrypto(Level.initial, hello)
      return peer
    }

    test('holds over the whole handshake timeout, repeats and probes included', () => {
      const peer = watchedPeer()
      expect(peer.bytesSent).toBe(2_400)
      for (let i = 0; i < 95; i++) {
        peer.advance(100)
        expect(peer.bytesReceived).toBeLessThanOrEqual(3 * peer.bytesSent)
      }
      expect(peer.bytesReceived).toBeGreaterThan(2 * peer.bytesSent)
    })

    test('credit is what arrived, once per datagram, whatever is in it', () => {
      const peer = watchedPeer()
      peer.advance(5_000)
      const before = peer.bytesReceived
      const ping = () => peer.packet(Level.initial, frame.ping(), { scid: peer.scid })
      const padded = frame.bytesOf(frame.ping(), frame.padding(400))
      // Three coalesced packets in one datagram of 1,300 bytes give 3,900 bytes and no more.
      peer.sendDatagram(
        peer.packet(Level.initial, padded),
        peer.packet(Level.initial, padded),
        ping(),
        new Uint8Array(300),
      )
      peer.advance(4_000)
      expect(peer.bytesReceived).toBeGreaterThan(before)
      expect(peer.bytesReceived).toBeLessThanOrEqual(3 * peer.bytesSent)
    })

    test('ends with the first Handshake packet', () => {
      const peer = watchedPeer()
      peer.send(Level.handshake, frame.ping())
      expect(peer.connection.path.sendAllowance).toBe(Number.POSITIVE_INFINITY)
    })
  })

  describe('4 a server blocked by the 3x limit (RFC 9002 section 6.2.2.1)', () => {
    function blockedPeer(): ScriptedPeer {
      const peer = new Peer({ autoAck: false })
      peer.sendCrypto(Level.initial, helloOf(peer))
      peer.advance(6_000)
      expect(peer.connection.path.canSend).toBe(false)
      return peer
    }

    test('has no probe timer, and nothing is due before the handshake times out', () => {
      const peer = blockedPeer()
      expect(peer.connection.recovery.lossDetectionTimer()).toBe(Number.POSITIVE_INFINITY)
      expect(peer.connection.nextTimeout()).toBe(10_000)
    })

    test('resumes with the next datagram of the client', () => {
      const peer = blockedPeer()
      const before = peer.packets.length
      peer.send(Level.initial, frame.ping())
      peer.advance(1)
      const answer = peer.packets.slice(before)
      expect(answer.flatMap((packet) => packet.frames).some((received) => received.type === 0x06)).toBe(true)
      expect(peer.connection.recovery.lossDetectionTimer()).toBeLessThan(Number.POSITIVE_INFINITY)
    })

    test('is not moved by datagrams that leave no room for one of its own', () => {
      const peer = blockedPeer()
      const { ptoCount } = peer.connection.recovery
      for (let i = 0; i < 20; i++) peer.sendDatagram(Uint8Array.of(0x40, i, 1, 2, 3))
      peer.advance(10)
      expect(peer.connection.recovery.ptoCount).toBe(ptoCount)
      expect(peer.connection.path.canSend).toBe(false)
    })

    test('owes acknowledgements without being due: only the client can change anything', () => {
      const peer = blockedPeer()
      const { path } = peer.connection
      path.bytesSent = 3 * (path.bytesReceived + 1_200)
      peer.send(Level.initial, frame.ping())
      expect(peer.connection.spaces[0].acks.shouldAckNow(peer.now)).toBe(true)
      expect(peer.connection.nextTimeout()).toBe(10_000)
    })

    test('is freed by a client that has nothing but a Handshake probe to send', () => {
      const peer = blockedPeer()
      const before = peer.packets.length
      peer.send(Level.handshake, frame.ping())
      peer.advance(3_000)
      const answer = peer.packets.slice(before).flatMap((packet) => packet.frames)
      expect(answer.some((received) => received.type === 0x06)).toBe(true)
    })
  })

  describe('7 Version Negotiation (RFC 9000 section 6, RFC 8999 section 6)', () => {
    test.each([0, 8, 20, 21, 255])('is built with swapped IDs of %i bytes', (length) => {
      const dcid = new Uint8Array(length).fill(1)
      const scid = new Uint8Array(length).fill(2)
      const first = Uint8Array.of(0xc0, 0x0a, 0x1a, 0x2a, 0x3a, length)
      const datagram = frame.bytesOf(first, dcid, Uint8Array.of(length), scid, new Uint8Array(1_200))
      const header = new PacketHeader()
      expect(parsePacketHeader(datagram, 0, datagram.length, 8, header)).toBe(true)
      expect(header.type).toBe(PacketType.unknown)
      const answer = buildVersionNegotiation(datagram, header, [1, 0x6b3343cf], new TestEntropy(1))
      const cursor = new Cursor().reset(answer)
      expect(cursor.readUint8() & 0x80).toBe(0x80)
      expect(cursor.readUint32()).toBe(0)
      expect([...cursor.readBytes(cursor.readUint8())]).toEqual([...scid])
      expect([...cursor.readBytes(cursor.readUint8())]).toEqual([...dcid])
      expect([cursor.readUint32(), cursor.readUint32()]).toEqual([1, 0x6b3343cf])
      expect(cursor.remaining).toBe(0)
    })

    function versionNegotiation(peer: ScriptedPeer, versions: number[], scid = peer.originalId): Uint8Array {
      const ids = [Uint8Array.of(8), peer.end.issued[0], Uint8Array.of(8), scid]
      const list = Buffer.alloc(4 * versions.length)
      for (const [index, version] of versions.entries()) list.writeUInt32BE(version, 4 * index)
      return frame.bytesOf(Uint8Array.of(0xc0, 0, 0, 0, 0), ...ids, list)
    }

    function startedClient(): ScriptedPeer {
      const peer = new Peer({ role: 'server' })
      peer.start()
      return peer
    }

    test('without our version ends a client that has received nothing else', () => {
      const peer = startedClient()
      peer.sendDatagram(versionNegotiation(peer, [0x0a0a0a0a, 0x6b3343cf]))
      expect(peer.end.application.closing?.cause).toBe('versionNegotiation')
      expect(peer.connection.isClosed).toBe(true)
      expect(peer.close).toBeUndefined()
    })

    test('that lists the version we chose is ignored', () => {
      const peer = startedClient()
      peer.sendDatagram(versionNegotiation(peer, [0x6b3343cf, 1]))
      expect(peer.connection.isEnding).toBe(false)
    })

    test('for another connection ID is ignored', () => {
      const peer = startedClient()
      peer.sendDatagram(versionNegotiation(peer, [0x6b3343cf], new Uint8Array(8)))
      expect(peer.connection.isEnding).toBe(false)
    })

    test('after any other packet is ignored', () => {
      const peer = startedClient()
      peer.send(Level.initial, frame.ping())
      peer.sendDatagram(versionNegotiation(peer, [0x6b3343cf]))
      expect(peer.connection.isEnding).toBe(false)
    })

    test('does nothing to a server', () => {
      const peer = new Peer()
      peer.sendDatagram(versionNegotiation(peer, [0x6b3343cf]))
      expect(peer.connection.isEnding).toBe(false)
      expect(peer.packets).toEqual([])
    })
  })
})
