// Both ends of QPACK without HTTP/3 between them: our encoder, our decoder, and the two streams as byte queues that a
// test delivers when it likes. Also reads the offline interop files.
import { readFileSync } from 'node:fs'
import { H3Error } from '../../../../src/http3/index.ts'
import { QpackDecoder, type SectionWaiter } from '../../../../src/http3/qpack/decoder.ts'
import { DecoderStreamReader } from '../../../../src/http3/qpack/decoder-stream.ts'
import { QpackEncoder } from '../../../../src/http3/qpack/encoder.ts'
import { EncoderStreamReader } from '../../../../src/http3/qpack/encoder-stream.ts'
import { writeFieldLine, writeSectionPrefix } from '../../../../src/http3/qpack/section-encoder.ts'
import { initialSettings } from '../../../../src/http3/settings.ts'
import type { QuicStream } from '../../../../src/transport/streams/index.ts'
import type { Session } from '../session.ts'
import type { StreamDouble } from '../stream-double.ts'

export const wide = { maxSize: 1_000_000, maxCount: 10_000 }

/** A unidirectional stream whose bytes wait until somebody takes them. */
export class Wire {
  sendRoom = 1_000_000_000
  bufferedBytes = 0
  /** Bytes of all writes so far. */
  total = 0
  #waiting: Buffer[] = []

  write(bytes: Uint8Array): boolean {
    this.total += bytes.length
    this.#waiting.push(Buffer.from(bytes))
    return true
  }

  /** Takes the first `count` bytes that nobody has taken. */
  take(count = Number.POSITIVE_INFINITY): Buffer {
    const all = Buffer.concat(this.#waiting)
    const taken = all.subarray(0, count)
    this.#waiting = [all.subarray(taken.length)]
    return taken
  }

  get asStream(): QuicStream {
    return this as unknown as QuicStream
  }
}

export interface PairOptions {
  readonly capacity: number
  readonly blocked: number
}

/** An encoder and the decoder that it talks to. */
export class QpackPair {
  readonly encoder = new QpackEncoder()
  readonly decoder: QpackDecoder
  readonly encoderWire = new Wire()
  readonly decoderWire = new Wire()
  readonly encoderReader: EncoderStreamReader
  readonly decoderReader: DecoderStreamReader
  /** Fields by stream, in the order of decoding. */
  readonly decoded = new Map<number, string[][]>()
  readonly #target = Buffer.alloc(1 << 18)

  constructor({ capacity, blocked }: PairOptions) {
    this.encoder.configure({
      ...initialSettings,
      qpackMaxTableCapacity: capacity,
      qpackBlockedStreams: blocked,
    })
    this.encoder.output.attach(this.encoderWire.asStream)
    const limits = { maxTableCapacity: capacity, blockedStreams: blocked }
    this.decoder = new QpackDecoder(limits, wide, (error) => {
      throw error
    })
    this.decoder.output.attach(this.decoderWire.asStream)
    this.encoderReader = new EncoderStreamReader(this.decoder)
    this.decoderReader = new DecoderStreamReader(this.encoder)
  }

  /** Encodes a section; a copy of its own. */
  encode(streamId: number, fields: readonly string[]): Buffer {
    const { encoder } = this
    const target = this.#target
    if (!encoder.isReady) {
      let end = writeSectionPrefix(target, 0)
      for (let at = 0; at < fields.length; at += 2) {
        end = writeFieldLine(target, end, fields[at], fields[at + 1], 0, 0)
      }
      return Buffer.from(target.subarray(0, end))
    }
    encoder.begin(streamId)
    for (let at = 0; at < fields.length; at += 2) encoder.plan(fields[at], fields[at + 1], 0, 0)
    let end = encoder.writePrefix(target, 0)
    for (let at = 0; at < fields.length; at += 2) {
      end = encoder.writeLine(target, end, at / 2, fields[at], fields[at + 1], 0, 0)
    }
    encoder.finish(streamId)
    return Buffer.from(target.subarray(0, end))
  }

  /** Decodes a section, or lets it wait; the fields come to `decoded`. */
  decode(streamId: number, section: Uint8Array): void {
    const waiter: SectionWaiter = { id: streamId, resume: () => this.decode(streamId, section) }
    const fields: string[] = []
    const required = this.decoder.decode(streamId, section, 0, section.length, {
      handleField: (name, value) => fields.push(name, value),
    })
    if (required > 0) this.decoder.wait(waiter, required)
    else this.decoded.set(streamId, [...(this.decoded.get(streamId) ?? []), fields])
  }

  deliverInsertions(count?: number): void {
    const bytes = this.encoderWire.take(count)
    if (bytes.length > 0) this.encoderReader.push(bytes)
  }

  deliverFeedback(count?: number): void {
    this.decoderReader.push(this.decoderWire.take(count))
  }
}

/** Our unidirectional stream of a type below 64, as far as it exists. */
export function ownStream({ transport }: Session, type: number): StreamDouble | undefined {
  return [...transport.streams.values()].find(
    (stream) => stream.isLocal && stream.output[0] === type && !stream.isBidirectional,
  )
}

/** Code of the connection error that `run` throws; undefined for none. */
export function errorOf(run: () => unknown): number | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof H3Error && error.scope === 'connection') return error.code
    throw error
  }
  return undefined
}

/** Field lists of a QIF file. */
export function parseQif(path: string): string[][] {
  const sections: string[][] = []
  let current: string[] = []
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    if (line.startsWith('#')) continue
    if (line === '') {
      if (current.length > 0) sections.push(current)
      current = []
      continue
    }
    const tab = line.indexOf('\t')
    current.push(line.slice(0, tab), line.slice(tab + 1))
  }
  if (current.length > 0) sections.push(current)
  return sections
}

/** The blocks of an encoded file: bytes of the encoder stream (ID 0) and sections. */
export function blocksOf(path: string): { id: number; bytes: Buffer }[] {
  const file = readFileSync(path)
  const blocks: { id: number; bytes: Buffer }[] = []
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt32BE(offset + 8)
    const bytes = file.subarray(offset + 12, offset + 12 + length)
    blocks.push({ id: Number(file.readBigUInt64BE(offset)), bytes })
    offset += 12 + length
  }
  return blocks
}
