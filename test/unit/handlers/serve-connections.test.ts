// server.connections(), /connections, and the transport's totals in /metrics, over real sockets.
import { expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type ConnectionReport, serve } from '../../../src/index.ts'

it('live connections are listed with their numbers, and counted when they are gone', async () => {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    tcp: false,
    inspector: { port: 0 },
    fetch: () => new Response(Buffer.alloc(50_000), { headers: { 'content-type': 'text/x-large' } }),
  })
  const read = (path: string): Promise<Response> => fetch(`${server.inspector}${path}`)
  const total = async (name: string): Promise<number> => {
    const text = await (await read('/metrics')).text()
    return Number(new RegExp(`^quactor_${name}_total (\\d+)$`, 'm').exec(text)?.[1])
  }
  try {
    expect(await (await read('/connections')).json()).toEqual([])
    const session = await connect(server.url, { insecure: true })
    // The first goes out before the server's SETTINGS have come; the second uses the dynamic table.
    for (const path of ['/', '/again']) await (await session.request({ path })).bytes()
    const listed = (await (await read('/connections')).json()) as ConnectionReport[]
    expect(listed).toHaveLength(1)
    expect(listed[0]).toMatchObject({ version: 1, state: 'confirmed', handlers: 0 })
    expect(listed[0]!.remote).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(listed[0]!.connection).toMatch(/^[0-9a-f]{16}$/)
    expect(listed[0]!.metrics.bytesSent).toBeGreaterThan(50_000)
    const [report] = server.connections()
    expect(report).toMatchObject({ connection: listed[0]!.connection, metrics: { isResumed: false } })
    // The request had repeating fields, and so had its response (QPACK).
    expect(report!.application.qpackTableBytes).toBeGreaterThan(0)
    expect(report!.application.qpackPeerTableBytes).toBeGreaterThan(0)
    expect(report!.application.qpackBlockedStreams).toBe(0)
    const sent = await total('packets_sent')
    expect(sent).toBeGreaterThanOrEqual(report!.metrics.packetsSent)
    await session.close()
    await server.close()
    expect(server.connections()).toEqual([])
  } finally {
    await server.close({ timeout: 50 })
  }
})
