// draft-ietf-quic-reliable-stream-reset: a reset that delivers the beginning of its stream all the same.
import { describe, expect, test } from 'vitest'
import { ReceivePhase, SendPhase } from '../../src/machines/index.ts'
import { FrameType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, ScriptedPeer } from './scripted-peer.ts'

const { FINAL_SIZE_ERROR, FLOW_CONTROL_ERROR, FRAME_ENCODING_ERROR, STREAM_STATE_ERROR } = TransportErrorCode
const CODE = 0x33

function established(options: ScriptedOptions = {}): ScriptedPeer {
  return new ScriptedPeer({ parameters: { resetStreamAt: true }, ...options }).handshake()
}

const text = (peer: ScriptedPeer, id = 0): string => peer.end.application.bytes(id).toString()
const resets = (peer: ScriptedPeer): [number, number][] => [...peer.end.application.resets]
const send = (peer: ScriptedPeer, ...frames: Uint8Array[]) => peer.send(Level.application, ...frames)

describe('what is refused (sections 4 and 5.2)', () => {
  test.each<[string, number, Uint8Array[]]>([
    ['a reliable size above the final size', FRAME_ENCODING_ERROR, [frame.resetStreamAt(0, CODE, 4, 5)]],
    ['a final size beyond the credit', FLOW_CONTROL_ERROR, [frame.resetStreamAt(0, CODE, 2 ** 30, 1)]],
    [
      'a final size that changes',
      FINAL_SIZE_ERROR,
      [frame.resetStreamAt(0, CODE, 9, 5), frame.resetStreamAt(0, CODE, 8, 4)],
    ],
    [
      'a FIN elsewhere',
      FINAL_SIZE_ERROR,
      [frame.resetStreamAt(0, CODE, 9, 5), frame.stream(0, 0, 'abc', true)],
    ],
    [
      'data beyond the final size',
      FINAL_SIZE_ERROR,
      [frame.resetStreamAt(0, CODE, 9, 5), frame.stream(0, 8, 'abc')],
    ],
    [
      'a final size below what has come',
      FINAL_SIZE_ERROR,
      [frame.stream(0, 0, 'abc'), frame.resetStreamAt(0, CODE, 2, 1)],
    ],
    [
      'a code that changes',
      STREAM_STATE_ERROR,
      [frame.resetStreamAt(0, CODE, 9, 5), frame.resetStreamAt(0, CODE + 1, 9, 4)],
    ],
    [
      'a code that changes with RESET_STREAM',
      STREAM_STATE_ERROR,
      [frame.resetStreamAt(0, CODE, 9, 5), frame.resetStream(0, CODE + 1, 9)],
    ],
    ['a stream that only we send on', STREAM_STATE_ERROR, [frame.resetStreamAt(3, CODE, 9, 5)]],
  ])('%s', (_name, code, frames) => {
    const peer = established()
    send(peer, ...frames)
    expect(peer.close).toMatchObject({ code })
  })

  test('the frame, by who did not announce it (section 3)', () => {
    const peer = established({ settings: { resetStreamAt: false } })
    send(peer, frame.resetStreamAt(0, CODE, 9, 5))
    expect(peer.close).toMatchObject({ code: FRAME_ENCODING_ERROR, frameType: FrameType.resetStreamAt })
  })
})

