// H3Connection at a server: its own streams, settings, GOAWAY and shutdown, budgets and caps.
// RFC 9114 sections 5.2, 6.2.1, 7.2.4, 10.5; RFC 9204 section 4.2.
import { describe, expect, it } from 'vitest'
import { FrameType } from '../../../src/http3/frames.ts'
import {
  GLITCH_BUDGET,
  MAX_BLOCKED_STREAMS,
  MAX_FIELD_SECTION_SIZE,
  MAX_TABLE_CAPACITY,
} from '../../../src/http3/limits.ts'
import { initialSettings, parseSettings } from '../../../src/http3/settings.ts'
import { framesOf } from './frames-of.ts'
import { data, frame, get, getFields, headers, hex, post, Recorder, Session, varint } from './session.ts'

describe('our own streams (RFC 9114 section 6.2.1, RFC 9204 section 4.2)', () => {
  it('opens control, encoder and decoder stream at once, SETTINGS first', () => {
    const { transport } = new Session('server')
    const [control, encoder, decoder] = [3, 7, 11].map((id) => transport.streams.get(id)!)
    expect(control.output[0]).toBe(0x00)
    expect(encoder.output.toString('hex')).toBe('02')
    expect(decoder.output.toString('hex')).toBe('03')
    expect(framesOf(control.output.subarray(1)).length).toBe(1)
  })

  it('announces the dynamic table, the size limit, and one reserved setting (section 7.2.4.1)', () => {
    const { transport } = new Session('server', { grease: 5, settings: { enableConnectProtocol: true } })
    const output = transport.streams.get(3)!.output
    const settings = parseSettings(output.subarray(3))
    expect(settings).toEqual({
      ...initialSettings,
      qpackMaxTableCapacity: MAX_TABLE_CAPACITY,
      qpackBlockedStreams: MAX_BLOCKED_STREAMS,
      maxFieldSectionSize: MAX_FIELD_SECTION_SIZE,
      enableConnectProtocol: true,
      h3Datagram: false,
    })
    expect(output.subarray(-3).toString('hex')).toBe('40bc05')
  })

  it('opens the rest when the peer gives stream credit, control stream first', () => {
    const session = new Session('server', {}, 1)
    expect([...session.transport.streams.keys()]).toEqual([3])
    session.h3.handleStreamCredit('uni')
    expect([...session.transport.streams.keys()]).toEqual([3])
    session.transport.credit.uni = 100
    session.h3.handleStreamCredit('uni')
    expect([...session.transport.streams.keys()]).toEqual([3, 7, 11])
    session.h3.handleStreamCredit('uni')
    expect(session.transport.streams.size).toBe(3)
  })

  it('takes the peer settings and tells them once', () => {
    const session = new Session('server')
    session.accept(2).receive(Buffer.concat([varint(0), frame(4, hex('0644000801210533010740640100'))]))
    expect(session.error).toBeUndefined()
    expect(session.log).toEqual(['settings 1024'])
    expect(session.h3.peerSettings).toEqual({
      ...initialSettings,
      qpackMaxTableCapacity: 0,
      qpackBlockedStreams: 100,
      maxFieldSectionSize: 1024,
      enableConnectProtocol: true,
      h3Datagram: true,
    })
  })
})

describe('GOAWAY of a server (RFC 9114 section 5.2)', () => {
  const goaways = (session: Session) =>
    framesOf(session.transport.streams.get(3)!.output.subarray(1)).slice(1)

  it('announces the end with 2^62-4, then with the next ID, and rejects what comes later', () => {
    const session = new Session('server')
    session.request(get)
    session.h3.goaway()
    expect(session.h3.isDraining).toBe(true)
    const inFlight = session.request(get, true, 4)
    expect(inFlight.resetCode).toBeUndefined()
    session.h3.shutdown()
    expect(goaways(session)).toEqual(['7:fffffffffffffffc', '7:08'])
    const late = session.request(get, true, 8)
    expect([late.resetCode, late.stopCode]).toEqual([0x10b, 0x10b])
    expect(session.requests.length).toBe(2)
  })

  it('never sends a larger or a repeated identifier', () => {
    const session = new Session('server')
    session.h3.goaway(8)
    session.h3.goaway(8)
    session.h3.goaway(12)
    session.h3.goaway()
    session.h3.goaway(4)
    expect(goaways(session)).toEqual(['7:08', '7:04'])
  })

  it('takes GOAWAY of a client as a push ID, which must not increase', () => {
    const session = new Session('server')
    const control = session.control(Buffer.concat([frame(7, varint(3)), frame(7, varint(1))]))
    expect(session.log.slice(1)).toEqual(['goaway 3', 'goaway 1'])
    control.receive(frame(7, varint(2)))
    expect(session.error).toBe(0x108)
  })

  it('closes with H3_NO_ERROR and passes closing and closed on', () => {
    const session = new Session('server')
    session.h3.close()
    expect(session.error).toBe(0x100)
    session.h3.handleClosing({
      code: 0x100,
      reason: '',
      isApplication: true,
      isLocal: true,
      cause: 'close',
      frameType: 0,
    })
    session.h3.handleClosed()
    expect(session.log).toEqual(['closing', 'closed'])
  })
})

