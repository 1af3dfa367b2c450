// Reads back what we sent: splits a byte stream into frames, with the field sections decoded.

import { FrameParser } from '../../../src/http3/frames.ts'
import { FieldSectionDecoder } from '../../../src/http3/qpack/section-decoder.ts'

/** Field lines of one section as a flat list. */
export function fieldsOf(section: Uint8Array): string[] {
  const fields: string[] = []
  new FieldSectionDecoder({ maxSize: 1_000_000, maxCount: 10_000 }).decode(section, 0, section.length, {
    handleField: (name, value) => fields.push(name, value),
  })
  return fields
}

/** Frames in order: HEADERS as "H name|value", DATA as "D payload", others as "type:hex". */
export function framesOf(bytes: Uint8Array): string[] {
  const parser = new FrameParser()
  const frames: string[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const next = parser.readHeader(bytes, offset, bytes.length)
    if (next < 0) throw new Error('truncated frame header')
    const payload = Buffer.from(bytes.subarray(next, next + parser.length))
    if (payload.length < parser.length) throw new Error('truncated frame')
    parser.consume(parser.length)
    offset = next + parser.length
    if (parser.type === 1) frames.push(`H ${fieldsOf(payload).join('|')}`)
    else if (parser.type === 0) frames.push(`D ${payload.toString('latin1')}`)
    else frames.push(`${parser.type.toString(16)}:${payload.toString('hex')}`)
  }
  return frames
}
