// Faults of handlers on the TCP fallback: the same handlers, HTTP/1.1 and HTTP/2 of Node below them.
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import { request as requestH1 } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Exchange, type HandlerFault, type QuactorServer, serve } from '../../src/index.ts'
import { straysDuring } from './fault-world.ts'

const broken = (): Error => new Error('planned')

const handlers: Record<string, (exchange: Exchange) => void | Promise<void>> = {
  '/throws': () => {
    throw broken()
  },
  '/bad-field': (exchange) => exchange.respond(200, ['x-good', 'a', 'x', 'a\r\nb']),
  '/midway': (exchange) => {
    exchange.begin(200)
    exchange.write('half')
    throw broken()
  },
  '/after-end': async (exchange) => {
    exchange.respond(200, [], 'whole')
    await Promise.resolve()
    throw broken()
  },
  '/twice': (exchange) => {
    exchange.respond(200, [], 'whole')
    exchange.respond(200, [], 'again')
  },
  '/leaving': (exchange) => {
    exchange.begin(200)
    exchange.write('wait ')
    return new Promise((_resolve, reject) => {
      exchange.onCancel = (reason) => {
        reject(reason)
        throw broken()
      }
    })
  },
  '/ok': (exchange) => exchange.respond(200, [], 'ok'),
}

const faults: HandlerFault[] = []
let server: QuactorServer

beforeAll(async () => {
  server = await serve({
    port: 0,
    host: '127.0.0.1',
    onFault: (fault) => faults.push(fault),
    handler: (exchange) => handlers[exchange.path]!(exchange),
  })
})

afterAll(() => server.close({ timeout: 100 }))

async function overH1(path: string): Promise<string> {
  const request = requestH1({
    host: '127.0.0.1',
    port: server.port,
    path,
    rejectUnauthorized: false,
    agent: false,
  })
  request.end()
  try {
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response) {
      text += chunk
      if (text === 'wait ') request.destroy()
    }
    return `${response.statusCode} ${text}`.trim()
  } catch {
    return 'cut'
  }
}

async function overH2(path: string): Promise<string> {
  const session = connectH2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  const stream = session.request({ ':path': path })
  try {
    const [fields] = await once(stream, 'response')
    let text = ''
    for await (const chunk of stream) {
      text += chunk
      if (text === 'wait ') stream.destroy()
    }
    return stream.rstCode === 0 ? `${fields[':status']} ${text}`.trim() : 'cut'
  } catch {
    return 'cut'
  } finally {
    session.destroy()
  }
}

const outcomes: [string, RegExp, string | undefined][] = [
  ['/throws', /^500 internal server error$/, 'crash'],
  ['/bad-field', /^500 internal server error$/, 'crash'],
  ['/midway', /^cut$/, 'crash'],
  ['/after-end', /^200 whole$/, 'late'],
  ['/twice', /^200 whole$/, 'late'],
  ['/leaving', /^(cut|200 wait)$/, 'late'],
]

describe.each([
  ['HTTP/1.1', overH1],
  ['HTTP/2', overH2],
] as const)('over %s', (_name, ask) => {
  it.each(outcomes)('a fault in %s ends as %s, reported as %s', async (path, outcome, kind) => {
    faults.length = 0
    const strays = await straysDuring(async () => {
      expect(await ask(path)).toMatch(outcome)
      await expect
        .poll(() => faults.map((fault) => `${fault.kind} ${fault.path}`))
        .toEqual([`${kind} ${path}`])
    })
    expect(strays).toEqual([])
    expect(await ask('/ok')).toBe('200 ok')
  })
})
