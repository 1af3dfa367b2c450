// QPACK against data that others made: RFC 9204 appendices A and B, and the offline interop files.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FieldSectionDecoder } from '../../../../src/http3/qpack/section-decoder.ts'
import { staticNames, staticValues } from '../../../../src/http3/qpack/static-table.ts'
import { conformancePath } from '../../../conformance.ts'
import { hex, section } from '../session.ts'
import { blocksOf, errorOf, parseQif, QpackPair, wide } from './qpack-pair.ts'

const vectorsPath = conformancePath('vectors.json')
const manifestPath = conformancePath('qifs/manifest.json')

function decodeStatic(bytes: Uint8Array): string[] {
  const fields: string[] = []
  new FieldSectionDecoder(wide).decode(bytes, 0, bytes.length, {
    handleField: (name, value) => fields.push(name, value),
  })
  return fields
}

describe.skipIf(vectorsPath === undefined)('RFC 9204 appendices', () => {
  const vectors = vectorsPath === undefined ? {} : JSON.parse(readFileSync(vectorsPath, 'utf8'))

  it('has the static table of appendix A', () => {
    expect(staticNames.map((name, index) => [name, staticValues[index]])).toEqual(
      vectors.rfc9204_A_static_table,
    )
  })
})

describe('the exchange of RFC 9204 appendix B', () => {
  const pair = new QpackPair({ capacity: 220, blocked: 1 })
  const { decoder, decoderWire, encoderReader } = pair
  const entries = () =>
    Array.from({ length: decoder.table.insertCount - decoder.table.droppedCount }, (_, at) => {
      const { index, name, value } = decoder.table.get(decoder.table.droppedCount + at)!
      return [index, name, value]
    })

  it('B.1: literal field line with name reference', () => {
    pair.decode(0, hex('0000510b2f696e6465782e68746d6c'))
    expect(pair.decoded.get(0)).toEqual([[':path', '/index.html']])
    expect(decoderWire.take().toString('hex')).toBe('')
    // Ours is the same line with the value in Huffman code, which is shorter.
    expect(decodeStatic(section([':path', '/index.html']))).toEqual([':path', '/index.html'])
  })

  it('B.2: dynamic table; the section is ahead of its insertions and acknowledges them', () => {
    pair.decode(4, hex('03811011'))
    expect(decoder.blockedStreams).toBe(1)
    encoderReader.push(hex('3fbd01c00f7777772e6578616d706c652e636f6dc10c2f73616d706c652f70617468'))
    expect(pair.decoded.get(4)).toEqual([[':authority', 'www.example.com', ':path', '/sample/path']])
    expect(decoderWire.take().toString('hex')).toBe('84')
    expect(entries()).toEqual([
      [0, ':authority', 'www.example.com'],
      [1, ':path', '/sample/path'],
    ])
    expect([decoder.table.size, decoder.table.capacity]).toEqual([106, 220])
  })

  it('B.3: speculative insert', () => {
    encoderReader.push(hex('4a637573746f6d2d6b65790c637573746f6d2d76616c7565'))
    expect(decoderWire.take().toString('hex')).toBe('01')
    expect(decoder.table.size).toBe(160)
  })

  it('B.4: duplicate, stream cancellation', () => {
    pair.decode(8, hex('050080c181'))
    expect(decoder.blockedStreams).toBe(1)
    decoder.cancel(8)
    expect(decoderWire.take().toString('hex')).toBe('48')
    expect(decoder.blockedStreams).toBe(0)
    encoderReader.push(hex('02'))
    expect(pair.decoded.has(8)).toBe(false)
    expect(decoder.table.size).toBe(217)
  })

  it('B.5: insertion with eviction', () => {
    encoderReader.push(hex('810d637573746f6d2d76616c756532'))
    expect(entries()).toEqual([
      [1, ':path', '/sample/path'],
      [2, 'custom-key', 'custom-value'],
      [3, ':authority', 'www.example.com'],
      [4, 'custom-key', 'custom-value2'],
    ])
    expect(decoder.table.size).toBe(215)
    expect(decoderWire.take().toString('hex')).toBe('0101')
  })

  it('an encoder takes what the decoder of appendix B says', () => {
    const { encoder, decoderReader } = new QpackPair({ capacity: 220, blocked: 1 })
    expect(errorOf(() => decoderReader.push(hex('84')))).toBe(0x202)
    expect(errorOf(() => decoderReader.push(hex('01')))).toBe(0x202)
    expect(errorOf(() => decoderReader.push(hex('48')))).toBeUndefined()
    expect(encoder.table.knownReceived).toBe(0)
  })
})

