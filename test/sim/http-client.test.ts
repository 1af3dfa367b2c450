// HttpClient in a simulated world: which way requests go, what is sent again, how connections are shared and closed. TCP is
// a double that is told what to answer; everything about HTTP/3 is real.
import { describe, expect, it } from 'vitest'
import { ClientError } from '../../src/client/client-error.ts'
import { ClientResponse, type ResponseSource } from '../../src/client/client-response.ts'
import type { ClientEnvironment } from '../../src/client/environment.ts'
import { HttpClient, type HttpClientOptions } from '../../src/client/http-client.ts'
import { BROKEN_BACKOFF, HTTP3_HEAD_START, POOL_IDLE_TIMEOUT } from '../../src/client/limits.ts'
import type { RequestInput } from '../../src/client/request-input.ts'
import type { Place } from '../../src/client/session-pool.ts'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { sleep } from './order.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS, World, type WorldOptions } from './world.ts'

const ORIGIN = 'https://sim.test'
const ALT_SVC = ['alt-svc', 'h3="alt.test:4433"; ma=3600']

function tcpResponse(status: number, fields: readonly string[]): ClientResponse {
  const source: ResponseSource = {
    protocol: 'http/1.1',
    trailers: undefined,
    datagrams: undefined,
    session: undefined,
    onFailure: undefined,
    nextChunk: () => Promise.resolve(undefined),
    discardBody: () => {},
    setPriority: () => {},
    abort: () => {},
  }
  return new ClientResponse(source, status, fields)
}

/** A world, a client in it, and what the client did. */
class Scene {
  readonly world: World
  readonly client: HttpClient
  readonly dialled: Place[] = []
  /** Paths of requests that went over TCP. */
  readonly overTcp: string[] = []
  /** What TCP answers: fields of a 200, or an error. */
  tcp: readonly string[] | ClientError = ALT_SVC
  /** Whether each connection was allowed to send early data. */
  readonly early: boolean[] = []
  /** The next connection is used before its handshake, which then fails. */
  isNextDoomed = false
  #closed = 0

  constructor(options: HttpClientOptions, world: Partial<WorldOptions> = {}) {
    const handler = (): ExchangeHandler => (exchange) => exchange.respond(200, [], exchange.method)
    this.world = new World({ seed: 1, handler, toServer: PERFECT_LINK, toClient: PERFECT_LINK, ...world })
    const environment: ClientEnvironment = {
      clock: this.world.clock,
      dial: async (place, { signal, mayUseEarlyData }) => {
        this.dialled.push(place)
        this.early.push(mayUseEarlyData)
        if (this.isNextDoomed) {
          this.isNextDoomed = false
          return this.world.open({
            verifyCertificate: (_request, done) => done({ alert: 42, reason: 'doomed' }),
          })
        }
        const session = this.world.open()
        signal.addEventListener('abort', () => void session.abandon())
        await session.opened
        return session
      },
      tcp: {
        request: async (url: URL, _input: RequestInput) => {
          this.overTcp.push(url.pathname)
          if (this.tcp instanceof ClientError) throw this.tcp
          return tcpResponse(200, this.tcp)
        },
      },
      close: () => {
        this.#closed++
      },
    }
    this.client = new HttpClient(options, environment)
  }

  /** Makes a request and reads it; says by which protocol and with what status. */
  async get(path = '/', input: RequestInput = {}, limit = 20_000): Promise<string> {
    const response = await this.world.run(this.client.request(ORIGIN + path, input), limit)
    await this.world.run(response.bytes(), limit)
    return `${response.protocol} ${response.status}`
  }

  set isUdpDead(isDead: boolean) {
    const [client, server] = [CLIENT_ADDRESS, SERVER_ADDRESS].map(({ address, port }) => `${address}:${port}`)
    this.world.network.setBlackhole(client!, server!, isDead)
  }

