/** Checks of WebTransport that run in the page. Each resolves, or rejects with what is wrong. */
import { expect, pattern, readPattern, rejection, within } from './expect.js'

const WAIT = 20_000
/** Streams that may be tried for one code. */
const ABORT_ATTEMPTS = 20
const text = (bytes) => new TextDecoder().decode(bytes)
const bytes = (string) => new TextEncoder().encode(string)

/** Which names of the W3C's WebTransport this browser has. */
export function surface() {
  if (!('WebTransport' in globalThis)) return []
  const names = coded(256).streamErrorCode === 256 ? ['WebTransportError.streamErrorCode of 32 bits'] : []
  for (const type of ['WebTransport', 'WebTransportDatagramDuplexStream', 'WebTransportSendStream']) {
    const { prototype } = globalThis[type] ?? {}
    if (prototype) for (const name of Object.getOwnPropertyNames(prototype)) names.push(`${type}.${name}`)
  }
  return names
}

function open(path, options) {
  const session = new WebTransport(new URL(path, location.origin), options)
  session.ready.catch(() => {})
  session.closed.catch(() => {})
  session.draining?.catch(() => {})
  return session
}

async function opened(path, options) {
  const session = open(path, options)
  await within(WAIT, session.ready, `session ${path}`)
  return session
}

const datagramWriter = ({ datagrams }) => (datagrams.createWritable?.() ?? datagrams.writable).getWriter()

async function next(reader, what) {
  const { value, done } = await within(WAIT, reader.read(), what)
  expect(!done, `${what}: the stream has ended`)
  return value
}

async function writeAll(writable, data) {
  const writer = writable.getWriter()
  for (let at = 0; at < data.length; at += 65_536) {
    await writer.ready
    // A write that fails shows at close().
    writer.write(data.subarray(at, at + 65_536)).catch(() => {})
  }
  await writer.close()
}

/** A reason with a code; Chromium has the constructor of an older draft. */
function coded(streamErrorCode) {
  try {
    return new WebTransportError('given up', { streamErrorCode })
  } catch {
    return new WebTransportError({ message: 'given up', streamErrorCode })
  }
}

function errorOf(error) {
  const { name, source, streamErrorCode } = error
  return { name, source, streamErrorCode, isTransport: error instanceof WebTransportError }
}

// --- echo --------------------------------------------------------------------------------------------------------------

/** Datagrams may be lost: they are sent again until each has come back. */
export async function datagrams(count) {
  const session = await opened('/wt')
  const writer = datagramWriter(session)
  const reader = session.datagrams.readable.getReader()
  const missing = new Set(Array.from({ length: count }, (_, index) => `datagram ${index}`))
  const receive = async () => {
    while (missing.size > 0) missing.delete(text(await next(reader, 'datagrams')))
  }
  const received = receive()
  while (missing.size > 0) {
    for (const datagram of missing) await writer.write(bytes(datagram))
    await Promise.race([received, new Promise((resolve) => setTimeout(resolve, 500))])
  }
  await received
  session.close()
}

export async function certificateHash(hash) {
  const value = Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0))
  const session = await opened('/wt', { serverCertificateHashes: [{ algorithm: 'sha-256', value }] })
  const { readable, writable } = await session.createBidirectionalStream()
  const [length] = await Promise.all([readPattern(readable), writeAll(writable, pattern(1_000))])
  expect(length === 1_000, `${length} bytes`)
  session.close()
}

export async function bidirectional(length) {
  const session = await opened('/wt')
  const { readable, writable } = await session.createBidirectionalStream()
  const [received] = await Promise.all([readPattern(readable), writeAll(writable, pattern(length))])
  expect(received === length, `${received} bytes came back`)
  session.close()
}

export async function unidirectional(length) {
  const session = await opened('/wt')
  const incoming = session.incomingUnidirectionalStreams.getReader()
  const sent = session.createUnidirectionalStream().then((writable) => writeAll(writable, pattern(length)))
  const received = await readPattern(await next(incoming, 'the stream back'))
  await sent
  expect(received === length, `${received} bytes came back`)
  session.close()
}

/** Several sessions, each with several streams, at the same time. */
export async function several(sessions, streams) {
  const list = await Promise.all(Array.from({ length: sessions }, () => opened('/wt')))
  const one = async (session, index) => {
    const { readable, writable } = await session.createBidirectionalStream()
    const length = 10_000 + index
    const [received] = await Promise.all([readPattern(readable), writeAll(writable, pattern(length))])
    expect(received === length, `${received} instead of ${length} bytes`)
  }
  await Promise.all(
    list.flatMap((session) => Array.from({ length: streams }, (_, index) => one(session, index))),
  )
  for (const session of list) session.close()
}

