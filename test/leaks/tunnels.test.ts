// What CONNECT leaves behind: byte tunnels, WebSockets and UDP sockets, 1,000 of each on one connection that stays open,
// ended in every way that there is; then the connection ends, or the client vanishes, in the middle.
import { expect, test } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { TunnelWorld } from '../sim/tunnel-world.ts'
import { ProxyWorld } from '../unit/handlers/connect-udp/fake-udp.ts'
import { registriesOf } from './registries.ts'

const RUNS = 1_000
const BATCH = 50

type Scenario = (session: ClientSession, run: number) => Promise<unknown>

const transport = { maxDatagramFrameSize: 65_535 }

/** Never rejects: how a run ends is its own business. */
async function attempt(scenario: Scenario, session: ClientSession, run: number): Promise<void> {
  await scenario(session, run).catch(() => {})
}

async function leakFree(world: TunnelWorld, scenario: Scenario): Promise<void> {
  const session = await world.connected()
  const batch = (first: number): Promise<unknown> =>
    Promise.all(Array.from({ length: BATCH }, (_, index) => attempt(scenario, session, first + index)))
  await world.run(batch(0), 60_000)
  await world.pass(3_000)
  const before = {
    server: registriesOf(world.server),
    client: registriesOf(world.client),
    holds: session.holds,
  }
  for (let first = 0; first < RUNS; first += BATCH) {
    await world.run(batch(first), 60_000)
    await world.pass(200)
  }
  await world.pass(3_000)
  const after = {
    server: registriesOf(world.server),
    client: registriesOf(world.client),
    holds: session.holds,
  }
  expect(after).toEqual(before)
  expect(after.holds).toBe(0)
  expect(after.server['handlers live']).toBe(0)
  void batch(0)
  await world.pass(25)
  session.close()
  await world.pass(100_000)
  await vanish(world, scenario)
  expect(registriesOf(world.server)).toMatchObject({ connections: 0, 'handlers live': 0, 'timers armed': 0 })
  expect(world.client.entries.size).toBe(0)
}

async function vanish(world: TunnelWorld, scenario: Scenario): Promise<void> {
  const session = await world.connected()
  for (let run = 0; run < BATCH; run++) void attempt(scenario, session, run)
  await world.pass(25)
  const { send } = world.clientSocket
  Object.assign(world.clientSocket, { send: () => {} })
  await world.pass(100_000)
  Object.assign(world.clientSocket, { send })
}

test('byte tunnels: ended by either side, reset by either side, refused, never read', async () => {
  const tunnels = {
    end: (exchange: Exchange) => void exchange.accept().resume().end('done'),
    pipe: (exchange: Exchange) => {
      const tunnel = exchange.accept()
      tunnel.pipe(tunnel)
    },
    destroy: (exchange: Exchange) => void exchange.accept().destroy(),
    refuse: (exchange: Exchange) => exchange.respond(403),
    deaf: (exchange: Exchange) => void exchange.accept().end(new Uint8Array(20_000)),
  }
  const names = Object.keys(tunnels)
  const world = new TunnelWorld({ tunnels, transport, link: { ...PERFECT_LINK, delay: 5 } })
  await leakFree(world, async (session, run) => {
    const { stream } = await session.connectTunnel({ protocol: names[run % names.length]! })
    stream.write(new Uint8Array(3_000))
    if (run % 4 === 0) stream.destroy()
    else if (run % 4 === 1) stream.resume().end(new Uint8Array(9_000))
    else stream.resume().end()
    if (names[run % names.length] === 'deaf') setTimeout(() => stream.destroy(), 1)
    await stream.gone
  })
}, 60_000)

test('WebSockets: closed by either side, broken off by either side, crashed', async () => {
  const world = new TunnelWorld({
    transport,
    link: { delay: 5 },
    supervision: { crashLimit: 1_000_000 },
    websocket: {
      pingInterval: 1_000,
      open: (socket, { path }) => {
        if (path === '/close') socket.close(1_000)
        else if (path === '/terminate') socket.terminate()
        else if (path === '/crash') throw new Error('planned')
        else socket.on('message', (data) => socket.send(data))
      },
    },
  })
  const paths = ['/echo', '/close', '/terminate', '/crash']
  await leakFree(world, async (session, run) => {
    const socket = await session.websocket(paths[run % paths.length]!)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('message', () => (run % 8 === 0 ? socket.close(1_000) : socket.terminate()))
    socket.send('x'.repeat(2_000))
    await closed
  })
}, 60_000)

test('UDP sockets of CONNECT-UDP: closed, reset, refused, idle, failed', async () => {
  const world = new ProxyWorld(
    { allow: ['*:53'], maxSocketsPerConnection: 1_000, maxSockets: 1_000, idleTimeout: 50 },
    { link: { delay: 5 } },
  )
  await leakFree(world, async (session, run) => {
    const controller = new AbortController()
    const host = run % 7 === 0 ? 'unknown.example' : run % 7 === 1 ? '127.0.0.1' : '8.8.8.8'
    const tunnel = await session.connectUdp(host, 53, { signal: controller.signal })
    tunnel.send(Uint8Array.of(run))
    if (run % 3 === 0) tunnel.close()
    else if (run % 3 === 1) controller.abort()
    else if (run % 2 === 0) world.udp.sockets.at(-1)?.events.handleFailure(new Error('planned'))
    await tunnel.closed
  })
  expect(world.udp.sockets.length).toBeGreaterThan(RUNS / 2)
  expect(world.udp.open).toBe(0)
  expect(world.proxy.open).toBe(0)
}, 60_000)