interface Row {
  file: string
  qif: string
  max_table_capacity: number
  max_blocked_streams: number
  immediate_ack: number
  initial_capacity: number
  sections: number
}

describe.skipIf(manifestPath === undefined)('QPACK offline interop files', () => {
  const root = conformancePath('qifs') ?? ''
  const rows: Row[] = manifestPath === undefined ? [] : JSON.parse(readFileSync(manifestPath, 'utf8'))
  const nameOf = ({ qif, max_table_capacity, max_blocked_streams, immediate_ack }: Row) =>
    [qif, max_table_capacity, max_blocked_streams, immediate_ack].join(' ')

  it('there are 88 of them', () => {
    expect(rows.length).toBe(88)
  })

  it.each(rows.map((row) => [row.file, row] as const))('decodes %s', (_, row) => {
    const pair = new QpackPair({ capacity: row.max_table_capacity, blocked: row.max_blocked_streams })
    pair.decoder.table.setCapacity(row.initial_capacity)
    for (const { id, bytes } of blocksOf(`${root}/${row.file}`)) {
      if (id === 0) pair.encoderReader.push(bytes)
      else pair.decode(id, bytes)
    }
    const ids = [...pair.decoded.keys()].sort((a, b) => a - b)
    expect(ids.flatMap((id) => pair.decoded.get(id))).toEqual(parseQif(`${root}/${row.qif}`))
    expect(ids.length).toBe(row.sections)
  })

  const smallest = new Map<string, { row: Row; bytes: number }>()
  for (const row of rows) {
    const bytes = blocksOf(`${root}/${row.file}`).reduce((sum, block) => sum + block.bytes.length, 0)
    const known = smallest.get(nameOf(row))
    if (known === undefined || bytes < known.bytes) smallest.set(nameOf(row), { row, bytes })
  }

  it.each([...smallest])('encodes %s within 1.2 times the smallest file', (_, { row, bytes }) => {
    const pair = new QpackPair({ capacity: row.max_table_capacity, blocked: row.max_blocked_streams })
    const { encoder, decoder } = pair
    let sectionBytes = 0
    for (const [at, fields] of parseQif(`${root}/${row.qif}`).entries()) {
      const encoded = pair.encode(4 * at, fields)
      sectionBytes += encoded.length
      expect(encoder.riskyStreams).toBeLessThanOrEqual(row.max_blocked_streams)
      expect(encoder.table.size).toBeLessThanOrEqual(row.max_table_capacity)
      pair.deliverInsertions()
      pair.decode(4 * at, encoded)
      expect(pair.decoded.get(4 * at)).toEqual([fields])
      if (row.immediate_ack === 1) pair.deliverFeedback()
    }
    expect(decoder.blockedStreams).toBe(0)
    expect(sectionBytes + pair.encoderWire.total).toBeLessThanOrEqual(1.2 * bytes)
  })

  it('judges the error files', () => {
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) {
      const [{ id, bytes }] = blocksOf(`${root}/encoded/errors/err${number}`)
      const pair = new QpackPair({ capacity: 0, blocked: 0 })
      const error = errorOf(() => (id === 0 ? pair.encoderReader.push(bytes) : pair.decode(id, bytes)))
      // err9 and err10 are valid under RFC 9204.
      const expected = number === 9 || number === 10 ? undefined : id === 0 ? 0x201 : 0x200
      expect([number, error]).toEqual([number, expected])
    }
  })
})