/** The server tells the length of what it got; each size up to the largest, and one beyond. */
export async function datagramLength() {
  const session = await opened('/datagram-length')
  const writer = datagramWriter(session)
  const reader = session.datagrams.readable.getReader()
  const { maxDatagramSize } = session.datagrams
  expect(maxDatagramSize >= 1_000, `maxDatagramSize is ${maxDatagramSize}`)
  // Sent before the smaller one: what is too large is dropped, not cut, and not an error.
  await writer.write(new Uint8Array(70_000))
  for (const length of [0, 1, 63, 64, 1_000, maxDatagramSize]) {
    let answer
    while (answer !== length) {
      await writer.write(new Uint8Array(length))
      const received = await Promise.race([
        next(reader, `the length of ${length} bytes`),
        new Promise((_, reject) =>
          setTimeout(() => reject(new Error(`no answer to ${length} bytes`)), 5_000),
        ),
      ])
      answer = Number(text(received))
      expect(answer <= length, `${length} bytes arrived as ${answer}`)
    }
  }
  session.close()
}

// --- the server's answer ------------------------------------------------------------------------------------------------

/** A status of 200 is a session, another is none; a redirection is not followed. */
export async function customResponse(status) {
  const session = open(`/custom-response?status=${status}`)
  if (status === 200) {
    await within(WAIT, session.ready, 'ready')
    session.close()
    return undefined
  }
  const error = await rejection(session.ready, 'ready')
  const closed = await rejection(session.closed, 'closed')
  expect(errorOf(closed).isTransport, `closed is rejected with ${closed}`)
  return errorOf(error)
}

// --- streams of the server ---------------------------------------------------------------------------------------------

export async function serverStreams() {
  const session = await opened('/wt?open')
  const datagram = await next(session.datagrams.readable.getReader(), 'a datagram')
  const uni = await next(session.incomingUnidirectionalStreams.getReader(), 'a unidirectional stream')
  const bidi = await next(session.incomingBidirectionalStreams.getReader(), 'a bidirectional stream')
  const greeting = 'hello from the server'
  expect(text(datagram) === greeting, `datagram ${text(datagram)}`)
  const read = async (readable) => text(new Uint8Array(await new Response(readable).arrayBuffer()))
  expect((await read(uni)) === greeting, 'the unidirectional stream differs')
  expect((await read(bidi.readable)) === greeting, 'the bidirectional stream differs')
  await writeAll(bidi.writable, pattern(100_000))
  session.close()
}

/** The server gives up its side of a stream that the page has opened. */
export async function abortFromServer(how, code) {
  const session = await opened(`/abort-stream?how=${how}&code=${code}`)
  let error
  // Both browsers sometimes notice that a stream is gone before they have the code, and give another error: then once more.
  for (let attempt = 0; attempt < ABORT_ATTEMPTS; attempt++) {
    error = await abortedStream(session, how)
    if (error.isTransport || how !== 'stop') break
  }
  session.close()
  return error
}

/** How a stream of the page ends that the server resets, or stops. */
async function abortedStream(session, how) {
  const { readable, writable } = await session.createBidirectionalStream()
  const writer = writable.getWriter()
  writer.closed.catch(() => {})
  // The server may be faster than the end of the write.
  writer.write(bytes('hello')).catch(() => {})
  if (how === 'reset') return errorOf(await rejection(readable.getReader().read(), 'read()'))
  return errorOf(await rejection(writer.closed, 'writer.closed'))
}

/** The server resets streams that it has opened. */
export async function resetByServer(code) {
  const session = await opened(`/server-streams?how=reset&code=${code}`)
  const uni = await next(session.incomingUnidirectionalStreams.getReader(), 'a unidirectional stream')
  const bidi = await next(session.incomingBidirectionalStreams.getReader(), 'a bidirectional stream')
  const drain = async (readable) => {
    for (const reader = readable.getReader(); ; ) if ((await reader.read()).done) return
  }
  // A stream that is reset before its header has arrived belongs to no session.
  await datagramWriter(session).write(bytes('both are here'))
  const errors = []
  for (const readable of [uni, bidi.readable]) {
    errors.push(errorOf(await rejection(drain(readable), 'reading')))
  }
  session.close()
  return errors
}

