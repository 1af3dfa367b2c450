// Behaviours 41 to 44 of the catalogue: closing and draining, close during the handshake, stateless reset, idling.
import { describe, expect, test } from 'vitest'
import { buildStatelessReset } from '../../src/transport/connection/index.ts'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { TestEntropy } from '../unit/transport/connection/pair.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  const established = (options: ScriptedOptions = {}) => new Peer(options).handshake()

  function closes(peer: ScriptedPeer): number {
    return (
      peer.frames(FrameType.connectionClose).length + peer.frames(FrameType.connectionCloseApplication).length
    )
  }

  describe('41 closing and draining (RFC 9000 section 10.2)', () => {
    function closing(): ScriptedPeer {
      const peer = established()
      peer.connection.close(9, 'over', { application: true })
      peer.collect()
      expect(peer.close).toMatchObject({ isApplication: true, code: 9, reason: 'over' })
      return peer
    }

    test('the close is repeated for the 1st, 2nd, 4th, 8th ... packet that arrives', () => {
      const peer = closing()
      const answered: number[] = []
      for (let i = 1; i <= 100; i++) {
        const before = closes(peer)
        peer.send(Level.application, frame.ping())
        if (closes(peer) > before) answered.push(i)
      }
      expect(answered).toEqual([1, 2, 4, 8, 16, 32, 64])
    })

    test('nothing but the close is sent, and no frame is processed', () => {
      const peer = closing()
      const before = peer.packets.length
      peer.send(Level.application, frame.stream(0, 0, 'hello'), frame.pathChallenge())
      const types = peer.packets.slice(before).flatMap((packet) => packet.frames.map(({ type }) => type))
      expect(types).toEqual([0x1d])
      expect(peer.end.application.accepted).toEqual([])
    })

    test('the closing period lasts three probe timeouts', () => {
      const peer = closing()
      const period = 3 * peer.connection.recovery.ptoInterval(Level.application)
      peer.advance(period - 0.5)
      expect(peer.connection.isClosed).toBe(false)
      peer.advance(1)
      expect(peer.connection.isClosed).toBe(true)
      expect(peer.end.application.isClosed).toBe(true)
      expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    })

    test('a draining connection sends nothing, and ends after three probe timeouts', () => {
      const peer = established()
      peer.send(Level.application, frame.applicationClose(3, 'bye'))
      const before = peer.packets.length
      expect(peer.end.application.closing).toMatchObject({ code: 3, reason: 'bye', isLocal: false })
      for (let i = 0; i < 10; i++) peer.send(Level.application, frame.ping())
      expect(peer.packets.length).toBe(before)
      const period = 3 * peer.connection.recovery.ptoInterval(Level.application)
      peer.advance(period - 0.5)
      expect(peer.connection.isClosed).toBe(false)
      peer.advance(1)
      expect(peer.connection.isClosed).toBe(true)
      expect(peer.packets.length).toBe(before)
    })

    test('both ends of all streams are told when closing begins', () => {
      const peer = established()
      peer.send(Level.application, frame.stream(4, 0, 'x'))
      peer.connection.close(0, '', { application: true })
      expect([...peer.end.application.closedStreams]).toEqual([
        [0, 'reset'],
        [4, 'reset'],
      ])
      expect(peer.end.supervisor.live.size).toBe(0)
      expect(peer.end.supervisor.missed).toEqual([])
    })

    test('an endpoint that stops hard cuts the closing and the draining period short', () => {
      const draining = established()
      draining.send(Level.application, frame.applicationClose(0))
      for (const peer of [closing(), draining, established()]) {
        peer.connection.abandon()
        expect(peer.connection.isClosed).toBe(true)
        expect(peer.end.application.isClosed).toBe(true)
        expect(peer.end.supervisor.missed).toEqual([])
        peer.connection.abandon()
      }
    })

    test('a long reason is cut at a character', () => {
      const peer = established()
      peer.connection.close(0, 'ä'.repeat(300), { application: true })
      peer.collect()
      expect(peer.close!.reason).toBe('ä'.repeat(128))
    })

    test('what went wrong inside is not told to the peer', () => {
      const peer = established()
      peer.end.application.onReadable = () => {
        throw new Error('password of the database')
      }
      peer.send(Level.application, frame.stream(0, 0, 'x'))
      expect(peer.close).toMatchObject({ code: TransportErrorCode.INTERNAL_ERROR, reason: 'internal error' })
      expect(peer.end.application.closing?.reason).toContain('password of the database')
      expect(peer.connection.stats.internalErrors).toBe(1)
    })
  })

  describe('42 close during the handshake (RFC 9000 section 10.2.3)', () => {
    function levelsOfClose(peer: ScriptedPeer): number[] {
      const isClose = (type: number) => type === 0x1c || type === 0x1d
      return peer.packets
        .filter((packet) => packet.frames.some(({ type }) => isClose(type)))
        .map(({ level }) => level)
    }

    test('a server closes at every level that the client may have keys for, in one datagram', () => {
      const peer = new Peer({ autoAck: false })
      peer.start()
      for (const { level, bytes } of peer.takeCrypto()) peer.sendCrypto(level, bytes)
      const before = peer.datagramsReceived
      peer.connection.close(5, 'secret reason', { application: true })
      peer.collect()
      expect(levelsOfClose(peer)).toEqual([0, 1, 2])
      expect(peer.datagramsReceived).toBe(before + 1)
      const [initial, handshake, application] = peer.packets.slice(-3).map((packet) => packet.frames[0])
      // Before 1-RTT, the application's error is hidden.
      const hidden = { type: 0x1c, code: TransportErrorCode.APPLICATION_ERROR, reason: '', frameType: 0 }
      expect(initial).toMatchObject(hidden)
      expect(handshake).toMatchObject(hidden)
      expect(application).toMatchObject({ type: 0x1d, code: 5, reason: 'secret reason' })
    })

    test('a transport error is told at every level as it is', () => {
      const peer = new Peer({ autoAck: false })
      peer.start()
      for (const { level, bytes } of peer.takeCrypto()) peer.sendCrypto(level, bytes)
      peer.send(Level.initial, frame.stream(0, 0, 'x'))
      expect(levelsOfClose(peer)).toEqual([0, 1, 2])
      const codes = peer.packets.slice(-3).map((packet) => packet.frames[0].code)
      expect(codes).toEqual([10, 10, 10])
    })

    test('a client closes with a datagram of full size, even before it has heard anything', () => {
      const peer = new Peer({ role: 'server' })
      peer.connection.close(5, '', { application: true })
      peer.collect()
      expect(levelsOfClose(peer)).toEqual([0])
      expect(peer.packets[0].datagramLength).toBe(1_200)
      expect(peer.packets[0].frames).toMatchObject([
        { type: 0x1c, code: TransportErrorCode.APPLICATION_ERROR },
      ])
    })

    test('a server keeps to the 3x limit while it closes', () => {
      const peer = new Peer({ autoAck: false })
      peer.start()
      peer.send(Level.initial, frame.handshakeDone())
      for (let i = 0; i < 200; i++) {
        peer.sendDatagram(Uint8Array.of(0x40, 1, 2))
        expect(peer.bytesReceived).toBeLessThanOrEqual(3 * peer.bytesSent)
      }
      expect(closes(peer)).toBeGreaterThan(0)
    })
  })

  describe('43 stateless reset (RFC 9000 section 10.3)', () => {
    const token = new Uint8Array(16).fill(7)

    test('is shorter than what it answers, at least 21 bytes, looks like a short header, and ends in the token', () => {
      const entropy = new TestEntropy(5)
      const seen = new Set<string>()
      for (const length of [22, 23, 30, 43, 100, 1_200, 65_000]) {
        const reset = buildStatelessReset(length, token, entropy)!
        expect(reset.length).toBeLessThan(length)
        expect(reset.length).toBeGreaterThanOrEqual(21)
        expect(reset[0] & 0xc0).toBe(0x40)
        expect([...reset.subarray(-16)]).toEqual([...token])
        seen.add(Buffer.from(reset.subarray(0, 5)).toString('hex'))
      }
      expect(seen.size).toBe(7)
    })

    test('does not answer what is too short, so that two ends cannot reset each other for ever', () => {
      for (let length = 0; length <= 21; length++) {
        expect(buildStatelessReset(length, token, new TestEntropy(1))).toBeUndefined()
      }
      let length = 65_000
      let rounds = 0
      for (
        let reset = buildStatelessReset(length, token, new TestEntropy(1));
        reset !== undefined;
        rounds++
      ) {
        length = reset.length
        reset = buildStatelessReset(length, token, new TestEntropy(1))
      }
      expect(rounds).toBeLessThan(25)
    })

    /** A client whose server has announced a token, and a second one with NEW_CONNECTION_ID. */
    function clientWithToken(): ScriptedPeer {
      return established({ role: 'server', parameters: { statelessResetToken: token } })
    }

    test.each([22, 28, 29, 30, 43, 1_200])('is recognised in a datagram answering %i bytes', (length) => {
      const peer = clientWithToken()
      peer.sendDatagram(buildStatelessReset(length, token, new TestEntropy(length))!)
      expect(peer.end.application.closing?.cause).toBe('statelessReset')
      expect(peer.close).toBeUndefined()
      const before = peer.packets.length
      peer.advance(10_000)
      expect(peer.connection.isClosed).toBe(true)
      expect(peer.packets.length).toBe(before)
    })

    test('is recognised for an ID that came with NEW_CONNECTION_ID, until that is retired', () => {
      const second = new Uint8Array(16).fill(9)
      const reset = () => buildStatelessReset(43, second, new TestEntropy(3))!
      const peer = clientWithToken()
      peer.send(Level.application, frame.newConnectionId(1, 0, new Uint8Array(8).fill(1), second))
      peer.send(Level.application, frame.newConnectionId(2, 2))
      peer.sendDatagram(reset())
      expect(peer.connection.isEnding).toBe(false)
      const other = clientWithToken()
      other.send(Level.application, frame.newConnectionId(1, 0, new Uint8Array(8).fill(1), second))
      other.sendDatagram(reset())
      expect(other.end.application.closing?.cause).toBe('statelessReset')
    })

    test('another token, or the token in a shorter datagram, is none', () => {
      const peer = clientWithToken()
      peer.sendDatagram(buildStatelessReset(43, new Uint8Array(16).fill(8), new TestEntropy(1))!)
      peer.sendDatagram(frame.bytesOf(Uint8Array.of(0x41, 1, 2, 3), token))
      expect(peer.connection.isEnding).toBe(false)
    })
  })

  describe('44 idle timeout (RFC 9000 section 10.1)', () => {
    test.each([
      [5_000, 20_000, 5_000],
      [20_000, 5_000, 5_000],
      [0, 5_000, 5_000],
      [5_000, 0, 5_000],
    ])('ours %i ms and theirs %i ms make %i ms', (ours, theirs, both) => {
      const peer = established({ settings: { maxIdleTimeout: ours }, parameters: { maxIdleTimeout: theirs } })
      peer.advance(100)
      peer.send(Level.application, frame.padding(1))
      peer.advance(both - 1)
      expect(peer.connection.isEnding).toBe(false)
      peer.advance(2)
      expect(peer.end.application.closing).toMatchObject({ cause: 'idle', isLocal: false })
      expect(peer.close).toBeUndefined()
      expect(peer.connection.isClosed).toBe(true)
    })

    test('none and none make none', () => {
      const peer = established({ settings: { maxIdleTimeout: 0 } })
      peer.advance(10_000_000)
      expect(peer.connection.isEnding).toBe(false)
      expect(peer.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    })

    function idlePeer(): ScriptedPeer {
      const peer = established({ settings: { maxIdleTimeout: 1_000 }, parameters: { maxIdleTimeout: 1_000 } })
      peer.advance(100)
      peer.autoAck = false
      return peer
    }

    test('starts again with each packet that arrives', () => {
      const peer = idlePeer()
      for (let i = 0; i < 10; i++) {
        peer.send(Level.application, frame.padding(1))
        peer.advance(900)
      }
      expect(peer.connection.isEnding).toBe(false)
    })

    test('starts again with the first ack-eliciting packet sent since, and not with the next ones', () => {
      const peer = idlePeer()
      peer.send(Level.application, frame.padding(1))
      const start = peer.now
      peer.advance(500)
      peer.connection.control.queuePing()
      peer.advance(400)
      peer.connection.control.queuePing()
      while (!peer.connection.isEnding) peer.advance(1)
      expect(peer.now - start).toBeCloseTo(1_500, -1)
    })

    test('does not start again with something that cannot be opened', () => {
      const peer = idlePeer()
      for (let i = 0; i < 3; i++) {
        peer.advance(400)
        peer.sendDatagram(new Uint8Array(100).fill(0x41))
      }
      expect(peer.end.application.closing?.cause).toBe('idle')
    })

    test('is at least three probe timeouts', () => {
      const peer = established({ settings: { maxIdleTimeout: 10 }, parameters: { maxIdleTimeout: 10 } })
      peer.autoAck = false
      peer.connection.control.queuePing()
      peer.collect()
      const floor = 3 * peer.connection.recovery.ptoInterval(Level.application)
      expect(floor).toBeGreaterThan(10)
      peer.advance(floor - 1)
      expect(peer.connection.isEnding).toBe(false)
      peer.advance(2)
      expect(peer.connection.isEnding).toBe(true)
    })

    test('PINGs keep the connection alive', () => {
      const peer = established({ settings: { maxIdleTimeout: 1_000 } })
      for (let i = 0; i < 10; i++) {
        peer.connection.control.queuePing()
        peer.advance(900)
      }
      expect(peer.connection.isEnding).toBe(false)
    })
  })
})
