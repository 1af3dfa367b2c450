// Rows of the catalogue of leaks about streams that are handed over, for WebTransport: sessions, their streams and their
// datagrams are gone when the session is, whoever ended it and whatever the application still holds.
import { encodeCapsule } from '../../src/http3/index.ts'
import { SIM_SERVER_NAME } from '../sim/identity.ts'
import { frame, headers, varint } from '../unit/http3/session.ts'
import { leakRow } from './leak-row.ts'
import type { ScriptedPeer, ScriptedStream } from './scripted-peer.ts'

const SETTINGS = [0x33, 1, 0x2c7cf000, 1, 0x2b64, 1_000, 0x2b65, 1_000, 0x2b61, 1_000_000]

/** The control stream of a client that speaks the current draft, and a reset that opens the server's decoder stream. */
function prepare(peer: ScriptedPeer): void {
  const stream = peer.connection.openStream('uni')!
  stream.write(Buffer.concat([varint(0), frame(0x04, Buffer.concat(SETTINGS.map(varint)))]))
  connect(peer, '/reject').reset().stop()
}

function connect(peer: ScriptedPeer, path: string): ScriptedStream {
  const stream = peer.open()
  const target = [':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', path]
  stream.stream.write(headers([':method', 'CONNECT', ':protocol', 'webtransport-h3', ...target]))
  return stream
}

function capsule(type: number, value = new Uint8Array(0)): Buffer {
  return frame(0, encodeCapsule(type, value))
}

const ROOM = { maxDatagramFrameSize: 65_535, initialMaxStreamsBidi: 200, initialMaxStreamsUni: 200 }

leakRow({
  row: 10,
  title: 'streams handed over to an application that drops them, in sessions that end in five ways',
  seenIn: 'quic-go #5402, webtransport-go CVE-2026-21438',
  transport: ROOM,
  handler: () => (exchange) => exchange.respond(404),
  prepare,
  http3: () => ({
    webtransport: {
      maxSessions: 100,
      handler: async (session) => {
        if (session.path === '/reject') return session.reject(403)
        await session.ready
        // Taken, and then forgotten: neither read nor closed.
        session.incomingBidirectionalStreams
          .getReader()
          .read()
          .catch(() => {})
        session.incomingUnidirectionalStreams
          .getReader()
          .read()
          .catch(() => {})
        session.datagrams.readable
          .getReader()
          .read()
          .catch(() => {})
        await session.createBidirectionalStream({ waitUntilAvailable: true }).catch(() => {})
        if (session.path === '/close') session.close({ closeCode: 1 })
        return undefined
      },
    },
  }),
  streamsPerRun: 2,
  scenario: async (peer, run) => {
    const ways = ['/close', '/fin', '/capsule', '/reset', '/reject', '/wrong']
    const path = ways[run % ways.length]!
    const request = connect(peer, path)
    const id = varint(request.stream.id)
    const data = peer.open()
    data.stream.write(Buffer.concat([varint(0x41), id, Buffer.from('data')]))
    peer.connection.openStream('uni')?.write(Buffer.concat([varint(0x54), id, Buffer.from('data')]))
    peer.connection.sendDatagram(Buffer.concat([varint(request.stream.id / 4), Buffer.from('data')]))
    await peer.sleep(30)
    if (path === '/reset') request.reset()
    else if (path === '/wrong') request.stream.write(capsule(0x190b4d3e))
    else {
      if (path === '/capsule') request.stream.write(capsule(0x2843, new Uint8Array(4)))
      request.end()
    }
    await peer.sleep(100)
    data.reset().stop()
    request.stop()
    await Promise.all([request.closed, data.closed])
  },
})