  /** The client is closed, and nothing is left on either side. */
  async end(): Promise<void> {
    void this.client.close()
    await this.world.pass(60_000)
    expect([this.client.connections, this.#closed, leftovers(this.world)]).toEqual([0, 1, []])
  }
}

describe('the way of a request', () => {
  it('alt-svc: the first by TCP, the next by HTTP/3 where the answer said, on one connection', async () => {
    const scene = new Scene({})
    expect(await scene.get('/1')).toBe('http/1.1 200')
    expect(await scene.get('/2')).toBe('h3 200')
    expect(await scene.get('/3')).toBe('h3 200')
    expect(scene.overTcp).toEqual(['/1'])
    expect(scene.dialled).toEqual([
      { origin: ORIGIN, alternative: expect.objectContaining({ host: 'alt.test' }) },
    ])
    await scene.end()
  })

  it('alt-svc: tells the alternative that it is one (RFC 7838 section 5)', async () => {
    let altUsed = ''
    const handler = (): ExchangeHandler => (exchange) => {
      const at = exchange.headers.indexOf('alt-used')
      altUsed = exchange.headers[at + 1]!
      exchange.respond(200, ['alt-svc', 'clear'])
    }
    const scene = new Scene({}, { handler })
    await scene.get()
    expect(await scene.get()).toBe('h3 200')
    expect(altUsed).toBe('alt.test:4433')
    // "clear" has come over HTTP/3.
    expect(await scene.get()).toBe('http/1.1 200')
    await scene.end()
  })

  it('alt-svc: an alternative that does not answer costs its head start once, and is tried again much later', async () => {
    const scene = new Scene({})
    await scene.get()
    scene.isUdpDead = true
    const started = scene.world.clock.now()
    expect(await scene.get('/slow')).toBe('http/1.1 200')
    expect(scene.world.clock.now() - started).toBeLessThan(HTTP3_HEAD_START + 50)
    await scene.world.pass(60_000)
    expect(await scene.get('/while-broken')).toBe('http/1.1 200')
    expect(scene.dialled).toHaveLength(1)
    scene.isUdpDead = false
    await scene.world.pass(BROKEN_BACKOFF)
    expect(await scene.get('/again')).toBe('h3 200')
    await scene.end()
  })

  it('prefer: HTTP/3 at once; TCP where there is none, and its error where there is neither', async () => {
    const scene = new Scene({ http3: 'prefer' })
    expect(await scene.get()).toBe('h3 200')
    expect(scene.dialled).toEqual([{ origin: ORIGIN, alternative: { host: 'sim.test', port: 443 } }])
    await scene.end()
    const without = new Scene({ http3: 'prefer' })
    without.isUdpDead = true
    expect(await without.get()).toBe('http/1.1 200')
    without.tcp = new ClientError('connect', 'no TCP either')
    await without.world.pass(60_000)
    await expect(without.get()).rejects.toThrow('no TCP either')
    await without.end()
  })

  it('prefer: HTTP/3 that comes late is taken when TCP comes to nothing', async () => {
    const slow = { ...PERFECT_LINK, delay: 400 }
    const scene = new Scene({ http3: 'prefer' }, { toServer: slow, toClient: slow })
    scene.tcp = new ClientError('connect', 'no TCP')
    expect(await scene.get()).toBe('h3 200')
    expect(scene.overTcp).toEqual(['/'])
    await scene.end()
  })

  it('only: never by TCP', async () => {
    const scene = new Scene({ http3: 'only' })
    scene.isUdpDead = true
    await expect(scene.get('/', {}, 60_000)).rejects.toMatchObject({ kind: 'timeout' })
    expect(scene.overTcp).toEqual([])
    await scene.end()
  })

  it('gives up waiting for a connection when the request is aborted, and the connection with it', async () => {
    const scene = new Scene({ http3: 'only' })
    scene.isUdpDead = true
    const controller = new AbortController()
    const request = scene.client.request(ORIGIN, { signal: controller.signal })
    await scene.world.pass(100)
    expect(scene.client.connections).toBe(1)
    controller.abort(new Error('enough'))
    await expect(scene.world.run(request, 100)).rejects.toThrow('enough')
    expect(scene.client.connections).toBe(0)
    await scene.end()
  })
})

describe('connections', () => {
  it('are shared by requests that come while the first is opened, and wait for stream credit', async () => {
    const scene = new Scene({ http3: 'only' }, { transport: { initialMaxStreamsBidi: 3 } })
    const answers = Array.from({ length: 30 }, (_, index) => scene.client.request(`${ORIGIN}/${index}`))
    const bodies = Promise.all(answers.map(async (answer) => (await answer).text()))
    expect(await scene.world.run(bodies, 20_000)).toEqual(new Array(30).fill('GET'))
    expect(scene.dialled).toHaveLength(1)
    await scene.end()
  })

  it('are closed when idle, not while a body is on its way, and opened again when needed', async () => {
    const handler =
      (clock: VirtualClock): ExchangeHandler =>
      async (exchange) => {
        exchange.begin(200)
        await sleep(clock, Number(exchange.path.slice(1)))
        exchange.end('done')
      }
    const scene = new Scene({ http3: 'only' }, { handler })
    const response = await scene.world.run(
      scene.client.request(`${ORIGIN}/${POOL_IDLE_TIMEOUT * 1.5}`),
      1_000,
    )
    const body = response.text()
    expect(await scene.world.run(body, 60_000)).toBe('done')
    await scene.world.pass(POOL_IDLE_TIMEOUT - 1_000)
    expect(scene.client.connections).toBe(1)
    await scene.world.pass(2_000)
    expect(scene.client.connections).toBe(0)
    await scene.world.pass(10_000)
    expect(leftovers(scene.world)).toEqual([])
    expect(await scene.get('/1')).toBe('h3 200')
    expect(scene.dialled).toHaveLength(2)
    await scene.end()
  })

  it('that the server drains carry what they have, and new requests go elsewhere (RFC 9114 section 5.2)', async () => {
    const handler =
      (clock: VirtualClock): ExchangeHandler =>
      async (exchange) => {
        await sleep(clock, 3_000)
        exchange.respond(200, [], 'in time')
      }
    const scene = new Scene({ http3: 'only' }, { handler })
    const first = scene.client.request(ORIGIN)
    await scene.world.pass(500)
    void scene.world.server.drain()
    await scene.world.pass(100)
    const next = scene.client.request(ORIGIN)
    next.catch(() => {})
    await scene.world.pass(100)
    expect(scene.dialled).toHaveLength(2)
    const response = await scene.world.run(first, 10_000)
    expect(await scene.world.run(response.text(), 10_000)).toBe('in time')
    await scene.end()
  })
})

describe('requests that are sent again', () => {
  /** Breaks the first stream before its response, then answers. */
  const rejectingFirst = (code: number) => {
    const seen: string[] = []
    const handler = (): ExchangeHandler => (exchange) => {
      seen.push(exchange.method)
      if (seen.length === 1) exchange.reset(code)
      else exchange.respond(200)
    }
    return { seen, handler }
  }

  it('those that the server did not process, whatever their method (RFC 9114 section 4.1.1)', async () => {
    const { seen, handler } = rejectingFirst(0x10b)
    const scene = new Scene({ http3: 'only' }, { handler })
    expect(await scene.get('/', { method: 'POST', body: 'x' })).toBe('h3 200')
    expect(seen).toEqual(['POST', 'POST'])
    await scene.end()
  })

  it('not those that it began to process, nor a body that was a stream', async () => {
    const { seen, handler } = rejectingFirst(0x102)
    const scene = new Scene({ http3: 'only' }, { handler })
    await expect(scene.get()).rejects.toMatchObject({ kind: 'reset', code: 0x102 })
    expect(seen).toEqual(['GET'])
    await scene.end()
    const other = new Scene({ http3: 'only' }, { handler: rejectingFirst(0x10b).handler })
    const body = new Blob(['x']).stream()
    await expect(other.get('/', { method: 'POST', body })).rejects.toMatchObject({ kind: 'rejected' })
    await other.end()
  })

  it('by TCP, when the server wants that (H3_VERSION_FALLBACK)', async () => {
    const scene = new Scene({ http3: 'prefer' }, { handler: rejectingFirst(0x110).handler })
    expect(await scene.get()).toBe('http/1.1 200')
    await scene.end()
  })

  it.each([
    ['PUT', 2],
    ['POST', 1],
  ])(
    'those that do no harm twice, when the connection breaks: %s is tried %i times',
    async (method, tries) => {
      const handler = (): ExchangeHandler => (exchange) =>
        new Promise<void>((resolve) => exchange.signal.addEventListener('abort', () => resolve()))
      const scene = new Scene({ http3: 'only' }, { handler })
      const request = scene.client.request(ORIGIN, { method, body: 'x' })
      request.catch(() => {})
      await scene.world.pass(500)
      void scene.world.server.close(0)
      await scene.world.pass(1_000)
      expect(scene.dialled).toHaveLength(tries)
      // Nobody is there any more, so the second try comes to nothing.
      await expect(scene.world.run(request, 60_000)).rejects.toMatchObject({
        kind: tries === 1 ? 'closed' : 'timeout',
      })
      void scene.client.close()
      await scene.world.pass(60_000)
    },
  )

  it('without early data, when a connection broke over it', async () => {
    const scene = new Scene({ http3: 'only' })
    scene.isNextDoomed = true
    expect(await scene.get()).toBe('h3 200')
    expect(scene.early).toEqual([true, false])
    await scene.end()
  })

  it('by another way, when the server is not the right one for the origin (RFC 9110 section 15.5.20)', async () => {
    const handler = (): ExchangeHandler => (exchange) => exchange.respond(421)
    const scene = new Scene({}, { handler })
    await scene.get()
    scene.tcp = []
    expect(await scene.get('/2')).toBe('http/1.1 200')
    expect(scene.overTcp).toEqual(['/', '/2'])
    await scene.end()
    const only = new Scene({ http3: 'only' }, { handler })
    expect(await only.get()).toBe('h3 421')
    await only.end()
  })
})

describe('expect: 100-continue (RFC 9110 section 10.1.1)', () => {
  const upload = (handler: (clock: VirtualClock) => ExchangeHandler) =>
    new Scene({ http3: 'only' }, { handler })

  it('holds the body back for 100, for a second at the longest, and for ever when it is refused', async () => {
    let begun = 0
    const body = (scene: Scene) =>
      (async function* () {
        begun = scene.world.clock.now()
        yield 'body'
      })()
    const send = async (scene: Scene) => {
      begun = 0
      const started = scene.world.clock.now()
      const outcome = await scene.get('/', { method: 'POST', body: body(scene), expectContinue: true })
      const waited = begun === 0 ? 'never sent' : Math.round((begun - started) / 500) * 500
      await scene.end()
      return [outcome, waited]
    }
    const patient: ExchangeHandler = async (exchange) => {
      exchange.inform(100)
      for await (const _ of exchange.body);
      exchange.respond(200)
    }
    expect(await send(upload(() => patient))).toEqual(['h3 200', 0])
    // 100 goes out when a handler begins to read.
    const silent =
      (clock: VirtualClock): ExchangeHandler =>
      async (exchange) => {
        await sleep(clock, 3_000)
        for await (const _ of exchange.body);
        exchange.respond(200)
      }
    expect(await send(upload(silent))).toEqual(['h3 200', 1_000])
    const refusing: ExchangeHandler = (exchange) => exchange.respond(417)
    expect(await send(upload(() => refusing))).toEqual(['h3 417', 'never sent'])
  })
})
