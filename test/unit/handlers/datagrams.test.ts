// HTTP datagrams from a client to a handler and back (RFC 9297), and their channel in the supervisor's registry.
import { expect, test } from 'vitest'
import type { Exchange } from '../../../src/handlers/exchange.ts'
import { SupervisedWorld } from '../supervisor/supervised-world.ts'

const datagrams = { maxDatagramFrameSize: 65_535 }

async function echo(exchange: Exchange): Promise<void> {
  exchange.begin(200)
  for await (const payload of exchange.datagrams!) {
    exchange.datagrams!.send(payload)
    if (Buffer.from(payload).toString() === 'last') break
  }
  exchange.end()
}

function requestOf(session: Awaited<ReturnType<SupervisedWorld['connected']>>) {
  const fields = [':method', 'GET', ':scheme', 'https', ':authority', 'x', ':path', '/']
  const request = session.h3.openRequest(fields, false)!
  const received: string[] = []
  request.events = {
    handleDatagram: (payload) => received.push(Buffer.from(payload).toString()),
    handleBodyReadable: () => {},
    handleBodyEnd: () => {},
    handleWritable: () => {},
    handleReset: () => {},
    handleStopSending: () => {},
    handleClosed: () => {},
  }
  return { request, received }
}

test('datagrams reach the handler of their stream and come back (RFC 9297 section 2.1)', async () => {
  const world = new SupervisedWorld(echo, {}, datagrams)
  const session = await world.connected()
  const { request, received } = requestOf(session)
  for (const text of ['one', 'two', 'last']) session.h3.datagrams.send(request, Buffer.from(text))
  await world.pass(200)
  expect(received).toEqual(['one', 'two', 'last'])
  await world.pass(1_000)
  expect(world.status().datagramChannels.live).toBe(0)
  session.close()
  await world.pass(60_000)
  world.expectNothingLeft()
})

test('a channel lives as long as its stream and is deregistered with it', async () => {
  const world = new SupervisedWorld(() => new Promise<void>(() => {}), {}, datagrams)
  const session = await world.connected()
  const { request } = requestOf(session)
  session.h3.datagrams.send(request, Buffer.from('x'))
  await world.pass(100)
  expect(world.status().datagramChannels.live).toBe(1)
  request.reset()
  await world.pass(100)
  expect(world.status()).toMatchObject({ datagramChannels: { live: 0 }, handlers: { live: 1 } })
})

test('datagrams for closed and for unknown streams create nothing (quic-go #4485)', async () => {
  const world = new SupervisedWorld((exchange) => exchange.respond(200), {}, datagrams)
  const session = await world.connected()
  const { request } = requestOf(session)
  await world.pass(1_000)
  for (let i = 0; i < 1_000; i++) {
    session.h3.datagrams.send(request, Buffer.from('late'))
    session.connection.sendDatagram(Buffer.of(0x40, 0x80 + (i % 64), 1))
    await world.pass(2)
  }
  expect(world.status()).toMatchObject({ datagramChannels: { live: 0 }, connections: { live: 1 } })
  const [entry] = world.server.entries
  expect(entry.supervisor.channelCount).toBe(0)
})

test('a handler that does not read keeps the newest 64 datagrams, and the rest is counted', async () => {
  let exchange: Exchange | undefined
  const handler = (one: Exchange) => {
    exchange = one
    return new Promise<void>(() => {})
  }
  const world = new SupervisedWorld(handler, {}, datagrams)
  const session = await world.connected()
  const { request } = requestOf(session)
  await world.pass(100)
  for (let i = 0; i < 100; i++) {
    session.h3.datagrams.send(request, Buffer.from(String(i)))
    await world.pass(5)
  }
  await world.pass(100)
  const first = await exchange!.datagrams![Symbol.asyncIterator]().next()
  expect(Buffer.from(first.value!).toString()).toBe('36')
  request.reset()
  await world.pass(100)
  expect(world.server.counters.datagramsDropped).toBe(36)
})

test('a datagram without a valid quarter stream ID closes with H3_DATAGRAM_ERROR (RFC 9297 section 2.1)', async () => {
  const world = new SupervisedWorld((exchange) => exchange.respond(200), {}, datagrams)
  const session = await world.connected()
  session.connection.sendDatagram(new Uint8Array(0))
  const reason = await world.run(session.closed, 5_000)
  expect(String(reason)).toContain('H3_DATAGRAM_ERROR')
})
