// WebTransport at `/wt` of `npm start`: whatever comes goes back. Datagrams as datagrams, bidirectional streams on
// themselves, unidirectional streams on new ones of the server. What the server does by itself the query asks for: close
// with a code and a reason, drain, or open streams. Used by server-webtransport.ts.
import type { WebTransportReceiveStream } from '../supervisor/webtransport/streams.ts'
import type { WebTransportHandler, WebTransportServerSession } from './webtransport-session.ts'

/** Path of the echo. */
const DEMO_WEBTRANSPORT_PATH = '/wt'

const GREETING = new TextEncoder().encode('hello from the server')

export const demoWebTransport: WebTransportHandler = async (session) => {
  const [pathname, query] = session.path.split('?', 2)
  const searchParams = new URLSearchParams(query)
  if (pathname !== DEMO_WEBTRANSPORT_PATH) {
    session.reject(404)
    return
  }
  await session.ready
  const work = [echoDatagrams(session), echoBidirectional(session), echoUnidirectional(session)]
  if (searchParams.has('drain')) session.drain()
  if (searchParams.has('open')) work.push(greet(session))
  const code = searchParams.get('close')
  if (code !== null) closeAsAsked(session, Number(code), searchParams.get('reason') ?? '')
  await Promise.allSettled(work)
}

function closeAsAsked(session: WebTransportServerSession, closeCode: number, reason: string): void {
  const isCode = Number.isInteger(closeCode) && closeCode >= 0 && closeCode <= 0xffff_ffff
  session.close({ closeCode: isCode ? closeCode : 0, reason })
}

/**
 * One of each, opened by the server. The datagram is last: one that comes with the response, in the same packet, is dropped by
 * browsers. That a stream has been acknowledged says that the session is there.
 */
async function greet(session: WebTransportServerSession): Promise<void> {
  const uni = (await session.createUnidirectionalStream({ waitUntilAvailable: true })).getWriter()
  await uni.write(GREETING)
  await uni.close()
  await session.datagrams.createWritable().getWriter().write(GREETING)
  const bidi = await session.createBidirectionalStream({ waitUntilAvailable: true })
  const writer = bidi.writable.getWriter()
  await writer.write(GREETING)
  await writer.close()
  for await (const _chunk of bidi.readable);
}

async function echoDatagrams({ datagrams }: WebTransportServerSession): Promise<void> {
  await datagrams.readable.pipeTo(datagrams.writable)
}

async function echoBidirectional(session: WebTransportServerSession): Promise<void> {
  for await (const { readable, writable } of session.incomingBidirectionalStreams) {
    // A stream that breaks is its own affair.
    readable.pipeTo(writable).catch(() => {})
  }
}

async function echoUnidirectional(session: WebTransportServerSession): Promise<void> {
  for await (const readable of session.incomingUnidirectionalStreams) {
    returnUnidirectional(session, readable).catch(() => {})
  }
}

async function returnUnidirectional(
  session: WebTransportServerSession,
  readable: WebTransportReceiveStream,
): Promise<void> {
  const writable = await session.createUnidirectionalStream({ waitUntilAvailable: true })
  await readable.pipeTo(writable)
}
