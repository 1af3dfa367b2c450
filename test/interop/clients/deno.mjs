/**
 * Deno's QUIC (quinn and rustls). Deno has no HTTP/3 client, so a minimal one stands here on its QUIC
 * streams: SETTINGS on a control stream, literal field lines, frames read one after another.
 */
import { Buffer } from 'node:buffer'
import { certificate, check, expect, finish, origin, runChecks } from './checks.mjs'
import { checkWebTransport } from './deno-webtransport.mjs'

const FRAME = { data: 0x00, headers: 0x01 }
const { hostname, port, host } = new URL(origin)
const text = new TextEncoder()

/** RFC 9000 section 16. */
function varint(value) {
  if (value < 64) return [value]
  if (value < 16_384) return [0x40 | (value >> 8), value & 0xff]
  return [0x80 | (value >>> 24), (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

/** RFC 9204 section 4.5.6, without Huffman code; the length prefixes have 3 and 7 bits. */
function literalField(name, value) {
  const prefixed = (length, bits, flags) => {
    const limit = 2 ** bits - 1
    return length < limit ? [flags | length] : [flags | limit, length - limit]
  }
  const [nameBytes, valueBytes] = [text.encode(name), text.encode(value)]
  return [
    ...prefixed(nameBytes.length, 3, 0x20),
    ...nameBytes,
    ...prefixed(valueBytes.length, 7, 0),
    ...valueBytes,
  ]
}

function frame(type, payload) {
  return Buffer.concat([Uint8Array.from([...varint(type), ...varint(payload.length)]), payload])
}

/** Splits a whole response stream into its frames. */
function* frames(bytes) {
  let offset = 0
  const readVarint = () => {
    const length = 1 << (bytes[offset] >> 6)
    let value = bytes[offset++] & 0x3f
    for (let index = 1; index < length; index++) value = value * 256 + bytes[offset++]
    return value
  }
  while (offset < bytes.length) {
    const type = readVarint()
    const length = readVarint()
    expect(offset + length <= bytes.length, 'the response ends inside a frame')
    yield { type, payload: bytes.subarray(offset, offset + length) }
    offset += length
  }
}

/** Status codes of the static table, RFC 9204 appendix A. */
const STATUS_BY_INDEX = new Map([
  [24, 103],
  [25, 200],
  [26, 304],
  [27, 404],
  [28, 503],
  [63, 100],
  [64, 204],
  [67, 400],
  [71, 500],
])

function statusOf(section) {
  const line = section[2]
  expect((line & 0xc0) === 0xc0, 'the first field is not an indexed line of the static table')
  const index = (line & 0x3f) === 0x3f ? 63 + section[3] : line & 0x3f
  return STATUS_BY_INDEX.get(index)
}

const connection = await Deno.connectQuic({
  hostname,
  port: Number(port),
  alpnProtocols: ['h3'],
  caCerts: [certificate],
  maxIdleTimeout: 20_000,
}).catch(async (error) => {
  await check('QUIC handshake with a verified certificate', () => Promise.reject(error))
  return finish()
})
await check('QUIC handshake with a verified certificate', async () => {
  await connection.handshake
  expect(connection.protocol === 'h3', `ALPN ${connection.protocol}`)
})

const control = (await connection.createUnidirectionalStream()).getWriter()
await control.write(Uint8Array.from([0x00, 0x04, 0x00]))

async function readAll(readable) {
  const chunks = []
  for await (const chunk of readable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

await runChecks(async (method, path, body) => {
  const stream = await connection.createBidirectionalStream({ waitUntilAvailable: true })
  const fields = [
    [':method', method],
    [':scheme', 'https'],
    [':authority', host],
    [':path', path],
  ]
  const section = Uint8Array.from([0, 0, ...fields.flatMap(([name, value]) => literalField(name, value))])
  const writer = stream.writable.getWriter()
  const writing = (async () => {
    await writer.write(frame(FRAME.headers, section))
    if (body !== undefined) await writer.write(frame(FRAME.data, body))
    await writer.close()
  })()
  const [bytes] = await Promise.all([readAll(stream.readable), writing])
  const received = [...frames(bytes)]
  const head = received.find(({ type }) => type === FRAME.headers)
  expect(head !== undefined, 'no HEADERS frame')
  const parts = received.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload)
  return { status: statusOf(head.payload), body: Buffer.concat(parts) }
})
/** RFC 9114 section 8.1: H3_NO_ERROR. */
connection.close({ closeCode: 0x100, reason: '' })
await connection.closed
await checkWebTransport()
finish()
