// Behaviours 58 to 60 of the catalogue, and the attacks that the caps of transport answer: every queue is bounded.
import { describe, expect, test } from 'vitest'
import { MAX_PENDING_PATH_RESPONSES, MAX_PENDING_RETIREMENTS } from '../../src/transport/connection/index.ts'
import { MAX_CRYPTO_BUFFER, MAX_RECEIVE_FRAGMENTS } from '../../src/transport/streams/index.ts'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  const { CRYPTO_BUFFER_EXCEEDED, FLOW_CONTROL_ERROR, INTERNAL_ERROR, CONNECTION_ID_LIMIT_ERROR } =
    TransportErrorCode

  const established = (options: ScriptedOptions = {}) => new Peer(options).handshake()

  /** From now on the connection may send next to nothing: its window is full and nothing is acknowledged. */
  function starve(peer: ScriptedPeer): void {
    peer.autoAck = false
    const stream = peer.connection.openStream('uni')!
    stream.write(new Uint8Array(90_000))
    for (let i = 0; i < 50 && !peer.connection.recovery.flight.isCongestionBlocked(1_200); i++)
      peer.advance(1)
    expect(peer.connection.recovery.flight.isCongestionBlocked(1_200)).toBe(true)
  }

  describe('58 memory for data out of order (RFC 9000 sections 7.5 and 21.6)', () => {
    test('a stream of fragments with gaps ends the connection at the cap', () => {
      const peer = established()
      peer.end.application.reads = false
      for (let i = 0; i < MAX_RECEIVE_FRAGMENTS; i++)
        peer.send(Level.application, frame.stream(0, 1 + 2 * i, 'x'))
      expect(peer.close).toBeUndefined()
      expect(peer.connection.receiveBufferedBytes).toBe(MAX_RECEIVE_FRAGMENTS)
      for (let i = 0; i < 3; i++) peer.send(Level.application, frame.stream(0, 5_001 + 2 * i, 'x'))
      expect(peer.close).toMatchObject({ code: INTERNAL_ERROR })
      expect(peer.connection.receiveBufferedBytes).toBe(0)
    })

    test('a large window may wait for its first packet: full-sized fragments are worth their place', () => {
      const size = 8_388_608
      const peer = established({ settings: { initialMaxData: size, initialMaxStreamDataBidiRemote: size } })
      const piece = new Uint8Array(1_150)
      for (let at = 1_150; at + 1_150 <= size; at += 1_150)
        peer.send(Level.application, frame.stream(0, at, piece))
      expect(peer.connection.isEnding).toBe(false)
      expect(peer.connection.receiveBufferedBytes).toBeGreaterThan(8_000_000)
      peer.send(Level.application, frame.stream(0, 0, piece))
      expect(peer.connection.receiveBufferedBytes).toBe(0)
    })

    test('unread streams hold no more than the window of the connection', () => {
      const peer = established({ settings: { initialMaxData: 5_000 } })
      peer.end.application.reads = false
      for (let i = 0; i < 50; i++) peer.send(Level.application, frame.stream(4 * i, 0, 'x'.repeat(100)))
      expect(peer.connection.receiveBufferedBytes).toBe(5_000)
      expect(peer.close).toBeUndefined()
      peer.send(Level.application, frame.stream(200, 0, 'x'))
      expect(peer.close).toMatchObject({ code: FLOW_CONTROL_ERROR })
    })

    test('one byte at a far offset brings no credit to a stream that is read (CVE-2026-44433)', () => {
      const peer = established({ settings: { initialMaxData: 1_000, initialMaxStreamDataBidiRemote: 1_000 } })
      peer.send(Level.application, frame.stream(0, 999, 'x'))
      expect(peer.frames(FrameType.maxData)).toEqual([])
      expect(peer.connection.host.receiveCredit).toMatchObject({ received: 1_000, consumed: 0 })
    })

    test('data beyond the limit of its stream is refused before it is stored', () => {
      const peer = established({ settings: { initialMaxStreamDataUni: 100 } })
      peer.send(Level.application, frame.stream(2, 100, 'x'))
      expect(peer.close).toMatchObject({ code: FLOW_CONTROL_ERROR })
    })

    test.each([Level.initial, Level.handshake, Level.application])(
      'CRYPTO data far ahead at level %i is CRYPTO_BUFFER_EXCEEDED, whatever its size (GHSA-9q54-f358-3fqf)',
      (level) => {
        const at = (offset: number | bigint): ScriptedPeer => {
          const peer = new Peer({ autoAck: false })
          if (level === Level.application) peer.handshake()
          else peer.start()
          if (level === Level.handshake) peer.flush()
          peer.send(level, frame.crypto(offset, Buffer.from('x')))
          return peer
        }
        expect(at(MAX_CRYPTO_BUFFER - 1).close).toBeUndefined()
        expect(at(MAX_CRYPTO_BUFFER).close).toMatchObject({ code: CRYPTO_BUFFER_EXCEEDED, frameType: 0x06 })
        expect(at(2n ** 62n - 2n).close).toMatchObject({ code: CRYPTO_BUFFER_EXCEEDED })
      },
    )

    test('endless CRYPTO data after the handshake ends the connection (CVE-2024-1765)', () => {
      const peer = established({ role: 'server' })
      const ticket = frame.bytesOf(Uint8Array.of(4, 0, 0, 30), new Uint8Array(30))
      let offset = 0
      for (let i = 0; i < 5_000 && !peer.connection.isEnding; i++) {
        peer.send(Level.application, frame.crypto(offset, ticket))
        offset += ticket.length
      }
      expect(peer.close).toBeDefined()
      expect(offset).toBeLessThan(200_000)
    })

    test('packet numbers with gaps: a bounded number of ranges is kept and acknowledged', () => {
      const peer = established()
      peer.autoAck = false
      for (let i = 0; i < 2_000; i++) {
        peer.deliver(
          peer.packet(Level.application, frame.bytesOf(frame.ping(), frame.padding(3)), {
            packetNumber: 100 + 2 * i,
          }),
        )
      }
      peer.collect()
      expect(peer.frames(FrameType.ack).at(-1)!.ranges!.length).toBeLessThanOrEqual(64)
      expect(peer.connection.isEnding).toBe(false)
    })

    test('packets that only acknowledge are not remembered for ever (CVE-2026-63075)', () => {
      const peer = established()
      peer.autoAck = false
      for (let i = 0; i < 3_000; i++) peer.send(Level.application, frame.ping())
      let remembered = 0
      while (peer.connection.recovery.outstandingAt(Level.application, remembered) !== undefined) remembered++
      expect(remembered).toBe(0)
      expect(peer.connection.recovery.pool.idle).toBeLessThanOrEqual(4_096)
      expect(peer.connection.recovery.bytesInFlight).toBeLessThan(5_000)
    })
  })

  describe('59 queues of answers (RFC 9000 sections 5.1.2, 8.2 and 21.9)', () => {
    test('PATH_CHALLENGE: the newest few are answered (CVE-2023-49295)', () => {
      const peer = established()
      starve(peer)
      for (let i = 0; i < 1_000; i++)
        peer.send(Level.application, frame.pathChallenge(String(10_000_000 + i)))
      expect(peer.connection.path.responses).toHaveLength(MAX_PENDING_PATH_RESPONSES)
      peer.autoAck = true
      peer.advance(200)
      const answered = peer
        .frames(FrameType.pathResponse)
        .map((received) => Buffer.from(received.data!).toString())
      expect(answered).toEqual(['10000996', '10000997', '10000998', '10000999'])
    })

    test('NEW_CONNECTION_ID that retires and is not acknowledged: CONNECTION_ID_LIMIT_ERROR (CVE-2024-22189)', () => {
      const peer = established()
      starve(peer)
      let sequence = 1
      while (!peer.connection.isEnding && sequence < 1_000) {
        peer.deliver(peer.packet(Level.application, frame.newConnectionId(sequence, sequence)))
        sequence++
      }
      expect(sequence).toBeLessThanOrEqual(MAX_PENDING_RETIREMENTS + 3)
      expect(peer.end.application.closing).toMatchObject({ code: CONNECTION_ID_LIMIT_ERROR })
    })

    test('also when they are sent, but never acknowledged', () => {
      const peer = established()
      peer.autoAck = false
      let sequence = 1
      while (!peer.connection.isEnding && sequence < 1_000) {
        peer.send(Level.application, frame.newConnectionId(sequence, sequence))
        sequence++
      }
      expect(sequence).toBeLessThanOrEqual(MAX_PENDING_RETIREMENTS + 3)
      expect(peer.close).toMatchObject({ code: CONNECTION_ID_LIMIT_ERROR })
    })

    test('also by IDs that are retired already when they come (RUSTSEC-2026-0339)', () => {
      const peer = established()
      peer.autoAck = false
      peer.send(Level.application, frame.newConnectionId(1_000, 1_000))
      let sequence = 1
      while (!peer.connection.isEnding && sequence < 1_000) {
        peer.send(Level.application, frame.newConnectionId(sequence, 0))
        sequence++
      }
      expect(sequence).toBeLessThanOrEqual(MAX_PENDING_RETIREMENTS + 3)
      expect(peer.close).toMatchObject({ code: CONNECTION_ID_LIMIT_ERROR })
    })

    test('acknowledged retirements free the cap', () => {
      const peer = established()
      for (let sequence = 1; sequence < 500; sequence++) {
        peer.send(Level.application, frame.newConnectionId(sequence, sequence))
        peer.flush()
      }
      expect(peer.close).toBeUndefined()
    })

    test('MAX_STREAMS, MAX_DATA and the like are one frame each, however often they are provoked', () => {
      const peer = established({ settings: { initialMaxData: 1_000 } })
      starve(peer)
      const before = peer.packets.length
      for (let i = 0; i < 200; i++) {
        peer.deliver(
          peer.packet(2, frame.bytesOf(frame.streamsBlockedBidi(1), frame.dataBlocked(i), frame.maxData(i))),
        )
      }
      expect(peer.packets.length).toBe(before)
      peer.autoAck = true
      peer.advance(200)
      expect(peer.frames(FrameType.maxStreamsBidi)).toEqual([])
      expect(peer.close).toBeUndefined()
    })
  })

  describe('60 off-path injection leaves an established connection alone (RFC 9000 section 21.1)', () => {
    test('forged, corrupt, truncated and repeated datagrams', () => {
      const peer = established()
      const good = peer.packet(Level.application, frame.stream(0, 0, 'good'))
      for (let i = 0; i < good.length; i++) {
        const corrupt = new Uint8Array(good)
        corrupt[i] ^= 0x55
        peer.deliver(corrupt)
        peer.deliver(good.slice(0, i))
      }
      for (let i = 0; i < 3; i++) peer.deliver(new Uint8Array(good))
      peer.collect()
      expect(peer.close).toBeUndefined()
      expect(peer.end.application.bytes(0).toString()).toBe('good')
    })

    test('Initial packets forged with the public keys of the connection, after its handshake', () => {
      const peer = established()
      peer.send(Level.initial, frame.connectionClose(1))
      expect(peer.connection.isEnding).toBe(false)
    })

    test('Retry and Version Negotiation packets', () => {
      const peer = established({ role: 'server' })
      const ids = frame.bytesOf(Uint8Array.of(8), peer.end.issued[0], Uint8Array.of(8), peer.scid)
      peer.sendDatagram(frame.bytesOf(Uint8Array.of(0xf0, 0, 0, 0, 1), ids, 'token', new Uint8Array(16)))
      peer.sendDatagram(frame.bytesOf(Uint8Array.of(0xc0, 0, 0, 0, 0), ids, Uint8Array.of(0, 0, 0, 9)))
      expect(peer.connection.isEnding).toBe(false)
    })

    test('datagrams from an unknown address of the server (section 9)', () => {
      const peer = established({ role: 'server' })
      const packet = peer.packet(Level.application, frame.stream(1, 0, 'x'))
      peer.connection.handleDatagram(
        packet,
        0,
        packet.length,
        { address: '6.6.6.6', port: 1, family: 4 },
        peer.now,
      )
      expect(peer.end.application.accepted).toEqual([])
      expect(peer.connection.stats.datagramsReceived).toBeGreaterThan(0)
    })
  })
})