describe('caps of a request (RFC 9114 sections 4.2.2 and 10.5)', () => {
  const status = (session: Session, id = 0) => framesOf(session.transport.streams.get(id)!.output)

  it('answers a head whose frame is too large with 431 before collecting it', () => {
    const session = new Session('server')
    const stream = session.accept(0)
    stream.receive(Buffer.concat([varint(1), varint(MAX_FIELD_SECTION_SIZE + 1), Buffer.alloc(100)]))
    expect(status(session)).toEqual(['H :status|431'])
    expect([stream.isEnded, stream.stopCode, stream.resetCode]).toEqual([true, 0x100, undefined])
    expect([session.requests.length, session.error]).toEqual([0, undefined])
  })

  it('answers a head that decodes to too much with 431', () => {
    const session = new Session('server')
    session.request(headers([...getFields, 'x', 'a'.repeat(MAX_FIELD_SECTION_SIZE)]))
    expect(status(session)).toEqual(['H :status|431'])
    const bomb = Buffer.concat([headers(getFields).subarray(2), Buffer.alloc(1000, 0xdd)])
    session.request(frame(1, bomb), true, 4)
    expect(status(session, 4)).toEqual(['H :status|431'])
    expect(session.requests.length).toBe(0)
  })

  it('holds trailers to the same caps (one budget for every section)', () => {
    const session = new Session('server')
    const trailers = headers(['x', 'a'.repeat(MAX_FIELD_SECTION_SIZE)])
    const stream = session.request(Buffer.concat([post, data('x'), trailers]))
    expect([stream.resetCode, stream.stopCode]).toEqual([0x107, 0x107])
    expect(session.requests[0].log).toEqual(['reset 107 local'])
  })

  it('keeps no more memory for a split head than has arrived', () => {
    const session = new Session('server')
    const stream = session.accept(0)
    stream.receive(Buffer.concat([varint(1), varint(30_000)]))
    for (let piece = 0; piece < 20; piece++) stream.receive(Buffer.alloc(100, 0x21))
    const request = stream.application as unknown as {
      receiver: { reassembly: Uint8Array; heldBytes: number }
    }
    expect(request.receiver.heldBytes).toBe(2000)
    expect(request.receiver.reassembly.length).toBeLessThan(4_100)
  })
})

describe('useless traffic ends in H3_EXCESSIVE_LOAD (RFC 9114 section 10.5)', () => {
  const flood = (count: number, bytes: Uint8Array) =>
    Buffer.concat(Array.from({ length: count }, () => bytes))

  it.each([
    ['empty DATA frames', frame(0, Buffer.alloc(0))],
    ['empty unknown frames', frame(0x21, Buffer.alloc(0))],
  ])('%s on a request stream', (_, bytes) => {
    const session = new Session('server')
    const stream = session.request(Buffer.concat([post, flood(GLITCH_BUDGET, bytes)]), false)
    expect(session.error).toBeUndefined()
    stream.receive(bytes)
    expect(session.error).toBe(0x107)
  })

  it('unknown frames of great declared length, whether or not their payload comes', () => {
    const session = new Session('server')
    session.request(Buffer.concat([varint(0x21), hex('ffffffffffffffff')]), false)
    expect(session.error).toBe(0x107)
  })

  it.each([
    ['MAX_PUSH_ID', frame(FrameType.maxPushId, varint(1))],
    ['GOAWAY', frame(FrameType.goaway, varint(1))],
    ['PRIORITY_UPDATE', frame(FrameType.priorityUpdateRequest, varint(0))],
    ['unknown frames', frame(0x21, Buffer.alloc(0))],
  ])('%s on the control stream', (_, bytes) => {
    const session = new Session('server')
    session.control(flood(GLITCH_BUDGET, bytes))
    expect(session.error).toBeUndefined()
    session.transport.streams.get(2)!.receive(bytes)
    expect(session.error).toBe(0x107)
  })

  it('streams of unknown types', () => {
    const session = new Session('server')
    for (let count = 0; count <= GLITCH_BUDGET; count++) session.accept(2 + count * 4).receive(varint(0x21))
    expect(session.error).toBe(0x107)
  })

  it('requests that are reset (rapid reset), and malformed ones', () => {
    const resets = new Session('server')
    const faults = new Session('server')
    for (let count = 0; count <= GLITCH_BUDGET; count++) {
      resets.request(post, false, count * 4).receiveReset(0x10c)
      faults.request(headers(['x', 'y']), true, count * 4)
    }
    expect([resets.error, faults.error]).toEqual([0x107, 0x107])
  })

  it('interim responses to a client', () => {
    const session = new Session('client')
    const recorder = new Recorder(session.h3.openRequest(getFields, false)!)
    const stream = session.transport.streams.get(0)!
    for (let count = 0; count <= GLITCH_BUDGET; count++) stream.receive(headers([':status', '103']))
    expect(recorder.log.length).toBe(GLITCH_BUDGET)
    expect(session.error).toBe(0x107)
  })

  it('answered requests and the sweep of the owner give points back, up to the full budget', () => {
    const session = new Session('server')
    session.h3.budget.charge(100)
    session.request(get)
    session.requests[0].stream.respond(200, [], { end: true })
    expect(session.h3.budget.points).toBe(GLITCH_BUDGET - 98)
    session.h3.replenish(33)
    expect(session.h3.budget.points).toBe(GLITCH_BUDGET - 65)
    session.h3.replenish(1_000)
    expect(session.h3.budget.points).toBe(GLITCH_BUDGET)
  })
})

describe('a handler that throws', () => {
  it('is not taken for an error of the peer: the exception reaches the transport', () => {
    const session = new Session('server')
    session.onRequest = () => {
      throw new RangeError('handler')
    }
    expect(() => session.request(get)).toThrow(new RangeError('handler'))
    expect(session.error).toBeUndefined()
  })
})
