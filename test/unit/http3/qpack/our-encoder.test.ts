// What we send to a peer that keeps a dynamic table for us, RFC 9204 sections 2.1, 3.2.3 and 7.1, on a whole HTTP/3
// connection.
import { describe, expect, it } from 'vitest'
import { earlyDataSettings } from '../../../../src/handlers/http3-service.ts'
import { type H3Settings, type QpackLimits, qpackLimitsOf } from '../../../../src/http3/index.ts'
import {
  MAX_BLOCKED_STREAMS,
  MAX_ENCODER_STREAM_BACKLOG,
  MAX_OUTSTANDING_SECTIONS,
  MAX_RISKED_STREAMS,
  MAX_TABLE_CAPACITY,
} from '../../../../src/http3/limits.ts'
import { encodeControlStreamStart, initialSettings } from '../../../../src/http3/settings.ts'
import { get, getFields, hex, Session } from '../session.ts'
import type { StreamDouble } from '../stream-double.ts'
import { ownStream, QpackPair } from './qpack-pair.ts'

const defaults = { ...initialSettings, maxFieldSectionSize: 65_536 }

/** Our server, and the decoder of a client that reads its streams when the test says so. */
class Client {
  readonly session: Session
  readonly pair: QpackPair
  readonly #decoderStream: StreamDouble
  #readInsertions = 0
  #nextId = 0

  constructor(settings: Partial<H3Settings> = {}, role: 'client' | 'server' = 'server') {
    const all = { ...defaults, qpackMaxTableCapacity: 4_096, qpackBlockedStreams: 16, ...settings }
    this.session = new Session(role)
    this.pair = new QpackPair({ capacity: all.qpackMaxTableCapacity, blocked: all.qpackBlockedStreams })
    const isServer = role === 'server'
    this.session.accept(isServer ? 2 : 3).receive(encodeControlStreamStart(all, 0))
    this.#decoderStream = this.session.accept(isServer ? 10 : 11)
    this.#decoderStream.receive(hex('03'))
  }

  get encoder() {
    return this.session.h3.writer.encoder
  }

  /** All instructions so far, as hexadecimal text. */
  get instructions(): string {
    return instructionsOf(this.session)
  }

  /** A request that is answered; returns the encoded field section. */
  answer(fields: readonly string[], status = 200): { id: number; section: Buffer } {
    const id = this.#nextId
    this.#nextId += 4
    const stream = this.session.request(get, true, id)
    this.session.requests.at(-1)!.stream.respond(status, fields, { end: true })
    return { id, section: sectionOf(stream.output) }
  }

