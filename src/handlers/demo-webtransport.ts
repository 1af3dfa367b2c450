// WebTransport at `/wt` of `npm start`: whatever comes goes back. Datagrams as datagrams, bidirectional streams on
// themselves, unidirectional streams on new ones of the server. Used by server-webtransport.ts.
import type { WebTransportReceiveStream } from '../supervisor/webtransport/streams.ts'
import type { WebTransportHandler, WebTransportServerSession } from './webtransport-session.ts'

/** Path of the echo. */
export const DEMO_WEBTRANSPORT_PATH = '/wt'

export const demoWebTransport: WebTransportHandler = async (session) => {
  const [path] = session.path.split('?', 1)
  if (path !== DEMO_WEBTRANSPORT_PATH) {
    session.reject(404)
    return
  }
  const work = [echoDatagrams(session), echoBidirectional(session), echoUnidirectional(session)]
  await Promise.allSettled(work)
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
