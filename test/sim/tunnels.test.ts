// Tunnels on links that lose, delay, reorder and duplicate: WebSockets and UDP, several at once, from many seeds. What comes
// out is what went in, and nothing is left.
import { expect, test } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { WebSocketConnection } from '../../src/tunnels/websocket-connection.ts'
import { ProxyWorld } from '../unit/handlers/connect-udp/fake-udp.ts'
import { randomLink } from './link-profile.ts'
import { Random } from './random.ts'
import { TunnelWorld } from './tunnel-world.ts'

const SEEDS = [1, 2, 3, 4, 5, 6]

/** Sends messages of growing size one after another, each when the one before has come back. */
async function converse(session: ClientSession, messages: number): Promise<string[]> {
  const socket = await session.websocket('/')
  const received: string[] = []
  let next: PromiseWithResolvers<void>
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  socket.on('message', (data) => {
    received.push(data.toString())
    next.resolve()
  })
  for (let index = 0; index < messages; index++) {
    next = Promise.withResolvers()
    socket.send(`${index} `.repeat(4 ** index))
    await Promise.race([next.promise, closed])
  }
  socket.close(1_000)
  expect(await closed).toBe(1_000)
  return received
}

function echo(socket: WebSocketConnection): void {
  socket.on('message', (data) => socket.send(data.toString()))
}

test.each(SEEDS)('WebSockets, seed %i', async (seed) => {
  const link = { ...randomLink(new Random(seed), 0.2), corrupt: 0.01, corruptBurst: 3 }
  const world = new TunnelWorld({
    seed,
    link,
    transport: { maxIdleTimeout: 300_000 },
    websocket: echo,
  })
  const session = await world.connected()
  const talks = Promise.all([converse(session, 8), converse(session, 5), converse(session, 3)])
  const [long] = await world.run(talks, 900_000)
  expect(long).toEqual(Array.from({ length: 8 }, (_, index) => `${index} `.repeat(4 ** index)))
  expect(world.faults).toEqual([])
  session.close()
  await world.pass(700_000)
  expect(world.status()).toMatchObject({
    connections: { live: 0 },
    handlers: { live: 0 },
    timers: { armed: 0 },
  })
})

test.each(SEEDS)('UDP in frames and in capsules, seed %i', async (seed) => {
  for (const maxDatagramFrameSize of [0, 65_535]) {
    const link = randomLink(new Random(seed), 0.15)
    const world = new ProxyWorld(
      { allow: ['*:*'] },
      { seed, link, transport: { maxDatagramFrameSize, maxIdleTimeout: 300_000 } },
    )
    const session = await world.connected()
    const tunnel = await world.run(session.connectUdp('8.8.8.8', 53), 300_000)
    const received: string[] = []
    tunnel.listen((payload) => received.push(Buffer.from(payload).toString()))
    const sent = Array.from({ length: 100 }, (_, index) => `datagram ${index}`)
    for (const text of sent) {
      tunnel.send(Buffer.from(text))
      world.udp.sockets[0]!.events.handleMessage(Buffer.from(text))
      await world.pass(50)
    }
    await world.pass(60_000)
    const arrived = world.udp.sockets[0]!.sent
    // Frames may be lost or overtaken, and come at most once; capsules are a stream.
    if (maxDatagramFrameSize === 0) expect([arrived, received]).toEqual([sent, sent])
    else {
      for (const some of [arrived, received]) {
        expect(new Set(some).size).toBe(some.length)
        expect(some.length).toBeGreaterThan(50)
        expect(some.every((text) => sent.includes(text))).toBe(true)
      }
    }
    session.close()
    await world.pass(700_000)
    expect(world.udp.open).toBe(0)
    expect(world.status()).toMatchObject({
      connections: { live: 0 },
      handlers: { live: 0 },
      timers: { armed: 0 },
    })
  }
})
