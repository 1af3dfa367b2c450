// What clients do to a server over real UDP: crash its handlers, hang them, reset everything, never read, and die. After
// each, every live number of /status is zero, and a second client that was served meanwhile has seen no error.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientSession, connect, type ServerStatus } from '../../src/index.ts'

const GTLSCLIENT = '/usr/bin/gtlsclient'

/** The idle timeout of 3 s, a hanging handler before it, and a busy machine, ms. */
const QUIET = 15_000

let server: ChildProcess
let port = 0

beforeAll(async () => {
  server = fork(new URL('./udp-server.ts', import.meta.url), { execArgv: [] })
  const failed = once(server, 'exit').then(() => Promise.reject(new Error('the server did not start')))
  failed.catch(() => {})
  port = ((await Promise.race([once(server, 'message'), failed])) as [{ port: number }])[0].port
}, 30_000)

afterAll(() => {
  server.kill('SIGKILL')
})

async function status(): Promise<ServerStatus> {
  const answer = once(server, 'message')
  server.send('status')
  return ((await answer) as [{ status: ServerStatus }])[0].status
}

function open(): Promise<ClientSession> {
  return connect(`https://127.0.0.1:${port}`, { insecure: true })
}

/** Live numbers that are not zero. */
async function leftovers(): Promise<string[]> {
  const { connections, streams, actors, handlers, datagramChannels, timers, buffers } = await status()
  const zeros: Record<string, number> = {
    connections: connections.live,
    streams: streams.live,
    'streams opened - closed': streams.opened - streams.closed,
    'stuck streams': streams.stuck,
    actors: actors.live,
    'missed transitions': actors.missedTransitions,
    handlers: handlers.live,
    channels: datagramChannels.live,
    timers: timers.armed,
    'received bytes': buffers.receiveBytes,
    'bytes to send': buffers.sendBytes,
  }
  return Object.entries(zeros)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${count} ${name}`)
}

/** A client that only wants to be served, in a loop, while others misbehave. */
class Bystander {
  answers = 0
  readonly errors: string[] = []
  readonly #session: ClientSession
  readonly #loop: Promise<void>
  #isOver = false

  constructor(session: ClientSession) {
    this.#session = session
    this.#loop = this.#run()
  }

  async #run(): Promise<void> {
    const body = new Uint8Array(30_000).map((_, index) => index * 7)
    while (!this.#isOver) {
      try {
        const response = await this.#session.request({ path: '/echo', body })
        const echo = await response.bytes()
        if (Buffer.compare(echo, body) !== 0) this.errors.push(`${echo.length} bytes came back`)
        else this.answers++
      } catch (error) {
        this.errors.push(String(error))
        return
      }
      await delay(5)
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#loop
    await this.#session.end()
  }
}

/** Runs `misbehave` beside a bystander, and expects nothing to be left of either. */
async function besideBystander(misbehave: () => Promise<void>): Promise<void> {
  const bystander = new Bystander(await open())
  await misbehave()
  const before = bystander.answers
  await expect.poll(() => bystander.answers, { timeout: QUIET }).toBeGreaterThan(before + 2)
  await bystander.end()
  expect(bystander.errors).toEqual([])
  await expect.poll(leftovers, { timeout: QUIET, interval: 100 }).toEqual([])
}

async function codeOf(request: Promise<{ bytes(): Promise<unknown> }>): Promise<number | undefined> {
  try {
    await (await request).bytes()
    return undefined
  } catch (error) {
    return (error as { code?: number }).code
  }
}

describe('over real UDP nothing is left of a client', { timeout: 60_000 }, () => {
  it('whose requests crash their handlers', async () => {
    await besideBystander(async () => {
      const session = await open()
      const codes = Array.from({ length: 100 }, () => codeOf(session.request({ path: '/crash' })))
      expect(new Set(await Promise.all(codes))).toEqual(new Set([0x102]))
      await session.end()
    })
    expect((await status()).actors.crashed).toBe(100)
  })

  it('whose handlers hang', async () => {
    await besideBystander(async () => {
      const session = await open()
      const codes = Array.from({ length: 50 }, () => codeOf(session.request({ path: '/hang' })))
      expect(new Set(await Promise.all(codes))).toEqual(new Set([0x102]))
      await session.end()
    })
  })

  it('that resets all its streams, again and again', async () => {
    await besideBystander(async () => {
      const session = await open()
      for (let round = 0; round < 10; round++) {
        const controller = new AbortController()
        const paths = ['/bytes/1000000', '/hang', '/sse', '/slow/500']
        const requests = Array.from({ length: 80 }, (_, index) =>
          codeOf(session.request({ path: paths[index % 4], signal: controller.signal })),
        )
        await delay(30)
        controller.abort()
        await Promise.all(requests)
      }
      // The credit of 800 streams has come back: one more is answered.
      expect((await session.request({ path: '/health' })).status).toBe(200)
      await session.end()
    })
  })

  it('that never reads, and then falls silent', async () => {
    await besideBystander(async () => {
      const session = await open()
      for (let request = 0; request < 20; request++) {
        session.request({ path: '/bytes/50000000' }).catch(() => {})
      }
      await delay(500)
      const { buffers } = await status()
      expect(buffers.sendBytes).toBeGreaterThan(100_000)
      // The high-water mark of 20 streams, with the last piece above it, and what is in flight.
      expect(buffers.sendBytes).toBeLessThan(20 * 350_000 + 2_000_000)
      session.connection.abandon()
    })
  })

  it('that uploads to a handler which never reads', async () => {
    await besideBystander(async () => {
      const session = await open()
      const uploads = Array.from({ length: 10 }, () =>
        codeOf(session.request({ path: '/hang', body: new Uint8Array(1_000_000) })),
      )
      await delay(300)
      expect((await status()).buffers.receiveBytes).toBeLessThan(1_048_576 + 100_000)
      expect(new Set(await Promise.all(uploads))).toEqual(new Set([0x102]))
      await session.end()
    })
  })
})

if (!existsSync(GTLSCLIENT)) console.log(`${GTLSCLIENT} is absent (apt-get install ngtcp2-client): skipped`)

describe.skipIf(!existsSync(GTLSCLIENT))(
  'over real UDP nothing is left of gtlsclient',
  { timeout: 60_000 },
  () => {
    /** Starts 100 requests, and ends the process when some of them are on their way. */
    async function killed(path: string, signal: NodeJS.Signals): Promise<void> {
      const uri = `https://127.0.0.1:${port}${path}`
      const options = ['-q', '--no-quic-dump', '--no-http-dump', '-n', '100']
      const client = spawn(GTLSCLIENT, [...options, '127.0.0.1', String(port), uri], { stdio: 'ignore' })
      const exit = once(client, 'exit')
      await expect
        .poll(async () => (await status()).handlers.live, { timeout: QUIET, interval: 5 })
        .toBeGreaterThan(20)
      client.kill(signal)
      await exit
    }

    it('killed in the middle of 100 downloads', () =>
      besideBystander(async () => {
        await killed('/bytes/5000000', 'SIGKILL')
        expect((await status()).connections.live).toBe(2)
      }))

    it('killed in the middle of 100 requests that hang', () =>
      besideBystander(() => killed('/hang', 'SIGKILL')))

    it('killed in the middle of 100 event streams', () => besideBystander(() => killed('/sse', 'SIGKILL')))
  },
)
