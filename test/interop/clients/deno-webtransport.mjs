/**
 * Deno's WebTransport client. It ends the QUIC connection where others close the session, sends no FIN when a writer
 * closes, and takes no certificate authority: so it is given the hash of the certificate, and reads what it expects.
 */
import { Buffer } from 'node:buffer'
import { createHash, X509Certificate } from 'node:crypto'
import { certificate, check, expect, origin } from './checks.mjs'

const BODY_BYTES = 1_000_000
const PIECE = 16_384

/** Reads so many bytes, however they are cut. */
async function readBytes(readable, length) {
  const reader = readable.getReader()
  const chunks = []
  for (let left = length; left > 0; ) {
    const { value, done } = await reader.read()
    expect(!done, `the stream ended ${left} bytes early`)
    chunks.push(value)
    left -= value.length
  }
  return Buffer.concat(chunks)
}

async function write(writable, bytes) {
  const writer = writable.getWriter()
  for (let offset = 0; offset < bytes.length; offset += PIECE)
    await writer.write(bytes.subarray(offset, offset + PIECE))
}

export async function checkWebTransport() {
  const value = createHash('sha256').update(new X509Certificate(certificate).raw).digest()
  const session = new WebTransport(`${origin}/wt`, {
    serverCertificateHashes: [{ algorithm: 'sha-256', value }],
  })
  await check('a WebTransport session', () => session.ready)
  await check('WebTransport datagrams come back', async () => {
    const writer = session.datagrams.writable.getWriter()
    const reader = session.datagrams.readable.getReader()
    await writer.write(Uint8Array.of(1, 2, 3))
    const { value: datagram } = await reader.read()
    expect(datagram.join() === '1,2,3', `received ${datagram}`)
  })
  await check('1 MB on a bidirectional WebTransport stream comes back', async () => {
    const { readable, writable } = await session.createBidirectionalStream()
    const bytes = Uint8Array.from({ length: BODY_BYTES }, (_, index) => index % 251)
    const [back] = await Promise.all([readBytes(readable, bytes.length), write(writable, bytes)])
    expect(back.equals(bytes), 'what came back is not the same')
  })
  await check('a unidirectional WebTransport stream comes back on one of the server', async () => {
    const bytes = Uint8Array.from({ length: PIECE }, (_, index) => index % 251)
    const incoming = session.incomingUnidirectionalStreams.getReader()
    await write(await session.createUnidirectionalStream(), bytes)
    const { value: readable } = await incoming.read()
    expect((await readBytes(readable, bytes.length)).equals(bytes), 'what came back is not the same')
  })
  await check('the WebTransport session ends', async () => {
    session.close({ closeCode: 7, reason: 'done' })
    await session.closed
  })
}
