// A relay: what one client sends as a datagram all others get, and a unidirectional stream of the server tells each who
// else is there. WebTransport over HTTP/3.
//
//   node --conditions=quactor-source examples/webtransport-server.ts
//
// In a project of your own, import from 'quactor' instead.
import { serve, type WebTransportServerSession } from 'quactor'

const members = new Set<WebTransportServerSession>()

async function tell(session: WebTransportServerSession, text: string): Promise<void> {
  const writer = (await session.createUnidirectionalStream({ waitUntilAvailable: true })).getWriter()
  await writer.write(new TextEncoder().encode(text))
  await writer.close()
}

async function relay(session: WebTransportServerSession): Promise<void> {
  const writers = new Map<WebTransportServerSession, WritableStreamDefaultWriter<unknown>>()
  for await (const datagram of session.datagrams.readable) {
    for (const other of members) {
      if (other === session) continue
      let writer = writers.get(other)
      if (writer === undefined) {
        writer = other.datagrams.createWritable().getWriter()
        writers.set(other, writer)
      }
      writer.write(datagram).catch(() => writers.delete(other))
    }
  }
}

const server = await serve({
  port: 4433,
  tls: 'self-signed',
  fetch: () => new Response('open a WebTransport session on /room\n'),
  webtransport: async (session) => {
    if (session.path !== '/room') return session.reject(404)
    await session.ready
    members.add(session)
    try {
      await tell(session, `${members.size} of us are here`)
      await relay(session)
    } finally {
      members.delete(session)
    }
  },
})

console.log(`${server.url}/room, certificate ${server.certificate?.certificateHash}`)
