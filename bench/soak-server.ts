// The server of the soak (soak.ts): handlers of every kind, well-behaved and not, in a process of its own that can
// collect its garbage.
import { setTimeout as delay } from 'node:timers/promises'
import { type Exchange, fetchHandler, type QuactorServer, type ServerStatus, serve } from '../src/index.ts'
import { answerCalls } from './control.ts'
import { handleByMachines } from './soak-machines.ts'

const PIECE = new Uint8Array(20_000)

const handleFetch = fetchHandler(
  async (request) => new Response(request.body === null ? 'hello' : await request.bytes()),
)

async function sendPieces(exchange: Exchange): Promise<void> {
  exchange.begin(200)
  for (let piece = 0; piece < 10; piece++) await exchange.write(PIECE)
  exchange.end()
}

function handle(exchange: Exchange): void | Promise<void> {
  switch (exchange.path) {
    case '/fetch':
      return handleFetch(exchange)
    case '/pieces':
      return sendPieces(exchange)
    case '/unread':
      return exchange.respond(200, [], 'not interested')
    case '/crash':
      throw new Error('planned')
    case '/hang':
      return new Promise((_resolve, reject) => {
        exchange.onCancel = reject
      })
    default:
      return exchange.respond(200, ['content-type', 'text/plain', 'content-length', '2'], 'ok')
  }
}

let server: QuactorServer | undefined

/** Bytes in use when all garbage is gone. */
export interface HeapNumbers {
  readonly heapUsed: number
  /** Memory outside of the heap that objects hold, buffers included. */
  readonly external: number
}

/** Collects garbage until nothing more goes; asynchronous, because some of it waits for finalizers. */
async function heap(): Promise<HeapNumbers> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc!()
    await delay(50)
  }
  const { heapUsed, external } = process.memoryUsage()
  return { heapUsed, external }
}

answerCalls({
  heap,
  start: async (kind: 'plain' | 'machine'): Promise<number> => {
    const supervision = { crashLimit: 1_000_000 }
    const handler = kind === 'machine' ? handleByMachines : handle
    const quiet = { inspector: false, onFault: () => {} } as const
    server = await serve({ port: 0, host: '127.0.0.1', tcp: false, handler, supervision, ...quiet })
    return server.port
  },
  status: (): ServerStatus | undefined => server?.status(),
  close: () => server?.close({ timeout: 2_000 }),
})
