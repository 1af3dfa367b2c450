// Behaviours 34, 35 and the response part of 38 of the catalogue: connection IDs of both sides, PATH_RESPONSE.
import { describe, expect, test } from 'vitest'
import { DatagramBatch } from '../../src/transport/connection/index.ts'
import {
  FrameType,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  TransportErrorCode,
} from '../../src/transport/wire/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  const { PROTOCOL_VIOLATION, CONNECTION_ID_LIMIT_ERROR } = TransportErrorCode

  const established = (options: ScriptedOptions = {}) => new Peer(options).handshake()
  const currentId = (peer: ScriptedPeer): number[] => [...peer.connection.peerIds.current]
  const idOf = (sequence: number): number[] => new Array(8).fill(sequence + 1)

  describe('34 NEW_CONNECTION_ID (RFC 9000 sections 5.1.1, 5.1.2 and 19.15)', () => {
    test('Retire Prior To takes effect at once, also on the ID in use', () => {
      const peer = established()
      peer.send(Level.application, frame.newConnectionId(1, 0))
      expect(currentId(peer)).toEqual([...peer.scid])
      peer.send(Level.application, frame.newConnectionId(2, 2))
      expect(peer.frames(FrameType.retireConnectionId).map(({ sequence }) => sequence)).toEqual([0, 1])
      expect(currentId(peer)).toEqual(idOf(2))
    })

    test('an ID that arrives after its retirement is retired as well, and not used', () => {
      const peer = established()
      peer.send(Level.application, frame.newConnectionId(5, 4))
      peer.send(Level.application, frame.newConnectionId(3, 0))
      expect(peer.frames(FrameType.retireConnectionId).map(({ sequence }) => sequence)).toEqual([0, 3])
      expect(currentId(peer)).toEqual(idOf(5))
    })

    test('the same frame again changes nothing', () => {
      const peer = established()
      for (let i = 0; i < 10; i++) peer.send(Level.application, frame.newConnectionId(1, 0))
      expect(peer.close).toBeUndefined()
      expect(peer.frames(FrameType.retireConnectionId)).toEqual([])
    })

    test.each([
      ['another ID', frame.newConnectionId(1, 0, new Uint8Array(8).fill(9), new Uint8Array(16).fill(2))],
      ['another token', frame.newConnectionId(1, 0, new Uint8Array(8).fill(2), new Uint8Array(16).fill(9))],
      ['another number', frame.newConnectionId(2, 0, new Uint8Array(8).fill(2))],
    ])('a repetition with %s is PROTOCOL_VIOLATION', (_name, bytes) => {
      const peer = established()
      peer.send(Level.application, frame.newConnectionId(1, 0))
      peer.send(Level.application, bytes)
      expect(peer.close).toMatchObject({ code: PROTOCOL_VIOLATION })
    })

    test.each([2, 4, 7])(
      'more active ones than active_connection_id_limit %i is CONNECTION_ID_LIMIT_ERROR',
      (limit) => {
        const peer = established({ settings: { activeConnectionIdLimit: limit } })
        for (let sequence = 1; sequence < limit; sequence++) {
          peer.send(Level.application, frame.newConnectionId(sequence, 0))
        }
        expect(peer.close).toBeUndefined()
        peer.send(Level.application, frame.newConnectionId(limit, 0))
        expect(peer.close).toMatchObject({ code: CONNECTION_ID_LIMIT_ERROR })
      },
    )

    test('IDs retired by the same frame do not count', () => {
      const peer = established({ settings: { activeConnectionIdLimit: 2 } })
      for (let sequence = 1; sequence < 20; sequence++) {
        peer.send(Level.application, frame.newConnectionId(sequence, sequence))
        peer.flush()
      }
      expect(peer.close).toBeUndefined()
      expect(currentId(peer)).toEqual(idOf(19))
    })

    test('beside a zero-length ID it is PROTOCOL_VIOLATION', () => {
      const peer = new Peer()
      Reflect.set(peer, 'scid', new Uint8Array(0))
      const { peerIds } = peer.connection
      peerIds.replaceFirst(new Uint8Array(0))
      expect(() => peerIds.add(1, 0, new Uint8Array(8), new Uint8Array(16))).toThrow(/zero-length/)
    })
  })

  describe('35 RETIRE_CONNECTION_ID (RFC 9000 section 19.16)', () => {
    test('of a number never issued is PROTOCOL_VIOLATION', () => {
      const peer = established()
      peer.send(Level.application, frame.retireConnectionId(100))
      expect(peer.close).toMatchObject({ code: PROTOCOL_VIOLATION })
    })

    test('of the ID that the packet was sent to is PROTOCOL_VIOLATION', () => {
      const peer = established()
      peer.send(Level.application, frame.retireConnectionId(0))
      expect(peer.close).toMatchObject({ code: PROTOCOL_VIOLATION })
    })

    test('is answered with a replacement, and repeating it is no error', () => {
      const peer = established()
      const [issued] = peer.frames(FrameType.newConnectionId)
      expect(issued.sequence).toBe(1)
      peer.send(Level.application, frame.retireConnectionId(1))
      peer.send(Level.application, frame.retireConnectionId(1))
      expect(peer.close).toBeUndefined()
      expect(peer.frames(FrameType.newConnectionId).at(-1)!.sequence).toBe(2)
      const table = peer.connection.localIds.active
      expect(table).toHaveLength(2)
    })

    test('of the first ID leaves the others usable', () => {
      const peer = established()
      const [issued] = peer.frames(FrameType.newConnectionId)
      peer.sendDatagram(
        peer.packet(Level.application, frame.bytesOf(frame.retireConnectionId(0)), { dcid: issued.id! }),
      )
      expect(peer.close).toBeUndefined()
      expect(peer.frames(FrameType.newConnectionId).at(-1)!.sequence).toBe(2)
    })

    test('of the first ID does not change the source of Handshake packets (section 7.2)', () => {
      const peer = new Peer({ role: 'server', autoAck: false }).handshake()
      const [{ id }] = peer.frames(FrameType.newConnectionId)
      const packet = peer.packet(Level.application, frame.retireConnectionId(0), { dcid: id! })
      const { connection } = peer
      peer.deliver(packet)
      expect(connection.localIds.find(0)).toBeUndefined()
      // The client repeats its Finished, which nobody has acknowledged.
      const batch = new DatagramBatch()
      const now = connection.recovery.lossDetectionTimer()
      connection.handleTimeout(now)
      expect(connection.pollTransmit(batch, now)).toBeGreaterThan(0)
      const header = new PacketHeader()
      expect(parsePacketHeader(batch.buffer, batch.starts[0], batch.lengths[0], 8, header)).toBe(true)
      expect(header.type).toBe(PacketType.handshake)
      const source = batch.buffer.subarray(header.scidStart, header.scidStart + header.scidLength)
      expect([...source]).toEqual([...peer.end.issued[0]])
    })

    test('as many are issued as the peer allows, and never more than our own cap', () => {
      for (const [limit, count] of [
        [2, 2],
        [3, 3],
        [1_000, 4],
      ]) {
        const peer = established({ parameters: { activeConnectionIdLimit: limit } })
        expect(peer.connection.localIds.active).toHaveLength(count)
      }
    })
  })

  describe('38 PATH_RESPONSE (RFC 9000 sections 8.2.2 and 19.18)', () => {
    test('echoes the data in a datagram of full size', () => {
      const peer = established()
      const before = peer.packets.length
      peer.send(Level.application, frame.pathChallenge('abcdefgh'))
      const [answer] = peer.packets.slice(before)
      const [response] = answer.frames.filter((received) => received.type === FrameType.pathResponse)
      expect(Buffer.from(response.data!).toString()).toBe('abcdefgh')
      expect(answer.datagramLength).toBe(1_200)
    })

    test('one for each challenge', () => {
      const peer = established()
      peer.send(Level.application, frame.pathChallenge('abcdefgh'), frame.pathChallenge('12345678'))
      const data = peer
        .frames(FrameType.pathResponse)
        .map((received) => Buffer.from(received.data!).toString())
      expect(data).toEqual(['abcdefgh', '12345678'])
    })

    test('one that answers no challenge of ours is ignored', () => {
      const peer = established()
      peer.send(Level.application, frame.pathResponse())
      expect(peer.close).toBeUndefined()
    })
  })
})
