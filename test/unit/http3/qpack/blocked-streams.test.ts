// Sections that arrive before the insertions that they need, RFC 9204 sections 2.1.2, 2.2.1 and 2.2.2, on a whole
// HTTP/3 connection.
import { describe, expect, it } from 'vitest'
import type { H3ConnectionOptions } from '../../../../src/http3/index.ts'
import { MAX_BLOCKED_STREAMS, MAX_FIELD_SECTION_SIZE } from '../../../../src/http3/limits.ts'
import { data, frame, getFields, hex, postFields, Recorder, Session } from '../session.ts'
import type { StreamDouble } from '../stream-double.ts'
import { ownStream, QpackPair } from './qpack-pair.ts'

/** Our server, and the encoder of a client whose insertions arrive when the test says so. */
class Peer {
  readonly session: Session
  readonly pair: QpackPair
  readonly #encoderStream: StreamDouble

  constructor(options: Partial<H3ConnectionOptions> = {}, role: 'client' | 'server' = 'server', uni = 3) {
    this.session = new Session(role, options, uni)
    const { qpackMaxTableCapacity: capacity, qpackBlockedStreams: blocked } = this.session.h3.settings
    this.pair = new QpackPair({ capacity, blocked: Math.max(blocked, 200) })
    this.#encoderStream = this.session.accept(role === 'server' ? 6 : 7)
    this.#encoderStream.receive(hex('02'))
  }

  /** A HEADERS frame that needs the insertions so far and those that it makes. */
  headers(id: number, fields: readonly string[]): Buffer {
    return frame(1, this.pair.encode(id, fields))
  }

  request(id: number, extra: readonly string[] = [], fin = true): StreamDouble {
    return this.session.request(this.headers(id, [...getFields, ...extra]), fin, id)
  }

  /** The next `count` bytes of the encoder stream arrive. */
  insert(count?: number): void {
    this.#encoderStream.receive(this.pair.encoderWire.take(count))
  }

  insertRaw(bytes: Uint8Array): void {
    this.#encoderStream.receive(bytes)
  }

  /** What our decoder stream has said, without the stream type. */
  get feedback(): string {
    return ownStream(this.session, 0x03)?.output.subarray(1).toString('hex') ?? ''
  }

  get blocked(): number {
    return this.session.h3.decoder.blockedStreams
  }
}

