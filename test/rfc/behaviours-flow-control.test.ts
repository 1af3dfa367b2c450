// Behaviours 24 to 27 of the catalogue: credit, final sizes, and a FIN that needs none.
import { describe, expect, test } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer) => {
  const { FLOW_CONTROL_ERROR, FINAL_SIZE_ERROR } = TransportErrorCode
  const WINDOW = 1_000

  /** An established connection with a small window, whose application reads nothing by itself. */
  function peerWithWindow(options: ScriptedOptions = {}): ScriptedPeer {
    const settings = {
      initialMaxData: WINDOW,
      initialMaxStreamDataBidiRemote: WINDOW,
      initialMaxStreamDataUni: WINDOW,
    }
    const peer = new Peer({ settings, ...options }).handshake()
    peer.end.application.reads = false
    return peer
  }

  const bytes = (count: number): string => 'x'.repeat(count)
  const credit = (peer: ScriptedPeer) => peer.connection.host.receiveCredit

  describe('24 credit of streams that are reset or stopped (RFC 9000 sections 4.4 and 4.5)', () => {
    test('the final size of RESET_STREAM counts, also for bytes that never came', () => {
      const peer = peerWithWindow()
      peer.send(Level.application, frame.stream(0, 0, bytes(100)), frame.resetStream(0, 1, 800))
      expect(credit(peer)).toMatchObject({ received: 800, consumed: 800 })
      expect(peer.end.application.resets.get(0)).toBe(1)
      expect(peer.frames(FrameType.maxData)).toMatchObject([{ limit: 1_800 }])
    })

    test('a final size beyond the limit of the stream is FLOW_CONTROL_ERROR', () => {
      const peer = peerWithWindow({ settings: { initialMaxStreamDataBidiRemote: 500 } })
      peer.send(Level.application, frame.resetStream(0, 1, 501))
      expect(peer.close).toMatchObject({ code: FLOW_CONTROL_ERROR })
    })

    test('a final size beyond the limit of the connection is FLOW_CONTROL_ERROR', () => {
      const peer = peerWithWindow({ settings: { initialMaxData: 500 } })
      peer.send(Level.application, frame.stream(0, 0, bytes(300)), frame.resetStream(4, 1, 201))
      expect(peer.close).toMatchObject({ code: FLOW_CONTROL_ERROR })
    })

    test('a reset repeated is counted once', () => {
      const peer = peerWithWindow()
      for (let i = 0; i < 5; i++) peer.send(Level.application, frame.resetStream(0, 1, 600))
      expect(credit(peer)).toMatchObject({ received: 600, consumed: 600 })
    })

    test('stopping returns the credit of what is held, and of what still comes', () => {
      const peer = peerWithWindow()
      peer.send(Level.application, frame.stream(0, 0, bytes(300)))
      expect(credit(peer)).toMatchObject({ received: 300, consumed: 0 })
      peer.end.application.accepted[0].stopSending(9)
      expect(credit(peer)).toMatchObject({ received: 300, consumed: 300 })
      peer.send(Level.application, frame.stream(0, 500, bytes(100)))
      peer.send(Level.application, frame.stream(0, 300, bytes(200)))
      expect(credit(peer)).toMatchObject({ received: 600, consumed: 600 })
      peer.send(Level.application, frame.resetStream(0, 9, 700))
      expect(credit(peer)).toMatchObject({ received: 700, consumed: 700 })
    })

    test('stopping when the final size is known returns everything at once, gaps included', () => {
      const peer = peerWithWindow()
      peer.send(Level.application, frame.stream(0, 500, bytes(100), true))
      peer.end.application.accepted[0].stopSending(9)
      expect(credit(peer)).toMatchObject({ received: 600, consumed: 600 })
      peer.send(Level.application, frame.stream(0, 0, bytes(500)))
      expect(credit(peer)).toMatchObject({ received: 600, consumed: 600 })
    })

    test('every byte comes back over a thousand streams that end in every way', () => {
      const peer = new Peer({ settings: { initialMaxStreamsBidi: 5_000 } }).handshake()
      const { application } = peer.end
      application.reads = false
      for (let i = 0; i < 1_000; i++) {
        const id = 4 * i
        peer.send(Level.application, frame.stream(id, 0, bytes(10 + (i % 50)), i % 5 === 0))
        const stream = application.accepted[i]
        if (i % 4 === 0)
          peer.send(Level.application, i % 5 === 0 ? frame.ping() : frame.resetStream(id, 1, 90))
        if (i % 4 === 1) stream.stopSending(1)
        if (i % 4 === 2) while (stream.read() !== undefined);
        stream.reset(0)
        peer.flush()
      }
      for (const stream of peer.connection.streams.values()) {
        if (stream.readableBytes > 0) while (stream.read() !== undefined);
      }
      const { received, consumed } = credit(peer)
      expect(received).toBeGreaterThan(10_000)
      expect(consumed).toBe(received)
    })
  })

  describe('25 the same bytes again (RFC 9000 sections 2.2 and 4.1)', () => {
    test('count once, also at the very limit', () => {
      const peer = peerWithWindow()
      for (let i = 0; i < 5; i++) peer.send(Level.application, frame.stream(0, 0, bytes(WINDOW)))
      for (let i = 0; i < 10; i++) peer.send(Level.application, frame.stream(0, 100 * i, bytes(100)))
      expect(peer.connection.isEnding).toBe(false)
      expect(credit(peer).received).toBe(WINDOW)
    })

    test('overlapping pieces in any order make one stream', () => {
      const peer = peerWithWindow()
      const text = Buffer.from(Array.from({ length: 900 }, (_, i) => i & 0xff))
      for (const [from, to] of [
        [600, 900],
        [100, 400],
        [0, 150],
        [350, 700],
        [50, 850],
      ]) {
        peer.send(Level.application, frame.stream(0, from, text.subarray(from, to)))
      }
      peer.end.application.readAll(peer.end.application.accepted[0])
      expect(peer.end.application.bytes(0).equals(text)).toBe(true)
      expect(credit(peer).received).toBe(900)
    })
  })

  describe('26 FINAL_SIZE_ERROR (RFC 9000 section 4.5)', () => {
    const fin = frame.stream(0, 0, bytes(10), true)
    const cases: [name: string, before: Uint8Array, wrong: Uint8Array][] = [
      ['a FIN further out', fin, frame.stream(0, 0, bytes(11), true)],
      ['a FIN further in', fin, frame.stream(0, 0, bytes(9), true)],
      ['data beyond the FIN', fin, frame.stream(0, 10, 'x')],
      ['a reset with another size', fin, frame.resetStream(0, 1, 11)],
      ['a FIN below what was received', frame.stream(0, 5, bytes(5)), frame.stream(0, 0, bytes(9), true)],
      ['a reset below what was received', frame.stream(0, 5, bytes(5)), frame.resetStream(0, 1, 9)],
      ['a second reset with another size', frame.resetStream(0, 1, 10), frame.resetStream(0, 1, 11)],
      ['data beyond a reset', frame.resetStream(0, 1, 10), frame.stream(0, 10, 'x')],
      ['a FIN that differs from a reset', frame.resetStream(0, 1, 10), frame.stream(0, 0, bytes(9), true)],
    ]

    test.each(cases)('%s', (_name, before, wrong) => {
      const peer = peerWithWindow()
      peer.send(Level.application, before)
      expect(peer.close).toBeUndefined()
      peer.send(Level.application, wrong)
      expect(peer.close).toMatchObject({ code: FINAL_SIZE_ERROR })
    })

    test('also when the receiving part is over while the other one lives', () => {
      const peer = peerWithWindow()
      peer.end.application.reads = true
      peer.send(Level.application, fin)
      expect(peer.end.application.finished.has(0)).toBe(true)
      expect(peer.connection.streams.has(0)).toBe(true)
      peer.send(Level.application, frame.stream(0, 10, 'x'))
      expect(peer.close).toMatchObject({ code: FINAL_SIZE_ERROR })
    })

    test('also on a stream that was stopped', () => {
      const peer = peerWithWindow()
      peer.send(Level.application, frame.stream(0, 0, bytes(10)))
      peer.end.application.accepted[0].stopSending(1)
      peer.send(Level.application, frame.resetStream(0, 1, 9))
      expect(peer.close).toMatchObject({ code: FINAL_SIZE_ERROR })
    })

    test('the same final size again is no error', () => {
      const peer = peerWithWindow()
      peer.send(Level.application, fin)
      peer.send(Level.application, fin, frame.stream(0, 10, '', true), frame.resetStream(0, 1, 10))
      expect(peer.close).toBeUndefined()
    })
  })

  describe('27 a FIN without data needs no credit (RFC 9000 section 4.1)', () => {
    const parameters = { initialMaxStreamDataBidiRemote: 0, initialMaxStreamDataUni: 5, initialMaxData: 5 }

    test('on an empty stream', () => {
      const peer = new Peer({ parameters: { ...parameters, initialMaxData: 0 } }).handshake()
      const stream = peer.connection.openStream('uni')!
      stream.end()
      peer.collect()
      expect(peer.frames(FrameType.stream)).toMatchObject([{ offset: 0, fin: true, streamId: stream.id }])
    })

    test('after exactly as much data as was allowed', () => {
      const peer = new Peer({ parameters }).handshake()
      const stream = peer.connection.openStream('uni')!
      stream.write(Buffer.from('12345'))
      peer.collect()
      stream.end()
      peer.collect()
      const frames = peer.frames(FrameType.stream)
      expect(frames.at(-1)).toMatchObject({ offset: 5, fin: true })
      expect(frames.at(-1)!.data!.length).toBe(0)
    })

    test('a blocked writer says so once per limit, and goes on when the limit rises (section 4.1)', () => {
      const peer = new Peer({ parameters: { ...parameters, initialMaxData: 100 } }).handshake()
      const stream = peer.connection.openStream('uni')!
      stream.write(Buffer.from('1234567890'))
      stream.end()
      peer.advance(500)
      expect(peer.frames(FrameType.streamDataBlocked)).toMatchObject([{ streamId: stream.id, limit: 5 }])
      peer.send(Level.application, frame.maxStreamData(stream.id, 4))
      expect(peer.frames(FrameType.stream)).toHaveLength(1)
      peer.send(Level.application, frame.maxStreamData(stream.id, 10))
      expect(peer.frames(FrameType.stream).at(-1)).toMatchObject({ offset: 5, fin: true })
    })

    test('the connection says so as well', () => {
      const peer = new Peer({ parameters: { ...parameters, initialMaxStreamDataUni: 100 } }).handshake()
      const streams = [peer.connection.openStream('uni')!, peer.connection.openStream('uni')!]
      for (const stream of streams) stream.write(Buffer.from('123'))
      peer.advance(500)
      expect(peer.frames(FrameType.dataBlocked)).toMatchObject([{ limit: 5 }])
      peer.send(Level.application, frame.maxData(6))
      const text = streams.map(({ id }) => {
        const frames = peer.frames(FrameType.stream).filter((received) => received.streamId === id)
        return Buffer.concat(frames.map((received) => received.data!)).toString()
      })
      expect(text).toEqual(['123', '123'])
    })
  })
})
