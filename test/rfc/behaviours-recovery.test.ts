// Behaviours 16 to 20 and 22 of the catalogue: probes, RTT, acknowledgements, what is sent again.
import { describe, expect, test } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import type { ReceivedPacket } from './scripted-options.ts'
import { Level, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  /** An established connection whose packets are acknowledged only by the test from now on. */
  function silentPeer(): ScriptedPeer {
    const peer = new Peer().handshake()
    peer.advance(200)
    peer.autoAck = false
    return peer
  }

  /** The server under test sends something that must be acknowledged; returns the packets it took. */
  function provoke(peer: ScriptedPeer, write = 'x'): ReceivedPacket[] {
    const before = peer.packets.length
    const stream = peer.connection.openStream('uni')!
    stream.application = peer.end.application
    stream.write(Buffer.from(write))
    peer.collect()
    return peer.packets.slice(before)
  }

  function newest(peer: ScriptedPeer): number {
    return peer.packets.filter((packet) => packet.level === Level.application).at(-1)!.packetNumber
  }

  /** Declares everything sent so far lost: only what is sent from now on is acknowledged. */
  function loseAllSoFar(peer: ScriptedPeer): void {
    for (let i = 0; i < 3; i++) provoke(peer)
    provoke(peer)
    peer.send(Level.application, frame.ack(newest(peer)))
    peer.collect()
  }

  describe('16 probe timeouts across packet-number spaces (RFC 9002 section 6.2)', () => {
    test('no probe for application data before the handshake is confirmed', () => {
      const peer = new Peer({ role: 'server' }).handshake()
      peer.advance(100)
      peer.autoAck = false
      const stream = peer.connection.openStream('bidi')!
      stream.application = peer.end.application
      stream.write(Buffer.from('early data of a client'))
      peer.advance(4_000)
      expect(peer.frames(FrameType.stream)).toHaveLength(1)
      peer.send(Level.application, frame.handshakeDone())
      peer.advance(4_000)
      expect(peer.frames(FrameType.stream).length).toBeGreaterThan(1)
    })

    test('the earliest space is probed first, with what it carried', () => {
      const peer = new Peer({ autoAck: false })
      peer.start()
      for (const { level, bytes } of peer.takeCrypto()) peer.sendCrypto(level, bytes)
      const before = peer.packets.length
      while (peer.packets.length === before) peer.advance(10)
      const [probe] = peer.packets.slice(before)
      expect(probe.level).toBe(Level.initial)
      expect(probe.frames.some((received) => received.type === FrameType.crypto)).toBe(true)
      expect(probe.datagramLength).toBe(1_200)
      // The Handshake space follows, without having to wait for the Initial one to be acknowledged.
      peer.advance(3_000)
      expect(peer.packets.slice(before).some((packet) => packet.level === Level.handshake)).toBe(true)
    })

    test('each probe timeout is twice the one before, and an acknowledgement ends the row', () => {
      const peer = silentPeer()
      const sentAt = peer.now
      provoke(peer)
      const { recovery } = peer.connection
      const times: number[] = []
      for (let i = 0; i < 4; i++) {
        const at = recovery.lossDetectionTimer()
        peer.advance(at - peer.now)
        times.push(at)
      }
      const pto = recovery.ptoInterval(Level.application)
      expect(times[0] - sentAt).toBeCloseTo(pto, 6)
      expect(times[1] - times[0]).toBeCloseTo(2 * pto, 6)
      expect(times[2] - times[1]).toBeCloseTo(4 * pto, 6)
      expect(recovery.ptoCount).toBe(4)
      peer.send(Level.application, frame.ack(newest(peer)))
      expect(recovery.ptoCount).toBe(0)
    })

    test('a probe elicits an acknowledgement also when there is nothing to repeat', () => {
      const peer = silentPeer()
      peer.connection.control.queuePing()
      peer.collect()
      const before = peer.packets.length
      peer.advance(peer.connection.recovery.lossDetectionTimer() - peer.now)
      const probes = peer.packets.slice(before)
      expect(probes.map((packet) => packet.frames.map((received) => received.type))).toEqual([[0x01], [0x01]])
    })

    test('probes pass a full congestion window', () => {
      const peer = new Peer({ parameters: { initialMaxStreamDataUni: 1_000_000 } }).handshake()
      peer.advance(200)
      peer.autoAck = false
      provoke(peer, 'x'.repeat(500_000))
      const { recovery } = peer.connection
      // Pacing spreads the window over some milliseconds.
      while (!recovery.flight.isCongestionBlocked(1_200)) peer.advance(1)
      const before = peer.packets.length
      peer.advance(recovery.lossDetectionTimer() - peer.now)
      expect(peer.packets.length - before).toBe(2)
    })
  })

  describe('17 RTT samples (RFC 9002 sections 5.1 and 5.3)', () => {
    test('only from an ACK whose largest number is newly acknowledged', () => {
      const peer = silentPeer()
      const { rtt } = peer.connection.recovery
      const [{ packetNumber }] = provoke(peer)
      peer.advance(40)
      peer.send(Level.application, frame.ack(packetNumber))
      expect(rtt.latest).toBe(40)
      peer.advance(400)
      peer.send(Level.application, frame.ack(packetNumber))
      expect(rtt.latest).toBe(40)
    })

    test('not from an ACK of packets that elicit none', () => {
      const peer = silentPeer()
      const { rtt } = peer.connection.recovery
      const { latest } = rtt
      peer.send(Level.application, frame.ping())
      peer.send(Level.application, frame.ping())
      expect(peer.packets.at(-1)!.frames.map((received) => received.type)).toEqual([0x02])
      peer.advance(50)
      peer.send(Level.application, frame.ack(newest(peer)))
      expect(rtt.latest).toBe(latest)
    })

    test('less the delay at the peer, of which at most max_ack_delay is believed', () => {
      const smoothedAfter = (delay: number): number => {
        const peer = silentPeer()
        const [{ packetNumber }] = provoke(peer)
        peer.advance(100)
        peer.send(Level.application, frame.ack(packetNumber, 0, (delay * 1_000) / 8))
        return peer.connection.recovery.rtt.smoothed
      }
      expect(smoothedAfter(20)).toBeLessThan(smoothedAfter(0))
      expect(smoothedAfter(10_000)).toBe(smoothedAfter(25))
    })
  })

  describe('18 acknowledgements of packets never sent (RFC 9000 sections 13.1 and 21.4)', () => {
    const violation = { code: TransportErrorCode.PROTOCOL_VIOLATION, frameType: FrameType.ack }

    test.each([Level.initial, Level.handshake, Level.application])('are a violation at level %i', (level) => {
      const peer = new Peer({ autoAck: false })
      if (level === Level.application) peer.handshake()
      else peer.start()
      for (const { level: at, bytes } of peer.takeCrypto()) peer.sendCrypto(at, bytes)
      const sent = peer.packets.filter((packet) => packet.level === level).length
      expect(peer.connection.isEnding).toBe(false)
      peer.send(level, frame.ack(sent + 50))
      expect(peer.close).toMatchObject(violation)
    })

    test('also of a number that was skipped on purpose', () => {
      const peer = new Peer({
        parameters: { initialMaxStreamDataUni: 10_000_000, initialMaxData: 10_000_000 },
      }).handshake()
      provoke(peer, 'x'.repeat(2_000_000))
      const skipped = (): number => {
        const numbers = new Set(
          peer.packets.filter(({ level }) => level === 2).map((packet) => packet.packetNumber),
        )
        return (
          Array.from({ length: Math.max(...numbers) }, (_, number) => number).find((n) => !numbers.has(n)) ??
          -1
        )
      }
      for (let i = 0; i < 200 && skipped() < 0; i++) peer.advance(20)
      expect(skipped()).toBeGreaterThan(0)
      expect(peer.close).toBeUndefined()
      peer.send(Level.application, frame.ack(skipped()))
      expect(peer.close).toMatchObject(violation)
    })
  })

  describe('19 when acknowledgements are sent (RFC 9000 sections 13.2.1 and 13.2.2)', () => {
    function ackCount(peer: ScriptedPeer): number {
      return peer.frames(FrameType.ack, Level.application).length
    }

    test('the second packet that elicits one is acknowledged at once, a single one after max_ack_delay', () => {
      const peer = silentPeer()
      const before = ackCount(peer)
      peer.send(Level.application, frame.ping())
      expect(ackCount(peer)).toBe(before)
      peer.send(Level.application, frame.ping())
      expect(ackCount(peer)).toBe(before + 1)
      peer.send(Level.application, frame.ping())
      peer.advance(24)
      expect(ackCount(peer)).toBe(before + 1)
      peer.advance(1)
      expect(ackCount(peer)).toBe(before + 2)
    })

    test('a packet out of order is acknowledged at once', () => {
      const peer = silentPeer()
      const late = peer.packet(Level.application, frame.bytesOf(frame.ping(), frame.padding(3)))
      const before = ackCount(peer)
      peer.send(Level.application, frame.ping())
      expect(ackCount(peer)).toBe(before + 1)
      peer.sendDatagram(late)
      expect(ackCount(peer)).toBe(before + 2)
      expect(peer.frames(FrameType.ack, Level.application).at(-1)!.ranges).toHaveLength(1)
    })

    test('packets that elicit none are not acknowledged by themselves', () => {
      const peer = silentPeer()
      const before = ackCount(peer)
      for (let i = 0; i < 20; i++) peer.send(Level.application, frame.padding(1))
      peer.advance(200)
      expect(ackCount(peer)).toBe(before)
    })

    test('Initial and Handshake packets are acknowledged at once', () => {
      const peer = new Peer()
      peer.send(Level.initial, frame.ping())
      expect(peer.frames(FrameType.ack, Level.initial)).toHaveLength(1)
    })

    test('a duplicate packet is not processed and not acknowledged again', () => {
      const peer = silentPeer()
      const packet = peer.packet(Level.application, frame.stream(0, 0, 'once'))
      peer.deliver(new Uint8Array(packet))
      peer.advance(30)
      const before = ackCount(peer)
      peer.deliver(new Uint8Array(packet))
      peer.advance(30)
      expect(peer.connection.stats.duplicates).toBe(1)
      expect(ackCount(peer)).toBe(before)
    })
  })

  describe('20 lost frames are repeated as what holds now (RFC 9000 section 13.3)', () => {
    test('MAX_DATA and MAX_STREAM_DATA with the newest limit', () => {
      const peer = new Peer({
        settings: { initialMaxData: 1_000, initialMaxStreamDataBidiRemote: 1_000 },
      }).handshake()
      peer.autoAck = false
      peer.send(Level.application, frame.stream(0, 0, 'x'.repeat(600)))
      expect(peer.frames(FrameType.maxData)).toMatchObject([{ limit: 1_600 }])
      peer.send(Level.application, frame.stream(0, 600, 'x'.repeat(300)))
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.maxData).at(-1)).toMatchObject({ limit: 1_900 })
      expect(peer.frames(FrameType.maxStreamData).at(-1)).toMatchObject({ streamId: 0, limit: 1_900 })
    })

    test('MAX_STREAM_DATA not at all once the final size is known', () => {
      const peer = new Peer({ settings: { initialMaxStreamDataBidiRemote: 1_000 } }).handshake()
      peer.autoAck = false
      peer.send(Level.application, frame.stream(0, 0, 'x'.repeat(600)))
      peer.send(Level.application, frame.stream(0, 600, 'x', true))
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.maxStreamData)).toHaveLength(1)
    })

    test('RESET_STREAM and STOP_SENDING until they are acknowledged', () => {
      const peer = silentPeer()
      peer.send(Level.application, frame.stream(0, 0, 'hello'))
      const stream = peer.end.application.accepted[0]
      stream.reset(7)
      stream.stopSending(8)
      peer.collect()
      loseAllSoFar(peer)
      const repeated = { streamId: 0, code: 7, finalSize: 0 }
      expect(peer.frames(FrameType.resetStream)).toMatchObject([repeated, repeated])
      expect(peer.frames(FrameType.stopSending)).toMatchObject([{ code: 8 }, { code: 8 }])
      peer.send(Level.application, frame.ack(newest(peer)), frame.resetStream(0, 8, 5))
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.resetStream)).toHaveLength(2)
      expect(peer.connection.streams.has(0)).toBe(false)
    })

    test('RESET_STREAM not when its acknowledgement overtakes the probe that repeats it', () => {
      const peer = silentPeer()
      const stream = peer.connection.openStream('uni')!
      stream.write(Buffer.from('x'))
      stream.reset(7)
      peer.collect()
      const acknowledgement = peer.packet(Level.application, frame.ack(newest(peer)))
      peer.now = peer.connection.recovery.lossDetectionTimer()
      peer.connection.handleTimeout(peer.now)
      peer.sendDatagram(acknowledgement)
      peer.advance(100)
      expect(peer.frames(FrameType.resetStream)).toHaveLength(1)
      expect(peer.connection.streams.has(stream.id)).toBe(false)
    })

    test('HANDSHAKE_DONE and NEW_CONNECTION_ID with the same content', () => {
      const peer = new Peer({ autoAck: false }).handshake()
      const issued = peer.frames(FrameType.newConnectionId)
      expect(issued.length).toBeGreaterThan(0)
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.handshakeDone)).toHaveLength(2)
      expect(peer.frames(FrameType.newConnectionId)).toEqual([...issued, ...issued])
    })

    test('RETIRE_CONNECTION_ID', () => {
      const peer = silentPeer()
      peer.send(Level.application, frame.newConnectionId(1, 1))
      expect(peer.frames(FrameType.retireConnectionId)).toMatchObject([{ sequence: 0 }])
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.retireConnectionId)).toMatchObject([{ sequence: 0 }, { sequence: 0 }])
    })

    test('PATH_RESPONSE never (RFC 9000 section 13.3)', () => {
      const peer = silentPeer()
      peer.send(Level.application, frame.pathChallenge())
      loseAllSoFar(peer)
      expect(peer.frames(FrameType.pathResponse)).toHaveLength(1)
    })

    test('stream data from where it was lost', () => {
      const peer = silentPeer()
      provoke(peer, 'important')
      loseAllSoFar(peer)
      const frames = peer.frames(FrameType.stream).filter((received) => received.streamId === 3)
      expect(frames.map((received) => Buffer.from(received.data!).toString())).toEqual([
        'important',
        'important',
      ])
    })
  })

  test('22 persistent congestion needs an RTT sample and two losses far apart (RFC 9002 section 7.6)', () => {
    const peer = new Peer({ parameters: { initialMaxStreamDataUni: 1_000_000 } }).handshake()
    peer.advance(200)
    peer.autoAck = false
    const { recovery } = peer.connection
    provoke(peer, 'x'.repeat(100_000))
    // Nothing arrives while the connection probes again and again; then only the last probe is acknowledged.
    for (let i = 0; i < 5; i++) peer.advance(recovery.lossDetectionTimer() - peer.now)
    expect(recovery.counters.persistentCongestion).toBe(0)
    peer.send(Level.application, frame.ack(newest(peer)))
    expect(recovery.counters.persistentCongestion).toBe(1)
    // The minimum of two datagrams, and one more for the acknowledgement itself.
    expect(recovery.congestion.window).toBeLessThanOrEqual(3 * 1_200)
  })
})