describe('a request ahead of its insertions (RFC 9204 section 2.2.1)', () => {
  it('waits, goes on in the call that brings them, and is acknowledged once', () => {
    const peer = new Peer()
    peer.request(4, ['user-agent', 'a browser'])
    expect([peer.session.requests.length, peer.blocked]).toEqual([0, 1])
    peer.insert(3)
    expect([peer.session.requests.length, peer.blocked]).toEqual([0, 1])
    peer.insert()
    const [request] = peer.session.requests
    expect(request.stream.headers).toEqual(['user-agent', 'a browser'])
    expect(request.log).toEqual(['end'])
    expect([peer.feedback, peer.blocked]).toEqual(['84', 0])
    expect(peer.session.error).toBeUndefined()
  })

  it('several go on in the order in which they came, each as soon as it can', () => {
    const peer = new Peer()
    peer.request(8, ['user-agent', 'one'])
    const first = peer.pair.encoderWire.take()
    peer.request(0, ['user-agent', 'two'])
    const second = peer.pair.encoderWire.take()
    peer.request(4, ['user-agent', 'one'])
    expect(peer.blocked).toBe(3)
    peer.insertRaw(first)
    expect(peer.session.requests.map(({ stream }) => stream.id)).toEqual([8, 4])
    peer.insertRaw(second)
    expect(peer.session.requests.map(({ stream }) => stream.id)).toEqual([8, 4, 0])
    expect(peer.feedback).toBe('888480')
  })

  it('insertions that no section needs are told by one increment for all of them (section 2.2.2.3)', () => {
    const peer = new Peer()
    peer.pair.encode(0, ['user-agent', 'one', 'accept-language', 'de', 'origin', 'https://a.example'])
    peer.insert()
    expect(peer.feedback).toBe('03')
  })

  it('what is behind a blocked head stays in the flow-control window', () => {
    const peer = new Peer()
    const head = peer.headers(0, [...postFields, 'user-agent', 'x'])
    const stream = peer.session.request(head, false, 0)
    stream.receive(data('a body'))
    stream.receive(data(' in two'), true)
    expect(stream.readableBytes).toBe(data('a body').length + data(' in two').length)
    peer.insert()
    const [request] = peer.session.requests
    expect([request.text, request.log]).toEqual(['a body in two', ['end']])
    expect(stream.readableBytes).toBe(0)
  })

  it('a body that came in the same datagram is kept, too', () => {
    const peer = new Peer()
    const head = peer.headers(0, [...postFields, 'user-agent', 'x'])
    peer.session.request(Buffer.concat([head, data('same')]), true, 0)
    peer.insert()
    expect(peer.session.requests[0].text).toBe('same')
  })

  it('a head in pieces is one section', () => {
    const peer = new Peer()
    const stream = peer.session.accept(0)
    for (const byte of peer.headers(0, [...getFields, 'user-agent', 'x'])) stream.receive(Uint8Array.of(byte))
    stream.receive(hex(''), true)
    expect(peer.blocked).toBe(1)
    peer.insert()
    expect(peer.session.requests[0].log).toEqual(['end'])
  })

  it('trailers wait as heads do, and the request goes on meanwhile', () => {
    const peer = new Peer()
    const head = peer.headers(0, postFields)
    peer.insert()
    const trailers = peer.headers(0, ['server', 'timing'])
    peer.session.request(Buffer.concat([head, data('body'), trailers]), true, 0)
    const [request] = peer.session.requests
    expect([request.text, request.log, peer.blocked]).toEqual(['body', [], 1])
    peer.insert()
    expect(request.log).toEqual(['trailers server|timing', 'end'])
    expect(peer.feedback).toBe('018080')
  })

  it('trailers that block after the response was complete end the request quietly', () => {
    const peer = new Peer()
    const head = peer.headers(0, postFields)
    peer.insert()
    const stream = peer.session.request(head, false, 0)
    peer.session.requests[0].stream.respond(200, [], { end: true })
    stream.receive(peer.headers(0, ['server', 'late']), true)
    expect(peer.blocked).toBe(1)
    peer.insert()
    expect([peer.blocked, stream.stopCode, stream.resetCode, peer.session.error]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('the number of blocked streams (RFC 9204 section 2.1.2)', () => {
  it('as many as were announced may wait; one more ends the connection', () => {
    const peer = new Peer()
    for (let at = 0; at < MAX_BLOCKED_STREAMS; at++) peer.request(4 * at, ['user-agent', `${at}`])
    expect([peer.blocked, peer.session.error]).toEqual([MAX_BLOCKED_STREAMS, undefined])
    peer.request(4 * MAX_BLOCKED_STREAMS, ['user-agent', 'one too many'])
    expect(peer.session.error).toBe(0x200)
  })

  it('after some went on, as many others may wait', () => {
    const peer = new Peer()
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < MAX_BLOCKED_STREAMS; at++) {
        peer.request(4 * (round * MAX_BLOCKED_STREAMS + at), ['user-agent', `${round} ${at}`])
      }
      peer.insert()
    }
    expect([peer.session.requests.length, peer.session.error]).toEqual([3 * MAX_BLOCKED_STREAMS, undefined])
  })

  it.each([0, 1, 2])('with a limit of %d', (limit) => {
    const peer = new Peer({ qpack: { maxTableCapacity: 4_096, blockedStreams: limit } })
    for (let at = 0; at < limit; at++) peer.request(4 * at, ['user-agent', `${at}`])
    expect([peer.blocked, peer.session.error]).toEqual([limit, undefined])
    peer.request(4 * limit, ['user-agent', 'last'])
    expect(peer.session.error).toBe(0x200)
  })

  it('sections that wait are bounded by the size of a section', () => {
    const peer = new Peer()
    const stream = peer.request(0, ['user-agent', 'x'])
    expect(stream.readableBytes).toBe(0)
    const large = Buffer.concat([hex('0200'), Buffer.alloc(MAX_FIELD_SECTION_SIZE - 1)])
    const refused = peer.session.request(frame(1, large), false, 4)
    expect([refused.stopCode, peer.blocked]).toEqual([0x100, 1])
  })
})

describe('streams that end while they wait (RFC 9204 section 2.2.2.2)', () => {
  it('a reset sends Stream Cancellation, and nothing comes of the request', () => {
    const peer = new Peer()
    const stream = peer.request(8, ['user-agent', 'x'], false)
    stream.receiveReset(0x10c)
    expect([peer.feedback, peer.blocked]).toEqual(['48', 0])
    peer.insert()
    expect([peer.session.requests.length, peer.feedback]).toEqual([0, '4802'])
    expect(stream.resetCode).toBe(0x10b)
  })

  it('a request that is given up in its body is cancelled: its trailers may refer to the table', () => {
    const peer = new Peer()
    const head = peer.headers(0, postFields)
    peer.insert()
    peer.session.request(Buffer.concat([head, data('x')]), false, 0)
    peer.session.requests[0].stream.reset()
    expect(peer.feedback).toBe('018040')
  })

  it('a request that was read to its end is not', () => {
    const peer = new Peer()
    peer.request(0, ['user-agent', 'x'])
    peer.insert()
    peer.session.requests[0].stream.reset()
    expect(peer.feedback).toBe('80')
  })

  it('nothing is cancelled without a dynamic table', () => {
    const peer = new Peer({ qpack: { maxTableCapacity: 0, blockedStreams: 0 } })
    peer.request(0, [], false).receiveReset(0x10c)
    expect(peer.feedback).toBe('')
  })

  it('the end of the connection wakes nobody', () => {
    const peer = new Peer()
    peer.request(0, ['user-agent', 'x'])
    peer.session.h3.handleClosing({ code: 0 } as never)
    expect(peer.blocked).toBe(0)
    peer.session.h3.handleClosed()
    expect(peer.session.requests.length).toBe(0)
    expect(peer.feedback).toBe('')
  })
})

describe('errors that show when a section can be decoded at last', () => {
  it('a malformed head ends its stream only (RFC 9114 section 4.1.2)', () => {
    const peer = new Peer()
    const bad = peer.headers(0, [...getFields.slice(2), 'user-agent', 'x'])
    const stream = peer.session.request(bad, true, 0)
    peer.request(4, ['user-agent', 'x'])
    peer.insert()
    expect([stream.resetCode, peer.session.error]).toEqual([0x10e, undefined])
    expect(peer.session.requests.map(({ stream: { id } }) => id)).toEqual([4])
  })

  it('a reference beyond the Required Insert Count ends the connection (section 2.2.3)', () => {
    const peer = new Peer()
    peer.session.request(frame(1, hex('020011')), true, 0)
    expect(peer.blocked).toBe(1)
    peer.pair.encode(0, ['user-agent', 'x'])
    peer.insert()
    expect(peer.session.error).toBe(0x200)
  })

  it('a reference to an entry that was evicted ends the connection (section 2.2.3)', () => {
    const peer = new Peer({ qpack: { maxTableCapacity: 64, blockedStreams: 1 } })
    peer.insertRaw(hex('3f21 c00161 c00162'.replaceAll(' ', '')))
    peer.session.request(frame(1, hex('030081')), true, 0)
    expect(peer.session.error).toBe(0x200)
  })

  it('a broken encoder stream ends the connection with its own code', () => {
    const peer = new Peer()
    peer.request(0, ['user-agent', 'x'])
    peer.insertRaw(hex('3fe21f'))
    expect(peer.session.error).toBe(0x201)
  })
})

describe('a client', () => {
  it('a response that waits is not lost when both sides of its stream are done', () => {
    const peer = new Peer({}, 'client')
    const recorder = new Recorder(peer.session.h3.openRequest(getFields, false)!)
    const stream = peer.session.transport.streams.get(0)!
    stream.receive(peer.headers(0, [':status', '200', 'server', 'other']), true)
    stream.close('closed')
    expect([recorder.log, peer.blocked]).toEqual([[], 1])
    peer.insert()
    expect(recorder.log).toEqual(['head 200 server|other', 'end', 'closed closed'])
    expect(peer.session.h3.lingering.size).toBe(0)
    expect(peer.feedback).toBe('80')
  })

  it('an interim response that waits comes before the final one', () => {
    const peer = new Peer({}, 'client')
    const recorder = new Recorder(peer.session.h3.openRequest(getFields, false)!)
    const interim = peer.headers(0, [':status', '103', 'x-a', 'b'])
    const early = peer.headers(0, [':status', '103', 'server', 'early'])
    const final = peer.headers(0, [':status', '200', 'server', 'early'])
    peer.session.transport.streams.get(0)!.receive(Buffer.concat([interim, early, final]), true)
    expect(recorder.log).toEqual(['informational 103 x-a|b'])
    peer.insert()
    expect(recorder.log.slice(1)).toEqual(['informational 103 server|early', 'head 200 server|early', 'end'])
    expect(peer.feedback).toBe('8080')
  })
})

describe('our decoder stream', () => {
  it('keeps what it has to say until the peer allows the stream', () => {
    const peer = new Peer({}, 'server', 1)
    peer.request(0, ['user-agent', 'x'])
    peer.insert()
    expect(peer.session.requests.length).toBe(1)
    peer.session.transport.credit.uni = 2
    peer.session.h3.handleStreamCredit('uni')
    expect(peer.feedback).toBe('80')
  })
})
