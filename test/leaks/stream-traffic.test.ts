// Rows of the catalogue of leaks that are about frames: late ones, lost ones, useless ones, and what they pin.
import { expect } from 'vitest'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { MAX_TRACKED_ACK_ONLY } from '../../src/transport/recovery/limits.ts'
import {
  FrameType,
  writeResetStream,
  writeStopSending,
  writeStreamHeader,
  writeStreamLimit,
} from '../../src/transport/wire/index.ts'
import { sleep } from '../sim/order.ts'
import { type LeakWorld, leakRow } from './leak-row.ts'

const PIECE = new Uint8Array(20_000)

async function sendLarge(exchange: Exchange): Promise<void> {
  exchange.begin(200)
  for (let piece = 0; piece < 20; piece++) await exchange.write(PIECE)
  exchange.end()
}

/** Packet records that each side of the server's connection has taken from its pool and not brought back. */
function watchPool(world: LeakWorld): () => void {
  const [entry] = world.server.entries
  const pools = [entry!.supervisor.connection.recovery.pool, world.peer.connection.recovery.pool]
  const outside = pools.map(() => 0)
  for (const [index, pool] of pools.entries()) {
    const acquire = pool.acquire.bind(pool)
    const release = pool.release.bind(pool)
    pool.acquire = () => {
      outside[index]!++
      return acquire()
    }
    pool.release = (packet) => {
      outside[index]!--
      release(packet)
    }
  }
  // Recovery keeps the latest records of packets that carried nothing but an acknowledgement.
  return () => {
    for (const count of outside) expect(Math.abs(count)).toBeLessThanOrEqual(MAX_TRACKED_ACK_ONLY)
  }
}

leakRow({
  row: 12,
  title: 'stream cancelled: frames and packet records of the pool come back',
  seenIn: 'quic-go #5327',
  handler: () => sendLarge,
  // So much of the response is on its way, the rest waits for credit.
  clientTransport: { initialMaxStreamDataBidiLocal: 16_000 },
  inspect: watchPool,
  scenario: async (peer, run) => {
    const request = peer.begin('POST').sendData(500)
    await peer.sleep(10 + (run % 7))
    await request.reset().stop().closed
  },
})

leakRow({
  row: 14,
  title: 'the end of the input is not forgotten: nobody goes on speaking when all is done',
  seenIn: 'haproxy 72a78e829',
  handler: () => async (exchange) => {
    for await (const _chunk of exchange.body);
    exchange.respond(200, [], 'x')
  },
  scenario: async (peer) => {
    const request = peer.begin('POST').sendData(10)
    await peer.sleep(10)
    await request.sendData(10).end().closed
  },
})

leakRow({
  row: 15,
  title: 'a finished stream is gone from transport and HTTP/3, although its body was never read',
  seenIn: 'aioquic #590, hypercorn #309',
  handler: () => (exchange) => exchange.respond(200, [], 'x'),
  scenario: (peer) => peer.begin('POST').sendData(3_000).end().closed,
})

/** Every frame that can speak of a stream, once more, with the final size that was agreed on. */
function lateFrames(id: number, finalSize: number): Uint8Array {
  const bytes = new Uint8Array(200)
  let offset = writeStreamHeader(bytes, 0, id, finalSize, 0, true, true)
  offset = writeResetStream(bytes, offset, id, 0x10c, finalSize)
  offset = writeStopSending(bytes, offset, id, 0x10c)
  offset = writeStreamLimit(bytes, offset, FrameType.maxStreamData, id, 1_000_000)
  offset = writeStreamLimit(bytes, offset, FrameType.streamDataBlocked, id, 1_000)
  return bytes.subarray(0, offset)
}

leakRow({
  row: 16,
  title: 'late frames do not bring a closed stream back (RFC 9000 section 3)',
  seenIn: 'js-quic #139, #66',
  handler: () => (exchange) => exchange.respond(200, [], 'x'),
  scenario: async (peer, run) => {
    const request = peer.get()
    const size = request.stream.sending!.buffer.length
    if (run % 2 === 0) await request.closed
    else {
      await peer.sleep(5)
      await request.stop().reset().closed
    }
    await peer.sleep(40)
    peer.inject(lateFrames(request.stream.id, size))
    await peer.sleep(20)
  },
})

leakRow({
  row: 17,
  title: 'STOP_SENDING on a blocked write wakes the writer once and costs no turns afterwards',
  seenIn: 'node #64715',
  handler: () => async (exchange) => {
    exchange.begin(200)
    for (;;) await exchange.write(new Uint8Array(100_000))
  },
  clientTransport: { initialMaxStreamDataBidiLocal: 2_000 },
  inspect: (world) => {
    const before = world.clock.steps
    return () => expect((world.clock.steps - before) / 1_000).toBeLessThan(60)
  },
  scenario: async (peer) => {
    const request = peer.get('/', false)
    await peer.sleep(40)
    await request.stop().closed
  },
})

leakRow({
  row: 18,
  title: 'handlers end without having read the body: the connection’s window comes back for others',
  seenIn: 'quic-go #384',
  handler: (clock) => async (exchange) => {
    await sleep(clock, 5)
    exchange.respond(200, [], 'x')
  },
  // A fifth of what a batch sends: all of it has to come back many times.
  transport: { initialMaxData: 100_000, initialMaxStreamDataBidiRemote: 10_000 },
  scenario: async (peer) => {
    const request = peer.begin('POST').sendData(9_000)
    await peer.sleep(30)
    await request.end().closed
  },
})

leakRow({
  row: 24,
  title: 'heavy loss together with RESET_STREAM and STOP_SENDING',
  seenIn: 'picoquic #1520',
  handler: () => sendLarge,
  link: { loss: 0.25, reorder: 0.2, reorderDelay: 15, duplicate: 0.1 },
  transport: { maxIdleTimeout: 120_000 },
  pause: 8_000,
  scenario: async (peer, run) => {
    const request = peer.begin('POST').sendData(200)
    await peer.sleep(5 + (run % 60))
    if (run % 3 !== 0) request.reset()
    else request.end()
    if (run % 3 !== 1) request.stop()
    await request.closed
  },
})
