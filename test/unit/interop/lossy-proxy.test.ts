// The proxy of the interoperability run: it loses as much as it says, and gives new addresses.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LossyProxy } from '../../interop/lossy-proxy.ts'

/** Sends `count` datagrams through a proxy to a server that echoes them; the ports that it saw, and what came back. */
async function exchange(
  options: { loss?: number; rebindAfter?: number },
  count: number,
  address = '127.0.0.1',
) {
  const ports = new Set<number>()
  const server = createSocket('udp4')
  server.on('message', (bytes, { port }) => {
    ports.add(port)
    server.send(bytes, port, '127.0.0.1')
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await LossyProxy.start({ target: server.address().port, ...options })
  const client = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const received: string[] = []
  client.on('message', (bytes) => received.push(bytes.toString()))
  for (let i = 0; i < count; i++) {
    client.send(String(i), proxy.port, address)
    await delay(1)
  }
  await delay(50)
  client.close()
  proxy.close()
  server.close()
  return { ports, received, counters: proxy.counters }
}

it.each(['127.0.0.1', '::1'])(
  'passes everything on when it is not to lose anything, from %s',
  async (address) => {
    const { ports, received, counters } = await exchange({}, 50, address)
    expect(received).toEqual(Array.from({ length: 50 }, (_, i) => String(i)))
    expect(ports.size).toBe(1)
    expect(counters).toEqual({ forwarded: 100, lost: 0, rebindings: 0 })
  },
)

it('loses its share each way', async () => {
  const { received, counters } = await exchange({ loss: 0.3 }, 300)
  expect(received.length / 300).toBeGreaterThan(0.35)
  expect(received.length / 300).toBeLessThan(0.63)
  expect(counters.lost).toBeGreaterThan(90)
})

it('shows the server three new ports while the client keeps its own', async () => {
  const { ports, received, counters } = await exchange({ rebindAfter: 20 }, 100)
  expect(ports.size).toBe(4)
  expect(counters.rebindings).toBe(3)
  expect(received.length).toBeGreaterThan(80)
})