  /** What was inserted arrives. */
  readInsertions(): void {
    const instructions = hex(this.instructions)
    if (instructions.length > this.#readInsertions) {
      this.pair.encoderReader.push(instructions.subarray(this.#readInsertions))
    }
    this.#readInsertions = instructions.length
  }

  /** A section arrives; returns its fields. */
  read({ id, section }: { id: number; section: Buffer }): string[] {
    this.pair.decode(id, section)
    return this.pair.decoded.get(id)!.at(-1)!
  }

  /** What the client's decoder has to say arrives. */
  giveFeedback(): void {
    this.#decoderStream.receive(this.pair.decoderWire.take())
  }

  sendRaw(bytes: Uint8Array): void {
    this.#decoderStream.receive(bytes)
  }
}

function instructionsOf(session: Session): string {
  return ownStream(session, 0x02)?.output.subarray(1).toString('hex') ?? ''
}

/** Payload of the HEADERS frame that `output` begins with; its length has two bytes. */
function sectionOf(output: Buffer): Buffer {
  expect([output[0], output[1] & 0xc0]).toEqual([0x01, 0x40])
  return output.subarray(3, 3 + (output.readUInt16BE(1) & 0x3fff))
}

const page = ['content-type', 'text/x-page', 'server', 'quactor', 'cache-control', 'private, max-age=7']

describe('responses to a client with a dynamic table', () => {
  it('shrink to a few bytes, and every one of them decodes', () => {
    const client = new Client()
    const lengths: number[] = []
    for (let round = 0; round < 10; round++) {
      const sent = client.answer(page)
      client.readInsertions()
      expect(client.read(sent)).toEqual([':status', '200', ...page])
      client.giveFeedback()
      lengths.push(sent.section.length)
    }
    expect(lengths).toEqual(new Array(10).fill(6))
    expect(client.encoder.outstandingSections).toBe(0)
    expect(client.session.error).toBeUndefined()
  })

  it('a line that is not known to repeat gets its entry the second time', () => {
    const client = new Client()
    const fields = ['x-version', 'some longer text']
    const [first, second, third] = [1, 2, 3].map(() => client.answer(fields))
    expect(first.section.length).toBeGreaterThan(15)
    expect([second.section.length, third.section.length]).toEqual([4, 4])
    client.readInsertions()
    for (const sent of [third, first, second]) {
      expect(client.read(sent)).toEqual([':status', '200', ...fields])
    }
    client.giveFeedback()
    expect(client.encoder.outstandingSections).toBe(0)
  })

  it('a client that allows nothing gets no insertion and no reference (section 3.2.3)', () => {
    const client = new Client({ qpackMaxTableCapacity: 0 })
    for (let round = 0; round < 4; round++) {
      expect(client.read(client.answer(page))).toEqual([':status', '200', ...page])
    }
    expect(client.instructions).toBe('')
    client.sendRaw(hex('80'))
    expect(client.session.error).toBe(0x202)
  })

  it('before its SETTINGS the capacity is zero (section 3.2.3)', () => {
    const session = new Session('server')
    session.request(get)
    session.requests[0].stream.respond(200, page, { end: true })
    expect(instructionsOf(session)).toBe('')
  })

  it('a client that allows no blocked streams gets references to acknowledged entries only (section 2.1.2)', () => {
    const client = new Client({ qpackBlockedStreams: 0 })
    const first = client.answer(page)
    expect(client.read(first)).toEqual([':status', '200', ...page])
    expect(client.encoder.riskyStreams).toBe(0)
    client.readInsertions()
    const second = client.answer(page)
    expect(second.section.length).toBeGreaterThan(20)
    client.giveFeedback()
    const third = client.answer(page)
    expect(third.section.length).toBe(6)
    expect(client.read(third)).toEqual([':status', '200', ...page])
  })

  it('a client that allows two gets no third stream that could block', () => {
    const client = new Client({ qpackBlockedStreams: 2 })
    const sent = [1, 2, 3, 4].map(() => client.answer(page))
    expect(client.encoder.riskyStreams).toBe(2)
    for (const response of sent.slice(2)) expect(client.read(response).length).toBe(8)
    client.readInsertions()
    for (const response of sent.slice(0, 2)) expect(client.read(response).length).toBe(8)
    client.giveFeedback()
    expect(client.encoder.riskyStreams).toBe(0)
  })

  it('with no room on the encoder stream everything is static, at once (section 2.1.3)', () => {
    const client = new Client()
    client.answer(['vary', 'something'])
    const before = client.instructions
    ownStream(client.session, 0x02)!.sendRoom = 10
    expect(client.read(client.answer(page))).toEqual([':status', '200', ...page])
    expect(client.instructions).toBe(before)
    ownStream(client.session, 0x02)!.sendRoom = 1_000
    expect(client.answer(page).section.length).toBe(6)
  })

  it('neither is anything inserted while the client does not acknowledge what was written', () => {
    const client = new Client()
    client.answer(['vary', 'something'])
    const stream = ownStream(client.session, 0x02)!
    const before = client.instructions
    Object.defineProperty(stream, 'bufferedBytes', { value: MAX_ENCODER_STREAM_BACKLOG + 1 })
    expect(client.read(client.answer(page))).toEqual([':status', '200', ...page])
    expect(client.instructions).toBe(before)
  })

  it('trailers and interim responses use the table, too', () => {
    const client = new Client()
    const stream = client.session.request(get, true, 0)
    const { stream: request } = client.session.requests[0]
    request.sendInformational(103, ['server', 'quactor'])
    request.respond(200, ['server', 'quactor'], { body: Buffer.from('x') })
    request.sendTrailers(['server', 'quactor'])
    request.end()
    client.readInsertions()
    expect(client.encoder.outstandingSections).toBe(3)
    const { output } = stream
    for (let offset = 0; offset < output.length; ) {
      const length =
        output[offset + 1] >= 0x40 ? output.readUInt16BE(offset + 1) & 0x3fff : output[offset + 1]
      const start = offset + (output[offset + 1] >= 0x40 ? 3 : 2)
      if (output[offset] === 1) client.read({ id: 0, section: output.subarray(start, start + length) })
      offset = start + length
    }
    expect(client.pair.decoded.get(0)).toEqual([
      [':status', '103', 'server', 'quactor'],
      [':status', '200', 'server', 'quactor'],
      ['server', 'quactor'],
    ])
    client.giveFeedback()
    expect([client.encoder.outstandingSections, client.session.error]).toEqual([0, undefined])
  })

  it('fields that cannot be sent leave the table as the client has it', () => {
    const client = new Client()
    client.session.request(get, true, 0)
    const { stream } = client.session.requests[0]
    expect(() => stream.respond(200, ['server', 'quactor', 'vary', 'a\nb'])).toThrow(TypeError)
    expect(() => stream.respond(200, ['server', 'quactor', 'x-a', 'a\nb'])).toThrow(TypeError)
    expect(() => stream.respond(200, ['x a', 'b'])).toThrow(TypeError)
    const { table } = client.encoder
    for (let index = 0; index < table.insertCount; index++) expect(table.get(index)!.references).toBe(0)
    expect(client.encoder.outstandingSections).toBe(0)
    stream.respond(200, page, { end: true })
    client.readInsertions()
    const { output } = client.session.transport.streams.get(0)!
    expect(client.read({ id: 0, section: sectionOf(output) })).toEqual([':status', '200', ...page])
  })

  it('a stream that the client has stopped is not waited for', () => {
    const client = new Client()
    const stream = client.session.request(get, true, 0)
    const request = client.session.requests[0].stream
    stream.end()
    request.respond(200, page)
    expect(client.encoder.outstandingSections).toBe(0)
  })
})

describe('repeated heads', () => {
  it('are copied while the entries are there, and made anew when those are about to leave', () => {
    const client = new Client({ qpackMaxTableCapacity: 256 })
    let copies = 0
    let last = ''
    for (let round = 0; round < 400; round++) {
      // Every tenth response brings a line of its own, twice, which pushes the others out.
      const fields = round % 10 < 2 ? ['x-other', `value ${round - (round % 10)}`] : page
      const sent = client.answer(fields)
      client.readInsertions()
      expect(client.read(sent)).toEqual([':status', '200', ...fields])
      if (round % 3 === 0) client.giveFeedback()
      if (sent.section.toString('hex') === last) copies++
      last = sent.section.toString('hex')
    }
    client.giveFeedback()
    expect(copies).toBeGreaterThan(200)
    expect(client.encoder.table.droppedCount).toBeGreaterThan(50)
    expect([client.encoder.outstandingSections, client.session.error]).toEqual([0, undefined])
  })

  it('tell requests, responses, trailers and statuses with the same fields apart', () => {
    const client = new Client()
    const fields = ['server', 'quactor']
    for (let round = 0; round < 5; round++) {
      for (const status of [200, 404, 500, 204, 503]) {
        const sent = client.answer(fields, status)
        client.readInsertions()
        expect(client.read(sent)).toEqual([':status', String(status), ...fields])
        client.giveFeedback()
      }
    }
  })

  it('keep the rules about content-length and the peer limit on size', () => {
    const client = new Client({ maxFieldSectionSize: 200 })
    const fields = ['content-length', '3', 'server', 'quactor']
    for (let round = 0; round < 4; round++) {
      const { section, id } = client.answer(fields, 204)
      client.readInsertions()
      expect(client.read({ section, id })).toEqual([':status', '204', 'server', 'quactor'])
      client.giveFeedback()
      client.session.request(get, true, 4_000 + 4 * round)
      const { stream } = client.session.requests.at(-1)!
      expect(() => stream.respond(200, ['server', 'x'.repeat(200)])).toThrow(RangeError)
    }
  })

  it('a list that its owner changes afterwards is another head', () => {
    const client = new Client()
    const fields = [...page]
    for (let round = 0; round < 6; round++) {
      if (round === 4) fields[3] = 'changed'
      const sent = client.answer(fields)
      client.readInsertions()
      expect(client.read(sent)).toEqual([':status', '200', ...fields])
    }
  })
})

describe('what never gets an entry (RFC 9204 section 7.1)', () => {
  it('secrets and short cookies are literals that no hop may index; long cookies are worth an entry', () => {
    const { encoder } = new Client()
    const pair = new QpackPair({ capacity: 4_096, blocked: 16 })
    const secrets = [
      'authorization',
      'Bearer abc',
      'proxy-authorization',
      'x',
      'set-cookie',
      'id=1',
      'cookie',
      'id=12',
    ]
    for (let id = 0; id < 40; id += 4) {
      const section = pair.encode(id, secrets)
      pair.decode(id, section)
      expect(pair.decoded.get(id)).toEqual([secrets])
      // Literal with static name: 01 N T, literal name: 001 N.
      expect(section[2] & 0xf0).toBe(0x70)
    }
    expect([pair.encoder.table.insertCount, encoder.table.insertCount]).toEqual([0, 0])
    const long = ['cookie', 'session=0123456789abcdef']
    for (let id = 40; id < 52; id += 4) pair.encode(id, long)
    expect(pair.encoder.table.insertCount).toBe(1)
  })
})

describe('a peer that does not acknowledge', () => {
  it('holds records up to a cap, then gets sections without the table', () => {
    const pair = new QpackPair({ capacity: 4_096, blocked: 1_000 })
    pair.encode(0, ['server', 'quactor'])
    pair.deliverInsertions()
    pair.decoderReader.push(hex('01'))
    for (let at = 1; at < MAX_OUTSTANDING_SECTIONS + 50; at++) {
      const section = pair.encode(4 * at, ['server', 'quactor'])
      expect(section.length).toBe(at < MAX_OUTSTANDING_SECTIONS ? 3 : 10)
    }
    expect(pair.encoder.outstandingSections).toBe(MAX_OUTSTANDING_SECTIONS)
    pair.decoderReader.push(hex('80'))
    expect(pair.encode(8_000, ['server', 'quactor']).length).toBe(3)
  })

  it('has no more streams at risk than we want to look at, whatever it allows', () => {
    const pair = new QpackPair({ capacity: 4_096, blocked: 1_000_000 })
    for (let at = 0; at < 2 * MAX_RISKED_STREAMS; at++) pair.encode(4 * at, ['server', 'quactor'])
    expect(pair.encoder.riskyStreams).toBe(MAX_RISKED_STREAMS)
  })

  it('keeps its table: nothing is evicted that it may still need (section 2.1.1)', () => {
    const pair = new QpackPair({ capacity: 128, blocked: 100 })
    for (let at = 0; at < 50; at++) pair.encode(4 * at, ['server', `quactor ${at}`])
    expect([pair.encoder.table.droppedCount, pair.encoder.table.insertCount]).toEqual([0, 2])
  })
})

describe('early data and what is announced (RFC 9204 section 3.2.3)', () => {
  const table = { qpackMaxTableCapacity: 4_096, qpackBlockedStreams: 16 }

  it('does without the table until the SETTINGS of this connection have come', () => {
    const session = new Session('client', {}, 0)
    session.transport.credit.uni = 3
    session.h3.beginEarlyData({ ...defaults, ...table })
    const fields = [...getFields, 'user-agent', 'a browser']
    session.h3.openRequest(fields, false)
    expect(instructionsOf(session)).toBe('')
    session.h3.handleEarlyDataVerdict(true)
    session.accept(3).receive(encodeControlStreamStart({ ...defaults, ...table }, 0))
    expect(session.error).toBeUndefined()
    session.h3.openRequest(fields, false)
    expect(instructionsOf(session).length).toBeGreaterThan(20)
  })

  it('a server remembers in its tickets what it announced: with another table it refuses early data', () => {
    const stateOf = (qpack?: Partial<QpackLimits>) => Buffer.from(earlyDataSettings({ qpack })).toString()
    const states = [
      undefined,
      { maxTableCapacity: 0 },
      { blockedStreams: 0 },
      { maxTableCapacity: 8_192 },
    ].map(stateOf)
    expect(new Set(states).size).toBe(4)
    const standard = { maxTableCapacity: MAX_TABLE_CAPACITY, blockedStreams: MAX_BLOCKED_STREAMS }
    expect(stateOf(standard)).toBe(states[0])
  })

  it.each([-1, 0.5, Number.NaN, 65_537])('a capacity of %d is refused', (maxTableCapacity) => {
    expect(() => qpackLimitsOf({ maxTableCapacity })).toThrow(RangeError)
  })

  it.each([-1, 1.5, 1_025])('%d blocked streams are refused', (blockedStreams) => {
    expect(() => qpackLimitsOf({ blockedStreams })).toThrow(RangeError)
  })

  it('a server that changed its capacity although it accepted early data: QPACK_DECODER_STREAM_ERROR', () => {
    const session = new Session('client')
    session.h3.beginEarlyData({ ...defaults, ...table })
    session.h3.handleEarlyDataVerdict(true)
    session.accept(3).receive(encodeControlStreamStart({ ...defaults, qpackBlockedStreams: 16 }, 0))
    expect(session.error).toBe(0x202)
  })
})

describe('names that come with ever other values', () => {
  it('get an entry without value, so that only the value is a literal', () => {
    const client = new Client()
    const lengths: number[] = []
    for (let round = 0; round < 6; round++) {
      const fields = ['x-request-identifier', `${round}`]
      const sent = client.answer(fields)
      client.readInsertions()
      expect(client.read(sent)).toEqual([':status', '200', ...fields])
      client.giveFeedback()
      lengths.push(sent.section.length)
    }
    expect(lengths).toEqual([21, 6, 6, 6, 6, 6])
    expect(client.encoder.table.get(0)).toMatchObject({ name: 'x-request-identifier', value: '' })
  })

  it('secret ones do not', () => {
    const client = new Client()
    for (let round = 0; round < 4; round++) client.answer(['proxy-authorization', `${round}`])
    expect(client.encoder.table.insertCount).toBe(0)
  })
})
