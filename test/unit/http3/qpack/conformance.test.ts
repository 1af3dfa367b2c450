// QPACK against data that others made: RFC 9204 appendices A and B, and the offline interop files.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { H3Error } from '../../../../src/http3/index.ts'
import {
  DecoderInstructionReader,
  EncoderInstructionReader,
} from '../../../../src/http3/qpack/instruction-streams.ts'
import { FieldSectionDecoder } from '../../../../src/http3/qpack/section-decoder.ts'
import { staticNames, staticValues } from '../../../../src/http3/qpack/static-table.ts'
import { conformancePath } from '../../../conformance.ts'
import { hex, section } from '../session.ts'

const vectorsPath = conformancePath('vectors.json')
const manifestPath = conformancePath('qifs/manifest.json')
const wide = { maxSize: 1_000_000, maxCount: 10_000 }

function decode(bytes: Uint8Array): string[] {
  const fields: string[] = []
  new FieldSectionDecoder(wide).decode(bytes, 0, bytes.length, {
    handleField: (name, value) => fields.push(name, value),
  })
  return fields
}

function errorOf(run: () => unknown): number | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof H3Error && error.scope === 'connection') return error.code
    throw error
  }
  return undefined
}

describe.skipIf(vectorsPath === undefined)('RFC 9204 appendices', () => {
  const vectors = vectorsPath === undefined ? {} : JSON.parse(readFileSync(vectorsPath, 'utf8'))

  it('has the static table of appendix A', () => {
    expect(staticNames.map((name, index) => [name, staticValues[index]])).toEqual(
      vectors.rfc9204_A_static_table,
    )
  })

  it('decodes and encodes appendix B.1', () => {
    const bytes = hex(vectors.rfc9204_B.events[0].hex)
    expect(decode(bytes)).toEqual([':path', '/index.html'])
    // Ours is the same line with the value in Huffman code, which is shorter.
    expect(decode(section([':path', '/index.html']))).toEqual([':path', '/index.html'])
  })

  it('refuses what appendices B.2 to B.5 need a dynamic table for', () => {
    for (const { stream, hex: bytes } of vectors.rfc9204_B.events.slice(1)) {
      if (stream === 'Encoder')
        expect(errorOf(() => new EncoderInstructionReader().push(hex(bytes)))).toBe(0x201)
      else if (stream !== 'Decoder') expect(errorOf(() => decode(hex(bytes)))).toBe(0x200)
    }
  })

  it('judges the decoder stream of appendix B as an encoder that never inserted', () => {
    expect(errorOf(() => new DecoderInstructionReader().push(hex('84')))).toBe(0x202)
    expect(errorOf(() => new DecoderInstructionReader().push(hex('01')))).toBe(0x202)
    expect(errorOf(() => new DecoderInstructionReader().push(hex('48')))).toBeUndefined()
  })
})

interface Row {
  file: string
  qif: string
  max_table_capacity: number
}

function parseQif(path: string): string[][] {
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

function* blocks(path: string): Generator<{ id: bigint; bytes: Buffer }> {
  const file = readFileSync(path)
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt32BE(offset + 8)
    yield { id: file.readBigUInt64BE(offset), bytes: file.subarray(offset + 12, offset + 12 + length) }
    offset += 12 + length
  }
}

describe.skipIf(manifestPath === undefined)('QPACK offline interop files', () => {
  const root = conformancePath('qifs') ?? ''
  const rows: Row[] = manifestPath === undefined ? [] : JSON.parse(readFileSync(manifestPath, 'utf8'))
  const staticRows = rows.filter((row) => row.max_table_capacity === 0)

  it('decodes every file that was encoded with capacity 0', () => {
    expect(staticRows.length).toBeGreaterThan(10)
    for (const row of staticRows) {
      const expected = parseQif(`${root}/${row.qif}`)
      const sections: { id: bigint; fields: string[] }[] = []
      const encoderStream = new EncoderInstructionReader()
      for (const { id, bytes } of blocks(`${root}/${row.file}`)) {
        if (id === 0n) encoderStream.push(bytes)
        else sections.push({ id, fields: decode(bytes) })
      }
      sections.sort((a, b) => Number(a.id - b.id))
      expect(sections.map((section) => section.fields)).toEqual(expected)
    }
  })

  it('round-trips every header list and stays within 1.2 times the best static encoding', () => {
    for (const qif of new Set(staticRows.map((row) => row.qif))) {
      let bytes = 0
      for (const fields of parseQif(`${root}/${qif}`)) {
        const encoded = section(fields)
        bytes += encoded.length
        expect(decode(encoded)).toEqual(fields)
      }
      const smallest = Math.min(
        ...staticRows
          .filter((row) => row.qif === qif)
          .map((row) =>
            [...blocks(`${root}/${row.file}`)].reduce((sum, block) => sum + block.bytes.length, 0),
          ),
      )
      expect(bytes).toBeLessThanOrEqual(smallest * 1.2)
    }
  })

  it('judges the error files', () => {
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) {
      const [{ id, bytes }] = blocks(`${root}/encoded/errors/err${number}`)
      const isEncoderStream = id === 0n
      const error = errorOf(() =>
        isEncoderStream ? new EncoderInstructionReader().push(bytes) : decode(bytes),
      )
      // err9 and err10 are valid under RFC 9204.
      const expected = number === 9 || number === 10 ? undefined : isEncoderStream ? 0x201 : 0x200
      expect([number, error]).toEqual([number, expected])
    }
  })
})
