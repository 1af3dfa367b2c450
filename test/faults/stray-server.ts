// A server in a process of its own, whose handlers leave errors behind where nobody can catch them. Started by
// stray-errors.test.ts, which asks it for its numbers.
import { type Exchange, fetchHandler, serve } from '../../src/index.ts'

function later(action: () => void): void {
  setTimeout(action, 1)
}

const planned = (where: string): Error => new Error(`planned: ${where}`)

const never = new Promise<never>(() => {})

const faults: Record<string, (exchange: Exchange) => void | Promise<void>> = {
  '/timer': () => {
    later(() => {
      throw planned('timer')
    })
    return never
  },
  '/timer-after-end': (exchange) => {
    later(() => {
      throw planned('timer after end')
    })
    exchange.respond(200, [], 'whole')
  },
  '/timer-midway': async (exchange) => {
    later(() => {
      throw planned('timer midway')
    })
    exchange.begin(200)
    for (;;) await exchange.write(new Uint8Array(50_000))
  },
  '/detached': (exchange) => {
    void (async () => {
      await Promise.resolve()
      throw planned('detached')
    })()
    return new Promise((_resolve, reject) => {
      exchange.onCancel = reject
    })
  },
  '/listener': (exchange) => {
    exchange.signal.addEventListener('abort', () => {
      throw planned('abort listener')
    })
    return new Promise((resolve) => exchange.signal.addEventListener('abort', () => resolve()))
  },
  '/fetch-detached': fetchHandler((request) => {
    void request.text().then(() => {
      throw planned('after text()')
    })
    return never
  }),
  '/ok': (exchange) => exchange.respond(200, [], 'ok'),
}

const reported: string[] = []

const server = await serve({
  port: 0,
  host: '127.0.0.1',
  tcp: false,
  inspector: false,
  containErrors: process.argv[2] !== 'uncontained',
  onFault: ({ kind, path }) => reported.push(`${kind} ${path}`),
  handler: (exchange) => faults[exchange.path]!(exchange),
})

process.on('message', async (message) => {
  if (message === 'status') process.send!({ status: server.status(), reported })
  else if (message === 'foreign') later(() => void Promise.reject(planned('not of a handler')))
  else if (message === 'close') {
    await server.close({ timeout: 1_000 })
    process.send!({ listeners: process.listenerCount('uncaughtException') })
    process.disconnect?.()
  }
})
process.send!({ port: server.port })