describe('receiving (section 5.3)', () => {
  test('the reset is told after the reliable part, whatever arrives first', () => {
    const peer = established()
    send(peer, frame.resetStreamAt(0, CODE, 9, 5))
    expect(resets(peer)).toEqual([])
    send(peer, frame.stream(0, 3, 'de'))
    expect(text(peer)).toBe('')
    send(peer, frame.stream(0, 0, 'abc'))
    expect(text(peer)).toBe('abcde')
    expect(resets(peer)).toEqual([[0, CODE]])
    expect(peer.end.application.finished.size).toBe(0)
  })

  test('what was read already is enough; what is beyond is dropped, and its credit comes back', () => {
    const peer = established()
    const { receiveCredit } = peer.connection.host
    send(peer, frame.stream(0, 0, 'abcde'), frame.stream(0, 7, 'hi'))
    send(peer, frame.resetStreamAt(0, CODE, 5_000, 5))
    expect(resets(peer)).toEqual([[0, CODE]])
    expect(peer.connection.receiveBufferedBytes).toBe(0)
    expect([receiveCredit.received, receiveCredit.consumed]).toEqual([5_000, 5_000])
  })

  test('an application that reads late gets the bytes first, and no end of stream', () => {
    const peer = established()
    const { application } = peer.end
    application.reads = false
    send(peer, frame.stream(0, 0, 'abcde'), frame.resetStreamAt(0, CODE, 5, 5))
    const stream = application.accepted[0]
    expect(stream.actor.receivePhase).toBe(ReceivePhase.dataRecvd)
    application.readAll(stream)
    expect([text(peer), stream.isReadComplete]).toEqual(['abcde', false])
    peer.advance(1)
    expect(resets(peer)).toEqual([[0, CODE]])
    expect(stream.actor.receivePhase).toBe(ReceivePhase.resetRead)
  })

  test('a later frame may promise less, never more (section 5.2)', () => {
    const peer = established()
    send(peer, frame.resetStreamAt(0, CODE, 9, 5))
    send(peer, frame.resetStreamAt(0, CODE, 9, 8), frame.resetStreamAt(0, CODE, 9, 2))
    send(peer, frame.stream(0, 0, 'ab'))
    expect([text(peer), resets(peer)]).toEqual(['ab', [[0, CODE]]])
  })

  test('less than what was read ends it at once, also while the rest waits to be read', () => {
    const peer = established()
    const { application } = peer.end
    application.onReadable = () => {}
    send(peer, frame.stream(0, 0, 'abc'), frame.stream(0, 3, 'def'), frame.resetStreamAt(0, CODE, 9, 6))
    const chunk = application.accepted[0].read()!
    send(peer, frame.resetStreamAt(0, CODE, 9, Math.min(3, chunk.length)))
    expect(resets(peer)).toEqual([[0, CODE]])
  })

  test.each([
    ['RESET_STREAM', frame.resetStream(0, CODE, 9)],
    ['a reliable size of 0', frame.resetStreamAt(0, CODE, 9, 0)],
  ])('%s takes the promise back', (_name, bytes) => {
    const peer = established()
    send(peer, frame.resetStreamAt(0, CODE, 9, 5))
    send(peer, frame.stream(0, 3, 'de'), bytes)
    expect([text(peer), resets(peer)]).toEqual(['', [[0, CODE]]])
  })

  test('after a FIN and all data nothing changes (RFC 9000 section 3.2)', () => {
    const peer = established()
    peer.end.application.reads = false
    send(peer, frame.stream(0, 0, 'abc', true))
    send(peer, frame.resetStreamAt(0, CODE, 3, 1))
    peer.end.application.readAll(peer.end.application.accepted[0])
    peer.advance(1)
    expect([text(peer), peer.end.application.finished.has(0), resets(peer)]).toEqual(['abc', true, []])
  })

  test('somebody who does not want the data does not wait for it', () => {
    const peer = established()
    send(peer, frame.stream(0, 0, 'a'))
    const stream = peer.end.application.accepted[0]
    stream.stopSending(1)
    send(peer, frame.resetStreamAt(0, CODE, 9, 5))
    expect(stream.actor.receivePhase).toBe(ReceivePhase.resetRead)
    expect(peer.close).toBeUndefined()
  })
})

