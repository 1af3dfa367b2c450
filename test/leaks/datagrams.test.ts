// Row of the catalogue of leaks about datagrams: they name streams that are closed, or that nobody has opened yet.
import { expect } from 'vitest'
import type { H3Connection } from '../../src/http3/index.ts'
import { leakRow, RUNS } from './leak-row.ts'

/** Streams that are far beyond those that a run opens. */
const NEVER_OPENED = 1_000_000

leakRow({
  row: 23,
  title:
    'datagrams for streams already closed, for live ones that do not read them, and for streams never opened',
  seenIn: 'quic-go #4485',
  transport: { maxDatagramFrameSize: 65_535 },
  handler: () => async (exchange) => {
    // Half of the handlers open a channel; nobody reads it to its end.
    if (exchange.path === '/channel') exchange.datagrams?.[Symbol.asyncIterator]().next()
    for await (const _chunk of exchange.body);
    exchange.respond(200, [], 'x')
  },
  inspect: (world) => () => {
    const [entry] = world.server.entries
    const { datagrams } = entry!.supervisor.application as H3Connection
    expect(datagrams.unmatched).toBeGreaterThan(RUNS)
    expect(datagrams.delivered).toBeGreaterThan(0)
  },
  scenario: async (peer, run) => {
    const request = peer.begin('POST', run % 2 === 0 ? '/channel' : '/')
    const send = (streamId: number): void => {
      const quarter = streamId / 4
      peer.connection.sendDatagram(
        Uint8Array.of(0x80 | (quarter >>> 24), quarter >>> 16, quarter >>> 8, quarter, 1, 2, 3),
      )
    }
    await peer.sleep(12)
    send(request.stream.id)
    send(NEVER_OPENED)
    await peer.sleep(3)
    request.end()
    await request.closed
    await peer.sleep(30)
    send(request.stream.id)
    await peer.sleep(12)
  },
})