/** The page gives up streams that the server has opened. */
export async function giveUpServerStreams(code) {
  const session = await opened('/server-streams')
  const uni = await next(session.incomingUnidirectionalStreams.getReader(), 'a unidirectional stream')
  const bidi = await next(session.incomingBidirectionalStreams.getReader(), 'a bidirectional stream')
  await uni.cancel(coded(code))
  await bidi.readable.cancel(coded(code))
  await bidi.writable.abort(coded(code))
  window.held = session
}

/** The page gives up streams that it has opened. */
export async function giveUpOwnStreams(code) {
  const session = await opened('/client-close')
  const uni = (await session.createUnidirectionalStream()).getWriter()
  await uni.write(bytes('some'))
  const bidi = await session.createBidirectionalStream()
  const writer = bidi.writable.getWriter()
  await writer.write(bytes('some'))
  // A stream that is reset before its header has left belongs to no session, and a write ends before that.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await uni.abort(coded(code))
  await writer.abort(coded(code))
  await bidi.readable.cancel(coded(code))
  window.held = session
}

export function closeHeld() {
  window.held.close()
}

// --- the end -----------------------------------------------------------------------------------------------------------

export async function clientClose(info) {
  const session = await opened('/client-close')
  if (info === null) session.close()
  else session.close(info)
  const { closeCode, reason } = await within(WAIT, session.closed, 'closed')
  return { closeCode, reason }
}

export async function serverClose(path) {
  const session = open(path)
  const { closeCode, reason } = await within(WAIT, session.closed, 'closed')
  const reader = session.incomingUnidirectionalStreams.getReader()
  const { done } = await within(WAIT, reader.read(), 'streams after the end')
  const failure = await rejection(session.createBidirectionalStream(), 'a stream after the end')
  return { closeCode, reason, done, failure: failure.name }
}

/** An open stream learns of its session's end. */
export async function streamAfterClose() {
  const session = await opened('/wt')
  const { readable, writable } = await session.createBidirectionalStream()
  await writable.getWriter().write(bytes('x'))
  const reader = readable.getReader()
  await next(reader, 'the echo')
  const reading = reader.read()
  reading.catch(() => {})
  session.close({ closeCode: 1, reason: 'done' })
  return errorOf(await rejection(reading, 'read()'))
}

export async function connectionClose() {
  const session = await opened('/server-connection-close')
  const writer = datagramWriter(session)
  const { readable } = await session.createBidirectionalStream()
  const reading = rejection(readable.getReader().read(), 'read()')
  const timer = setInterval(() => writer.write(bytes('now')).catch(() => {}), 200)
  const error = await rejection(session.closed, 'closed').finally(() => clearInterval(timer))
  return { closed: errorOf(error), read: errorOf(await reading) }
}

/** Drained, a session goes on until somebody closes it. */
export async function drain(isTold) {
  const session = await opened('/drain')
  const { readable, writable } = await session.createBidirectionalStream()
  const writer = writable.getWriter()
  await writer.write(bytes('before '))
  if (isTold) await within(WAIT, session.draining, 'draining')
  await writer.write(bytes('after'))
  await writer.close()
  const back = text(new Uint8Array(await new Response(readable).arrayBuffer()))
  expect(back === 'before after', `came back: ${back}`)
  session.close()
}

/** A session that is open until its connection is lost. */
export async function hold() {
  const session = await opened('/wt')
  const { readable, writable } = await session.createBidirectionalStream()
  await writable.getWriter().write(bytes('x'))
  await next(readable.getReader(), 'the echo')
  window.lost = rejection(session.closed, 'closed').then(errorOf)
}

export function lost() {
  return window.lost
}

// --- order and numbers ---------------------------------------------------------------------------------------------------

/** A stream that was opened last, with a greater send order, is whole first. */
export async function sendOrder(length) {
  const session = await opened('/sink')
  const late = await session.createUnidirectionalStream({ sendOrder: 1 })
  const early = await session.createUnidirectionalStream({ sendOrder: 2 })
  const plain = await session.createUnidirectionalStream()
  const orders = [late.sendOrder, early.sendOrder, plain.sendOrder]
  plain.sendOrder = 3
  orders.push(plain.sendOrder)
  await plain.close()
  await Promise.all([writeAll(late, pattern(length)), writeAll(early, pattern(length - 1))])
  window.held = session
  return orders
}

/** Numbers of the session where the browser has them, of a stream, or none of both; the server counts in any case. */
export async function stats(which) {
  const session = await opened('/stats')
  const { readable, writable } = await session.createBidirectionalStream()
  await Promise.all([readPattern(readable), writeAll(writable, pattern(100_000))])
  window.held = session
  if (which === 'session') return (await session.getStats()).bytesSent
  return which === 'stream' ? (await writable.getStats()).bytesWritten : 0
}
