// Behaviours 28 to 33 of the catalogue: opening, stopping, stream limits, late frames, fairness.
import { describe, expect, test } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  const { STREAM_LIMIT_ERROR, STREAM_STATE_ERROR, FRAME_ENCODING_ERROR } = TransportErrorCode

  function established(options: ScriptedOptions = {}): ScriptedPeer {
    return new Peer(options).handshake()
  }

  const acceptedIds = (peer: ScriptedPeer): number[] =>
    peer.end.application.accepted.map((stream) => stream.id)

  describe('28 opening streams (RFC 9000 sections 2.1, 3.1 and 3.2)', () => {
    test('opens all lower ones of the same kind, in order', () => {
      const peer = established()
      peer.send(Level.application, frame.stream(12, 0, 'x'))
      peer.send(Level.application, frame.stream(6, 0, 'x'))
      expect(acceptedIds(peer)).toEqual([0, 4, 8, 12, 2, 6])
    })

    test.each([
      ['RESET_STREAM', frame.resetStream(4, 1, 0)],
      ['STOP_SENDING', frame.stopSending(4, 1)],
      ['MAX_STREAM_DATA', frame.maxStreamData(4, 1)],
      ['STREAM_DATA_BLOCKED', frame.streamDataBlocked(4, 1)],
      ['an empty STREAM', frame.stream(4, 0, '')],
    ])('%s may be the first frame', (_name, first) => {
      const peer = established()
      peer.send(Level.application, first)
      expect(acceptedIds(peer)).toEqual([0, 4])
      expect(peer.close).toBeUndefined()
    })

    test('whoever accepts a stream may close the connection: nothing is opened or left behind it', () => {
      const peer = established()
      const { application, supervisor } = peer.end
      application.onStream = (stream) => {
        if (stream.id === 8) peer.connection.close(1, 'enough', { application: true })
      }
      peer.send(Level.application, frame.stream(40, 0, 'x'))
      expect(acceptedIds(peer)).toEqual([0, 4, 8])
      expect([...application.closedStreams.keys()]).toEqual([0, 4, 8])
      expect(supervisor.live.size).toBe(0)
      expect(peer.connection.openStream('bidi')).toBeUndefined()
    })
  })

  describe('29 STOP_SENDING (RFC 9000 section 3.5)', () => {
    test('is answered by RESET_STREAM with the same code and what was sent as final size, once', () => {
      const peer = established()
      const stream = peer.connection.openStream('bidi')!
      stream.application = peer.end.application
      stream.write(Buffer.from('hello'))
      peer.collect()
      for (let i = 0; i < 3; i++) peer.send(Level.application, frame.stopSending(stream.id, 77))
      expect(peer.frames(FrameType.resetStream)).toMatchObject([
        { streamId: stream.id, code: 77, finalSize: 5 },
      ])
      expect([...peer.end.application.stops]).toEqual([[stream.id, 77]])
      expect(stream.write(Buffer.from('more'))).toBe(false)
      peer.advance(100)
      expect(peer.frames(FrameType.stream)).toHaveLength(1)
    })

    test('changes nothing when all data has been acknowledged', () => {
      const peer = established()
      const stream = peer.connection.openStream('bidi')!
      stream.application = peer.end.application
      stream.write(Buffer.from('hello'))
      stream.end()
      peer.advance(100)
      peer.send(Level.application, frame.stopSending(stream.id, 77))
      peer.advance(100)
      expect(peer.frames(FrameType.resetStream)).toEqual([])
      expect(peer.end.application.stops.size).toBe(0)
    })

    test('after a reset of ours does not change its code', () => {
      const peer = established()
      const stream = peer.connection.openStream('bidi')!
      stream.write(Buffer.from('hello'))
      stream.reset(5)
      peer.send(Level.application, frame.stopSending(stream.id, 77))
      expect(peer.frames(FrameType.resetStream)).toMatchObject([{ code: 5, finalSize: 0 }])
    })
  })

  describe('30 stream limits (RFC 9000 section 4.6)', () => {
    const settings = { initialMaxStreamsBidi: 8, initialMaxStreamsUni: 8 }

    test('credit comes back when both parts have ended, in batches', () => {
      const peer = established({ settings })
      const { application } = peer.end
      for (let i = 0; i < 8; i++) {
        peer.send(Level.application, frame.stream(4 * i, 0, 'x', true))
        expect(peer.frames(FrameType.maxStreamsBidi)).toEqual([])
      }
      for (const [index, stream] of application.accepted.entries()) {
        stream.end()
        peer.advance(50)
        const limit = peer.frames(FrameType.maxStreamsBidi).at(-1)?.limit
        expect(limit).toBe(index === 0 ? undefined : 8 + 2 * Math.floor((index + 1) / 2))
      }
      expect(peer.connection.streams.size).toBe(0)
    })

    test('a stream that waits for it gets what there is at once (STREAMS_BLOCKED)', () => {
      const peer = established({ settings })
      peer.send(Level.application, frame.stream(0, 0, 'x', true))
      peer.end.application.accepted[0].end()
      peer.advance(50)
      expect(peer.frames(FrameType.maxStreamsBidi)).toEqual([])
      peer.send(Level.application, frame.streamsBlockedBidi(8))
      expect(peer.frames(FrameType.maxStreamsBidi)).toMatchObject([{ limit: 9 }])
    })

    test.each(['reset', 'stop', 'unread'])('nothing leaks over 400 streams that end by %s', (way) => {
      const peer = established({ settings })
      const { application, supervisor } = peer.end
      application.onStream = (stream) => {
        if (way === 'stop') stream.stopSending(1)
        stream.reset(2)
      }
      application.reads = way !== 'unread'
      for (let i = 0; i < 400; i++) {
        const isReset = way !== 'unread' || i % 2 === 0
        peer.send(
          Level.application,
          frame.stream(4 * i, 0, 'hello'),
          isReset ? frame.resetStream(4 * i, 3, 5) : frame.ping(),
        )
        if (!isReset) application.accepted[i].stopSending(1)
        if (!isReset) peer.send(Level.application, frame.stream(4 * i, 5, '', true))
        peer.flush()
        peer.advance(30)
      }
      expect(peer.close).toBeUndefined()
      expect(peer.connection.streams.size).toBe(0)
      expect(supervisor.live.size).toBe(0)
      expect(supervisor.missed).toEqual([])
      const { received, consumed } = peer.connection.host.receiveCredit
      expect([received, consumed]).toEqual([2_000, 2_000])
    })

    test.each([
      ['STREAM', frame.stream(32, 0, 'x')],
      ['RESET_STREAM', frame.resetStream(32, 0, 0)],
      ['STOP_SENDING', frame.stopSending(32, 0)],
      ['MAX_STREAM_DATA', frame.maxStreamData(32, 1)],
      ['STREAM_DATA_BLOCKED', frame.streamDataBlocked(32, 1)],
      ['STREAM, unidirectional', frame.stream(34, 0, 'x')],
      ['STREAM with the largest ID there is', frame.bytesOf(0x08, 2n ** 62n - 4n)],
    ])('%s for a stream beyond the limit is STREAM_LIMIT_ERROR', (_name, bytes) => {
      const peer = established({ settings })
      peer.send(Level.application, bytes)
      expect(peer.close).toMatchObject({ code: STREAM_LIMIT_ERROR })
      expect(peer.connection.host.table.opened).toBe(0)
    })

    test('our own streams keep to the limit of the peer, which is told once that more are wanted', () => {
      const peer = established({ parameters: { initialMaxStreamsBidi: 2 } })
      const open = () => peer.connection.openStream('bidi')
      expect([open()?.id, open()?.id, open(), open()]).toEqual([1, 5, undefined, undefined])
      peer.advance(100)
      expect(peer.frames(FrameType.streamsBlockedBidi)).toMatchObject([{ limit: 2 }])
      peer.send(Level.application, frame.maxStreamsBidi(3))
      expect([open()?.id, open()]).toEqual([9, undefined])
    })
  })

  describe('31 frames for streams that are gone or never were (RFC 9000 sections 3.2 and 19)', () => {
    /** Stream 0 of the peer and stream 1 of ours, both ended and forgotten. */
    function afterStreams(): ScriptedPeer {
      const peer = established()
      const stream = peer.connection.openStream('bidi')!
      stream.end()
      peer.send(Level.application, frame.stream(0, 0, 'x', true), frame.stream(1, 0, '', true))
      stream.application = peer.end.application
      peer.end.application.readAll(stream)
      peer.end.application.accepted[0].end()
      peer.advance(100)
      expect(peer.connection.streams.size).toBe(0)
      return peer
    }

    test.each([0, 1])('late frames for the closed stream %i are ignored', (id) => {
      const peer = afterStreams()
      const late = [
        frame.stream(id, 0, 'x', true),
        frame.stream(id, 500, 'late'),
        frame.resetStream(id, 1, 7),
        frame.stopSending(id, 1),
        frame.maxStreamData(id, 5_000_000),
        frame.streamDataBlocked(id, 5),
      ]
      for (const bytes of late) peer.send(Level.application, bytes)
      expect(peer.close).toBeUndefined()
      expect(peer.connection.streams.size).toBe(0)
      expect(peer.frames(FrameType.resetStream)).toEqual([])
    })

    test.each([
      ['STREAM', frame.stream(5, 0, 'x')],
      ['RESET_STREAM', frame.resetStream(5, 0, 0)],
      ['STOP_SENDING', frame.stopSending(5, 0)],
      ['MAX_STREAM_DATA', frame.maxStreamData(5, 1)],
      ['STREAM_DATA_BLOCKED', frame.streamDataBlocked(5, 1)],
      ['STOP_SENDING, unidirectional', frame.stopSending(3, 0)],
      ['MAX_STREAM_DATA, unidirectional', frame.maxStreamData(3, 1)],
    ])('%s for a stream of ours that was never opened is STREAM_STATE_ERROR', (_name, bytes) => {
      const peer = afterStreams()
      peer.send(Level.application, bytes)
      expect(peer.close).toMatchObject({ code: STREAM_STATE_ERROR })
    })

    test.each([
      ['STREAM on one that we only send on', frame.stream(3, 0, 'x')],
      ['RESET_STREAM on one that we only send on', frame.resetStream(3, 0, 0)],
      ['STREAM_DATA_BLOCKED on one that we only send on', frame.streamDataBlocked(3, 0)],
      ['STOP_SENDING on one that we only receive on', frame.stopSending(2, 0)],
      ['MAX_STREAM_DATA on one that we only receive on', frame.maxStreamData(2, 1)],
    ])('%s is STREAM_STATE_ERROR', (_name, bytes) => {
      const peer = established()
      peer.connection.openStream('uni')
      peer.send(Level.application, frame.stream(2, 0, 'x'))
      peer.send(Level.application, bytes)
      expect(peer.close).toMatchObject({ code: STREAM_STATE_ERROR })
    })
  })

  describe('32 numbers of streams (RFC 9000 sections 4.6, 19.11 and 19.14)', () => {
    const most = 2n ** 60n

    test.each([frame.maxStreamsBidi, frame.maxStreamsUni, frame.streamsBlockedBidi, frame.streamsBlockedUni])(
      '2^60 is the largest that is taken (%o)',
      (encode) => {
        const peer = established()
        peer.send(Level.application, encode(most))
        expect(peer.close).toBeUndefined()
        peer.send(Level.application, encode(most + 1n))
        expect(peer.close).toMatchObject({ code: FRAME_ENCODING_ERROR })
      },
    )

    test('limits never shrink', () => {
      const peer = established({ parameters: { initialMaxStreamsUni: 3 } })
      peer.send(Level.application, frame.maxStreamsUni(1), frame.maxData(1), frame.maxStreamsBidi(0))
      expect(peer.connection.host.table.local[1].max).toBe(3)
      expect(peer.connection.host.sendCredit.max).toBe(1_000_000)
    })
  })

  describe('33 streams share the connection (RFC 9000 section 2.3)', () => {
    test('in turn, and one that is blocked does not hold up the others', () => {
      const peer = established()
      const streams = [0, 1, 2, 3].map(() => peer.connection.openStream('uni')!)
      for (const stream of streams) stream.write(Buffer.alloc(150_000, stream.id))
      peer.advance(2_000)
      // The peer's limit of 100,000 bytes blocks each in the end; none is ahead by more than a few packets before.
      const sent = new Map<number, number>()
      let spread = 0
      for (const received of peer.frames(FrameType.stream)) {
        // A repetition is no step back.
        const before = sent.get(received.streamId!) ?? 0
        sent.set(received.streamId!, Math.max(before, received.offset! + received.data!.length))
        const sizes = streams.map((stream) => sent.get(stream.id) ?? 0)
        spread = Math.max(spread, Math.max(...sizes) - Math.min(...sizes))
      }
      expect([...sent.values()]).toEqual([100_000, 100_000, 100_000, 100_000])
      expect(spread).toBeLessThan(5_000)
      peer.send(Level.application, frame.maxStreamData(streams[2].id, 150_000))
      peer.advance(1_000)
      const last = peer.frames(FrameType.stream).at(-1)!
      expect([last.streamId, last.offset! + last.data!.length]).toEqual([streams[2].id, 150_000])
    })
  })
})
