// Rows of the catalogue of leaks that are about how a stream's two halves end. See leak-row.ts for what is checked.
import type { Exchange } from '../../src/handlers/exchange.ts'
import type { H3Exchange } from '../../src/handlers/h3-exchange.ts'
import { sleep } from '../sim/order.ts'
import type { VirtualClock } from '../sim/virtual-clock.ts'
import { leakRow } from './leak-row.ts'

const BODY = new Uint8Array(20_000)

/** So much of a large response is on its way, the rest waits for credit. */
const SHORT_OF_CREDIT = { initialMaxStreamDataBidiLocal: 16_000 }

/** Answers at once, without waiting for the end of the request. */
function answer(exchange: Exchange): void {
  exchange.respond(200, [], 'x')
}

function answerAfter(time: number) {
  return (clock: VirtualClock) => async (exchange: Exchange) => {
    await sleep(clock, time)
    exchange.respond(200, [], 'x')
  }
}

/** Reads everything, then answers. */
async function readAll(exchange: Exchange): Promise<void> {
  for await (const _chunk of exchange.body);
  exchange.respond(200, [], 'x')
}

/** Sends pieces for as long as somebody takes them. */
async function sendLarge(exchange: Exchange): Promise<void> {
  exchange.begin(200)
  for (let piece = 0; piece < 20; piece++) await exchange.write(BODY)
  exchange.end()
}

leakRow({
  row: 1,
  title: 'GET; our FIN before the peer’s FIN',
  seenIn: 'quic-go #4513',
  handler: () => answer,
  scenario: async (peer) => {
    const request = peer.begin('GET')
    await peer.sleep(30)
    request.end()
    await request.closed
  },
})

leakRow({
  row: 1,
  title: 'GET; the peer’s FIN before our FIN',
  seenIn: 'quic-go #4513, quiche cbc8173c',
  handler: answerAfter(30),
  scenario: (peer) => peer.get().closed,
})

leakRow({
  row: 2,
  title: 'request without body: the FIN may arrive before the stream exists',
  seenIn: 'quiche bc8fbb12',
  handler: () => readAll,
  // The FIN travels in a datagram of its own and overtakes the head half of the time.
  link: { reorder: 0.5, reorderDelay: 20 },
  scenario: async (peer) => {
    const request = peer.begin('GET')
    await peer.sleep(1)
    await request.end().closed
  },
})

leakRow({
  row: 2,
  title: 'stream that consists of a FIN alone',
  seenIn: 'quiche bc8fbb12',
  handler: () => answer,
  pause: 1_600,
  scenario: (peer) => peer.open().end().closed,
})

leakRow({
  row: 3,
  title: 'the peer resets its side before we finish sending ours',
  seenIn: 'quiche #2524',
  handler: () => sendLarge,
  clientTransport: SHORT_OF_CREDIT,
  scenario: async (peer) => {
    const request = peer.begin('POST').sendData(100)
    await peer.sleep(12)
    await request.reset().closed
  },
})

leakRow({
  row: 4,
  title: 'RESET_STREAM received, then the application shuts down reading',
  seenIn: 'quiche #1968',
  handler: () => async (exchange) => {
    try {
      for await (const _chunk of exchange.body);
    } finally {
      ;(exchange as H3Exchange).request.stopReceiving(0x10c)
    }
  },
  scenario: async (peer) => {
    const request = peer.begin('POST').sendData(100)
    await peer.sleep(12)
    await request.reset().closed
  },
})

leakRow({
  row: 5,
  title: 'RESET_STREAM and STOP_SENDING while unsent data is buffered; MAX_STREAMS recovers',
  seenIn: 'quiche #1779',
  handler: () => sendLarge,
  clientTransport: { initialMaxStreamDataBidiLocal: 4_000, initialMaxData: 1_000_000 },
  scenario: async (peer, run) => {
    const request = peer.begin('POST', '/', false).sendData(100)
    await peer.sleep(12)
    if (run % 3 > 0) request.stop()
    if (run % 3 < 2) request.reset()
    else request.end()
    if (run % 3 === 0) request.stop()
    await request.closed
  },
})

leakRow({
  row: 6,
  title: 'STOP_SENDING with a response in flight; the client’s connection credit comes back',
  seenIn: 'quiche #1320, quinn #777',
  handler: () => sendLarge,
  clientTransport: SHORT_OF_CREDIT,
  scenario: async (peer) => {
    const request = peer.get('/', false)
    await peer.sleep(12)
    await request.stop().closed
  },
})

leakRow({
  row: 6,
  title: 'STOP_SENDING with a request in flight; the server’s connection credit comes back',
  seenIn: 'quiche #1320, quinn #777',
  handler: () => answer,
  scenario: async (peer) => {
    const request = peer.begin('POST')
    for (let piece = 0; piece < 10; piece++) {
      if (request.stopCode === undefined) request.sendData(2_000)
      await peer.sleep(2)
    }
    await request.end().closed
  },
})

leakRow({
  row: 7,
  title: 'stop after the FIN was received; RESET_STREAM after the stop',
  seenIn: 'quinn #948, 89e89d30',
  handler: (clock) => async (exchange) => {
    const { request } = exchange as H3Exchange
    await sleep(clock, exchange.method === 'GET' ? 20 : 1)
    request.stopReceiving(0x10c)
    exchange.respond(200, [], 'x')
  },
  scenario: async (peer, run) => {
    const request = peer.begin(run % 2 === 0 ? 'GET' : 'POST')
    if (run % 2 === 0) request.sendData(10).end()
    else {
      await peer.sleep(20)
      request.reset()
    }
    await request.closed
  },
})
