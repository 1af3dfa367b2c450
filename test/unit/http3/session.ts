// Test objects: an H3Connection on a double, with everything that its owner is told written down.

import type { RequestStreamEvents } from '../../../src/http3/index.ts'
import {
  H3Connection,
  type H3ConnectionOptions,
  type H3Settings,
  type RequestStream,
} from '../../../src/http3/index.ts'
import { writePrefixInteger } from '../../../src/http3/qpack/prefix-integer.ts'
import { writeFieldLine, writeSectionPrefix } from '../../../src/http3/qpack/section-encoder.ts'
import { varintLength, writeVarint } from '../../../src/transport/wire/index.ts'
import { ConnectionDouble, StreamDouble } from './stream-double.ts'

/** Records events of one request stream; reads the body at once unless told not to. */
export class Recorder implements RequestStreamEvents {
  readonly log: string[] = []
  readonly body: Buffer[] = []
  readonly stream: RequestStream
  isReading: boolean

  constructor(stream: RequestStream, isReading = true) {
    this.stream = stream
    this.isReading = isReading
    stream.events = this
  }

  get text(): string {
    return Buffer.concat(this.body).toString('latin1')
  }

  /** Reads until nothing is left. */
  read(): void {
    for (;;) {
      const piece = this.stream.readBody()
      if (piece === undefined) return
      this.body.push(Buffer.from(piece))
    }
  }

  handleHead(status: number, fields: string[]): void {
    this.log.push(`head ${status} ${fields.join('|')}`)
  }

  handleInformational(status: number, fields: string[]): void {
    this.log.push(`informational ${status} ${fields.join('|')}`)
  }

  handleBodyReadable(): void {
    if (this.isReading) this.read()
  }

  handleTrailers(fields: string[]): void {
    this.log.push(`trailers ${fields.join('|')}`)
  }

  handleBodyEnd(): void {
    this.log.push('end')
  }

  handleWritable(): void {
    this.log.push('writable')
  }

  handleReset(code: number, isLocal: boolean): void {
    this.log.push(`reset ${code.toString(16)}${isLocal ? ' local' : ''}`)
  }

  handleStopSending(code: number): void {
    this.log.push(`stop ${code.toString(16)}`)
  }

  handleClosed(outcome: string): void {
    this.log.push(`closed ${outcome}`)
  }
}

/** One side of a connection under test. */
export class Session {
  readonly transport: ConnectionDouble
  readonly h3: H3Connection
  readonly requests: Recorder[] = []
  readonly log: string[] = []
  /** Called for each request instead of a reading Recorder. */
  onRequest: (stream: RequestStream) => void = (stream) => {
    this.requests.push(new Recorder(stream))
  }

  constructor(role: 'client' | 'server', options: Partial<H3ConnectionOptions> = {}, uniCredit = 3) {
    this.transport = new ConnectionDouble(role)
    this.transport.credit.uni = uniCredit
    this.h3 = new H3Connection(this.transport.asConnection, {
      role,
      events: {
        handleRequest: (stream) => this.onRequest(stream),
        handleSettings: (settings: H3Settings) => this.log.push(`settings ${settings.maxFieldSectionSize}`),
        handleGoaway: (id) => this.log.push(`goaway ${id}`),
        handleRequestCredit: () => this.log.push('credit'),
        handleClosing: () => this.log.push('closing'),
        handleClosed: () => this.log.push('closed'),
      },
      ...options,
    })
    this.h3.handleHandshakeComplete()
  }

  /** Code of the connection error, if one was raised. */
  get error(): number | undefined {
    return this.transport.closed?.code
  }

  /** The peer opens a stream. */
  accept(id: number): StreamDouble {
    const stream = new StreamDouble(id, false)
    this.transport.streams.set(id, stream)
    stream.application = this.h3.acceptStream(stream.asStream)
    return stream
  }

  /** The peer opens a request stream and sends `bytes` with the FIN. */
  request(bytes: Uint8Array, fin = true, id = 0): StreamDouble {
    const stream = this.accept(id)
    stream.receive(bytes, fin)
    return stream
  }

  /** The peer opens a control stream with SETTINGS and then `bytes`. */
  control(bytes: Uint8Array = new Uint8Array(0)): StreamDouble {
    const stream = this.accept(this.h3.role === 'server' ? 2 : 3)
    stream.receive(Buffer.concat([varint(0), frame(0x04, new Uint8Array(0)), bytes]))
    return stream
  }
}

export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

export function varint(value: number): Buffer {
  const bytes = Buffer.alloc(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

export function frame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([varint(type), varint(payload.length), payload])
}

export function data(text: string): Buffer {
  return frame(0x00, Buffer.from(text, 'latin1'))
}

/** Field section of a flat list; anything goes, valid or not. */
export function section(fields: readonly string[]): Buffer {
  const bytes = Buffer.alloc(64 + fields.join('').length * 4 + fields.length * 12)
  let offset = writeSectionPrefix(bytes, 0)
  for (let index = 0; index < fields.length; index += 2) {
    offset = writeFieldLine(bytes, offset, fields[index], fields[index + 1], 0, 0)
  }
  return bytes.subarray(0, offset)
}

export function headers(fields: readonly string[]): Buffer {
  return frame(0x01, section(fields))
}

/** Field line with literal name and value, no Huffman. */
export function literalLine(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(32 + name.length + value.length)
  let offset = writePrefixInteger(bytes, 0, 0x20, 3, name.length)
  offset += bytes.write(name, offset, 'latin1')
  offset = writePrefixInteger(bytes, offset, 0, 7, value.length)
  offset += bytes.write(value, offset, 'latin1')
  return bytes.subarray(0, offset)
}

export const getFields = [':method', 'GET', ':scheme', 'https', ':authority', 'a.example', ':path', '/']
export const postFields = [':method', 'POST', ':scheme', 'https', ':authority', 'a.example', ':path', '/up']
export const get = headers(getFields)
export const post = headers(postFields)