describe('sending', () => {
  function opened(peer: ScriptedPeer, data: string) {
    const stream = peer.connection.openStream('bidi')!
    stream.application = peer.end.application
    stream.write(Buffer.from(data))
    return stream
  }
  const sent = (peer: ScriptedPeer) => peer.frames(FrameType.resetStreamAt)

  test('unsent data up to the reliable size, the frame, and nothing else; the end is a reset', () => {
    const peer = established()
    const stream = opened(peer, 'headerAND THE REST')
    stream.reset(CODE, 6)
    expect(stream.canWrite).toBe(false)
    peer.advance(100)
    const bytes = peer.frames(FrameType.stream).map((each) => Buffer.from(each.data!).toString())
    expect(bytes).toEqual(['header'])
    expect(sent(peer)).toMatchObject([{ streamId: stream.id, code: CODE, finalSize: 6, reliableSize: 6 }])
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
    expect(stream.bufferedBytes).toBe(0)
  })

  test('the final size covers what has been sent already (RFC 9000 section 4.5)', () => {
    const peer = established()
    const stream = opened(peer, 'headerAND THE REST')
    peer.collect()
    stream.reset(CODE, 6)
    peer.collect()
    expect(sent(peer)).toMatchObject([{ finalSize: 18, reliableSize: 6 }])
  })

  test('lost data is repeated up to the reliable size only (section 5)', () => {
    const peer = established()
    peer.advance(100)
    peer.autoAck = false
    const stream = opened(peer, 'headerAND THE REST')
    peer.collect()
    stream.reset(CODE, 6)
    peer.advance(1_000)
    const [first, ...repeated] = peer
      .frames(FrameType.stream)
      .map(({ data }) => Buffer.from(data!).toString())
    expect(first).toBe('headerAND THE REST')
    expect(new Set(repeated)).toEqual(new Set(['header']))
    expect(sent(peer).length).toBeGreaterThan(1)
    expect(stream.actor.sendPhase).toBe(SendPhase.dataSent)
    peer.acknowledge()
    peer.advance(100)
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
  })

  test('the frame waits for credit (section 4: "MUST NOT send a RESET_STREAM_AT frame that exceeds")', () => {
    const peer = established({ parameters: { resetStreamAt: true, initialMaxStreamDataBidiRemote: 4 } })
    const stream = opened(peer, 'header')
    stream.reset(CODE, 6)
    peer.advance(100)
    expect(sent(peer)).toEqual([])
    expect(stream.actor.sendPhase).toBe(SendPhase.send)
    send(peer, frame.maxStreamData(stream.id, 100))
    peer.advance(100)
    expect(sent(peer)).toMatchObject([{ finalSize: 6, reliableSize: 6 }])
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
  })

  test('a second reset promises less and keeps code and final size (section 5.2)', () => {
    const peer = established({ autoAck: false })
    const stream = opened(peer, 'headerAND THE REST')
    stream.reset(CODE, 12)
    peer.collect()
    stream.reset(CODE + 1, 14)
    stream.reset(CODE + 1, 6)
    peer.collect()
    expect(sent(peer)).toMatchObject([
      { code: CODE, finalSize: 12, reliableSize: 12 },
      { code: CODE, finalSize: 12, reliableSize: 6 },
    ])
    peer.acknowledge()
    peer.advance(1)
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
  })

  test('only the acknowledgement of the smallest promise ends it (section 5.3)', () => {
    const peer = established({ autoAck: false })
    const stream = opened(peer, 'headerAND THE REST')
    stream.reset(CODE, 12)
    peer.collect()
    peer.acknowledge()
    stream.reset(CODE, 6)
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
    const other = opened(peer, 'headerAND THE REST')
    other.reset(CODE, 12)
    peer.collect()
    const numbers = peer.spaces[2].unacknowledged.splice(0)
    other.reset(CODE, 6)
    peer.collect()
    send(peer, frame.ack(numbers.at(-1)!))
    expect(other.actor.sendPhase).toBe(SendPhase.dataSent)
    peer.acknowledge()
    expect(other.actor.sendPhase).toBe(SendPhase.resetRecvd)
  })

  test('a plain reset, or STOP_SENDING, takes the promise back: same code, same final size (section 5.4)', () => {
    const peer = established({ autoAck: false })
    const streams = [opened(peer, 'headerAND THE REST'), opened(peer, 'headerAND THE REST')]
    for (const stream of streams) stream.reset(CODE, 6)
    peer.collect()
    streams[0].reset(CODE + 1)
    send(peer, frame.stopSending(streams[1].id, CODE + 2))
    peer.collect()
    expect(peer.frames(FrameType.resetStream)).toMatchObject([
      { streamId: streams[0].id, code: CODE, finalSize: 6 },
      { streamId: streams[1].id, code: CODE, finalSize: 6 },
    ])
  })

  test('after the FIN, the final size is that of the FIN (section 5.1)', () => {
    const peer = established({ autoAck: false })
    const stream = opened(peer, 'headerAND THE REST')
    stream.end()
    peer.collect()
    stream.reset(CODE, 6)
    peer.collect()
    expect(sent(peer)).toMatchObject([{ finalSize: 18, reliableSize: 6 }])
    peer.acknowledge()
    expect(stream.actor.sendPhase).toBe(SendPhase.resetRecvd)
  })

  test.each<[string, ScriptedOptions, number]>([
    ['a peer that does not know the frame', { parameters: {} }, 6],
    ['nothing to deliver', {}, 0],
  ])('%s: a plain RESET_STREAM', (_name, options, size) => {
    const peer = established(options)
    const stream = opened(peer, 'header')
    peer.collect()
    stream.reset(CODE, size)
    peer.advance(100)
    expect(sent(peer)).toEqual([])
    expect(peer.frames(FrameType.resetStream)).toMatchObject([{ code: CODE, finalSize: 6 }])
  })
})
