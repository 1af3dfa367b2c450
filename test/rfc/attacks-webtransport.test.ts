// Attacks on WebTransport, section E of the catalogue and what else comes to mind: each ends in a refusal, in points that
// run out, or in nothing at all, and never in memory.
import { describe, expect, it } from 'vitest'
import { encodeCapsule } from '../../src/http3/index.ts'
import {
  MAX_CAPSULE_BACKLOG,
  MAX_INCOMING_STREAMS,
  MAX_SESSIONS,
} from '../../src/http3/webtransport/limits.ts'
import { frame, varint } from '../unit/http3/session.ts'
import { Client, CURRENT, capsule, DRAFT_02, H3_DATAGRAM, statusOf } from './webtransport-client.ts'

const EXCESSIVE_LOAD = 0x107

describe('attacks on WebTransport', () => {
  it('row 114: streams that have ended are in no map of their session (CVE-2026-21438)', async () => {
    const client = new Client()
    const stream = await client.session([...H3_DATAGRAM, ...DRAFT_02])
    const [core] = client.world.serverSessions.all
    for (let index = 0; index < 60; index++) {
      client.bidi(stream.stream.id).reset().stop()
      await client.pass(20)
    }
    await client.pass()
    expect(core!.streams.size).toBe(0)
    expect(core!.incomingBidi.length).toBeLessThanOrEqual(MAX_INCOMING_STREAMS)
  })

  it('row 115: a close capsule of any length (CVE-2026-21434)', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(frame(0, Buffer.concat([varint(0x2843), varint(2 ** 40), new Uint8Array(100)])))
    await client.pass()
    expect(stream.resetCode).toBe(0x10e)
    await client.world.expectNoSessions()
  })

  it('row 116: a peer that never answers a close (CVE-2026-21435)', async () => {
    const client = new Client()
    await client.session()
    client.sessions[0]!.close()
    await client.pass(12_000)
    expect(client.world.server.counters.sessionsLive).toBe(0)
    expect(client.ends).toHaveLength(1)
  })

  it('row 117: unknown capsules are skipped by counting, and cost points (CVE-2026-57497)', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(frame(0, Buffer.concat([varint(0x77777), varint(2 ** 40), new Uint8Array(50_000)])))
    await client.pass(1_000)
    expect(client.error).toBe(EXCESSIVE_LOAD)
    const other = new Client()
    const small = await other.session()
    for (let index = 0; index < 1_200; index++) small.stream.write(capsule(0x77777))
    await other.pass(1_000)
    expect(other.error).toBe(EXCESSIVE_LOAD)
  })

  it.each([
    ['drains', 0x78ae, new Uint8Array(0)],
    ['complaints about limits', 0x190b4d41, varint(5)],
  ])('a flood of %s runs out of points', async (_what, type, value) => {
    const client = new Client()
    const stream = await client.session()
    const flood = Buffer.concat(Array.from({ length: 50 }, () => encodeCapsule(type, value)))
    for (let index = 0; index < 24; index++) stream.stream.write(frame(0, flood))
    await client.pass(1_000)
    expect(client.error).toBe(EXCESSIVE_LOAD)
  })

  it('a flood of streams that are reset at once runs out of points', async () => {
    const client = new Client()
    const stream = await client.session([...H3_DATAGRAM, ...DRAFT_02])
    for (let round = 0; round < 200 && client.error === undefined; round++) {
      for (let index = 0; index < 20 && client.peer.credit > 0; index++) {
        client.bidi(stream.stream.id).reset().stop()
      }
      await client.pass(25)
    }
    expect(client.error).toBe(EXCESSIVE_LOAD)
  })

  it('streams that nobody takes: those beyond the cap are refused', async () => {
    const client = new Client({}, {})
    const stream = await client.session([...H3_DATAGRAM, ...DRAFT_02])
    // Short streams end on the level of QUIC, and so give back their credit, while they wait here.
    for (let round = 0; round < 30; round++) {
      for (let index = 0; index < 5; index++) client.uni(stream.stream.id).end()
      await client.pass(30)
    }
    const [core] = client.world.serverSessions.all
    expect(core!.incomingUni).toHaveLength(MAX_INCOMING_STREAMS)
    expect(core!.streams.size).toBe(0)
    expect(client.ends).toEqual([])
  })

  it('sessions without end: those beyond the limit get 429', async () => {
    const client = await new Client().open([...H3_DATAGRAM, ...CURRENT])
    const streams = Array.from({ length: MAX_SESSIONS + 4 }, () => client.connect())
    await client.pass()
    const statuses = streams.map(statusOf)
    expect(statuses.filter((status) => status === 200)).toHaveLength(MAX_SESSIONS)
    expect(client.sessions).toHaveLength(MAX_SESSIONS)
    expect(client.world.server.counters.sessionsLive).toBe(MAX_SESSIONS)
  })

  it('a client that does not read its CONNECT stream: the session is given up', async () => {
    const client = new Client({}, { initialMaxStreamDataBidiLocal: 100, maxStreamReceiveWindow: 100 })
    await client.open([...H3_DATAGRAM, ...CURRENT])
    const stream = client.connect('webtransport-h3', [], '/', false)
    await client.pass()
    const [core] = client.world.serverSessions.all
    // As many capsules as it takes: each makes little, but nobody takes it.
    core!.request.write(new Uint8Array(MAX_CAPSULE_BACKLOG + 1))
    expect(client.ends).toEqual([])
    client.sessions[0]!.drain()
    await client.pass()
    expect(client.ends).toEqual(['the peer does not read its CONNECT stream (0x107)'])
    expect(stream.resetCode).toBe(EXCESSIVE_LOAD)
  })

  it('early data opens no session (RFC 8470: 425 before the handshake is complete)', async () => {
    const client = await new Client().open([...H3_DATAGRAM, ...CURRENT])
    const [entry] = client.world.server.entries
    Object.defineProperty(entry!.supervisor.connection, 'isEarly', { value: true })
    const stream = client.connect()
    await client.pass()
    expect(statusOf(stream)).toBe(425)
    expect(client.sessions).toHaveLength(0)
  })
})
