// Sessions that change their address, over real sockets on loopback (RFC 9000 section 9).
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type QuactorServer, serve } from '../../../src/index.ts'
import { bindNodeSocket } from '../../../src/transport/io/node-socket.ts'

const BODY = 3_000_000

let server: QuactorServer

function listen(options: Parameters<typeof serve>[0] = {}): Promise<QuactorServer> {
  return serve({
    port: 0,
    host: '127.0.0.1',
    tcp: false,
    inspector: false,
    fetch: async (request) => new Response(await request.arrayBuffer()),
    ...options,
  })
}

beforeAll(async () => {
  server = await listen()
})

afterAll(async () => {
  await server.close({ timeout: 0 })
})

describe('session.migrate()', () => {
  it('goes on at another port, again and again, while a body goes both ways', async () => {
    const session = await connect(`https://127.0.0.1:${server.port}`, { insecure: true })
    const body = new Uint8Array(BODY).fill(3)
    const answer = session.request({ body }).then((response) => response.bytes())
    for (let i = 0; i < 3; i++) {
      const before = session.connection.path.local
      await session.migrate()
      expect(session.connection.path.local).not.toBe(before)
    }
    expect(await answer).toHaveLength(BODY)
    expect(session.connection.paths.counters.migrations).toBe(3)
    await session.end()
    await expect.poll(() => server.status().connections.live, { timeout: 10_000 }).toBe(0)
    expect(server.status().streams.live).toBe(0)
    expect(server.status().actors.missedTransitions).toBe(0)
  })

  it('fails when the server forbids it, and the session goes on', async () => {
    const strict = await listen({ transport: { disableActiveMigration: true } })
    const session = await connect(`https://127.0.0.1:${strict.port}`, { insecure: true })
    const { local } = session.connection.path
    await expect(session.migrate()).rejects.toMatchObject({ kind: 'connect' })
    expect(session.connection.path.local).toBe(local)
    const response = await session.request({ body: 'still here' })
    expect(await response.text()).toBe('still here')
    await session.end()
    await strict.close({ timeout: 0 })
  })
})

describe('a preferred address (RFC 9000 section 9.6)', () => {
  it('is where the client is after the handshake', async () => {
    const free = await bindNodeSocket({ address: '127.0.0.1', port: 0 })
    const preferred = { address: '127.0.0.1', port: free.localPort, family: 4 } as const
    await free.close()
    const other = await listen({ preferredAddress: { ipv4: preferred } })
    const session = await connect(`https://127.0.0.1:${other.port}`, { insecure: true })
    for (let i = 0; i < 200 && session.connection.path.remote.port !== preferred.port; i++) {
      const response = await session.request({ body: 'x' })
      expect(await response.text()).toBe('x')
    }
    expect(session.connection.path.remote).toMatchObject(preferred)
    const response = await session.request({ body: new Uint8Array(BODY) })
    expect(await response.bytes()).toHaveLength(BODY)
    await session.end()
    await expect.poll(() => other.status().connections.live, { timeout: 10_000 }).toBe(0)
    await other.close({ timeout: 0 })
  })
})
