// The qlog of whole endpoints in virtual time: HTTP/3 events beside those of QUIC, and nothing in it that is not
// derived from the seed.
import { describe, expect, it } from 'vitest'
import type { OpenQlog } from '../../src/transport/connection/index.ts'
import { MemoryLog } from '../unit/transport/connection/qlog/memory-log.ts'
import { schemaFaults } from '../unit/transport/connection/qlog/schema.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { World } from './world.ts'

interface LoggedRun {
  readonly client: MemoryLog
  readonly server: MemoryLog
  readonly left: string[]
}

/** Two requests over a path that loses and reorders, then an orderly end. */
async function run(seed: number): Promise<LoggedRun> {
  const client = new MemoryLog()
  const server = new MemoryLog()
  const openQlog: OpenQlog = (trace) => (trace.role === 'client' ? client : server).open(trace)
  const link = { ...PERFECT_LINK, loss: 0.1, jitter: 5, reorder: 0.1, reorderDelay: 20 }
  const world = new World({
    seed,
    toServer: link,
    toClient: link,
    openQlog,
    handler: () => async (exchange) => {
      let bytes = 0
      for await (const chunk of exchange.body) bytes += chunk.length
      exchange.respond(200, ['content-type', 'text/plain'], `${bytes} bytes`)
    },
  })
  const session = world.open()
  const first = session.request({ path: '/upload', body: new Uint8Array(30_000) })
  await world.run(
    first.then((response) => response.text()),
    20_000,
  )
  const second = session.request({ path: '/small', headers: { 'x-a': 'b' } })
  await world.run(
    second.then((response) => response.text()),
    20_000,
  )
  await world.run(world.server.drain(20_000), 60_000)
  await world.pass(130_000)
  return { client, server, left: leftovers(world) }
}

function frames(
  log: MemoryLog,
  name: string,
  type: string,
): { stream_id: number; frame: Record<string, unknown> }[] {
  return log
    .named(name)
    .map(({ data }) => data)
    .filter(({ frame }) => frame.frame_type === type)
}

describe('qlog of endpoints (draft-ietf-quic-qlog-h3-events)', async () => {
  const { client, server, left } = await run(7)

  it('has the fields that the drafts require in every event, and an end', () => {
    expect([...client.events, ...server.events].flatMap(schemaFaults)).toEqual([])
    expect([client.isEnded, server.isEnded]).toEqual([true, true])
    expect(left).toEqual([])
  })

  it('has the fields of each request and response, as made and as read', () => {
    const made = frames(client, 'http3:frame_created', 'headers')
    expect(made.map(({ stream_id }) => stream_id)).toEqual([0, 4])
    expect(made[1].frame.headers).toEqual(
      expect.arrayContaining([
        { name: ':method', value: 'GET' },
        { name: ':path', value: '/small' },
        { name: 'x-a', value: 'b' },
      ]),
    )
    const byName = (fields: unknown): unknown[] =>
      [...(fields as { name: string }[])].sort((a, b) => a.name.localeCompare(b.name))
    const read = frames(server, 'http3:frame_parsed', 'headers')
    expect(read.map(({ frame }) => byName(frame.headers))).toEqual(
      made.map(({ frame }) => byName(frame.headers)),
    )
    const [answer] = frames(client, 'http3:frame_parsed', 'headers')
    expect(answer.frame.headers).toContainEqual({ name: ':status', value: '200' })
  })

  it('has DATA frames with their length on both sides', () => {
    const sum = (log: MemoryLog, name: string): number =>
      frames(log, name, 'data')
        .filter(({ stream_id }) => stream_id === 0)
        .reduce((total, { frame }) => total + (frame.raw as { payload_length: number }).payload_length, 0)
    expect(sum(client, 'http3:frame_created')).toBe(30_000)
    expect(sum(server, 'http3:frame_parsed')).toBe(30_000)
    expect(sum(server, 'http3:frame_created')).toBe('30000 bytes'.length)
  })

  it('has SETTINGS of both, and the GOAWAY of a drain', () => {
    for (const log of [client, server]) {
      expect(frames(log, 'http3:frame_created', 'settings')).toHaveLength(1)
      expect(frames(log, 'http3:frame_parsed', 'settings')).toHaveLength(1)
      const sides = log.named('http3:parameters_set').map(({ data }) => data.initiator)
      expect(sides.sort()).toEqual(['local', 'remote'])
    }
    const announced = frames(server, 'http3:frame_created', 'goaway').map(({ frame }) => frame.id)
    expect(announced[0]).toBe(2 ** 62)
    // The client may be gone before it reads the last one.
    const seen = frames(client, 'http3:frame_parsed', 'goaway').map(({ frame }) => frame.id)
    expect(seen).toEqual(announced.slice(0, Math.max(1, seen.length)))
    expect(frames(client, 'http3:frame_parsed', 'goaway')[0].stream_id).toBe(3)
  })

  it('is the same for the same seed, byte for byte', async () => {
    const again = await run(7)
    expect(again.client.text).toBe(client.text)
    expect(again.server.text).toBe(server.text)
    const other = await run(8)
    expect(other.server.text).not.toBe(server.text)
  })
})
