// CONNECT, with and without a protocol, against a whole endpoint: RFC 9114 section 4.4, RFC 8441 section 4, RFC 9220.
import type { Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { RequestStream } from '../../src/http3/index.ts'
import { TunnelWorld, type TunnelWorldOptions } from '../sim/tunnel-world.ts'
import { headers } from '../unit/http3/session.ts'

const MESSAGE_ERROR = 0x10e
const EXTENDED = [
  ':method',
  'CONNECT',
  ':protocol',
  'echo',
  ':scheme',
  'https',
  ':path',
  '/',
  ':authority',
  'a.example',
]

function echo(exchange: Exchange): void {
  const tunnel = exchange.accept()
  tunnel.pipe(tunnel)
}

/** Sends a head as it is, without the checks of our own client, and tells what becomes of it. */
async function answerTo(fields: readonly string[], options: TunnelWorldOptions = {}) {
  const world = new TunnelWorld({
    tunnels: { echo },
    handler: (exchange) => exchange.respond(204),
    ...options,
  })
  const session = await world.connected()
  const done = Promise.withResolvers<string>()
  const stream = session.connection.openStream('bidi')!
  const request = new RequestStream(stream, session.h3)
  stream.application = request
  request.events = {
    handleHead: (status) => done.resolve(`status ${status}`),
    handleBodyReadable: () => {},
    handleBodyEnd: () => {},
    handleWritable: () => {},
    handleReset: (code) => done.resolve(`reset ${code.toString(16)}`),
    handleStopSending: () => {},
    handleClosed: () => {},
  }
  stream.write(headers(fields))
  const answer = await world.run(done.promise, 5_000)
  await world.expectNothingLeft(session)
  return answer
}

function without(name: string): string[] {
  const index = EXTENDED.indexOf(name)
  return EXTENDED.filter((_field, at) => at !== index && at !== index + 1)
}

describe('RFC 8441 section 4: the extended CONNECT method', () => {
  test('a whole head is accepted', async () => {
    expect(await answerTo(EXTENDED)).toBe('status 200')
  })

  test.each([':scheme', ':path', ':authority', ':method'])(
    '":scheme and :path [...] MUST also be included": without %s it is malformed',
    async (name) => {
      expect(await answerTo(without(name))).toBe(`reset ${MESSAGE_ERROR.toString(16)}`)
    },
  )

  test.each([
    ['with another method', EXTENDED.map((field) => (field === 'CONNECT' ? 'GET' : field))],
    ['twice', [...EXTENDED.slice(0, 4), ':protocol', 'echo', ...EXTENDED.slice(4)]],
    ['empty', EXTENDED.map((field) => (field === 'echo' ? '' : field))],
    ['no token', EXTENDED.map((field) => (field === 'echo' ? 'a b' : field))],
  ])(':protocol %s is malformed', async (_what, fields) => {
    expect(await answerTo(fields)).toBe(`reset ${MESSAGE_ERROR.toString(16)}`)
  })

  test(':protocol that was not announced is malformed (RFC 8441 section 3)', async () => {
    expect(await answerTo(EXTENDED, { tunnels: {} })).toBe(`reset ${MESSAGE_ERROR.toString(16)}`)
  })

  test('RFC 9220 section 3: an unknown protocol gets 501, and does not reach the handler', async () => {
    const fields = EXTENDED.map((field) => (field === 'echo' ? 'unheard-of' : field))
    expect(await answerTo(fields)).toBe('status 501')
  })
})

describe('RFC 9114 section 4.4: the CONNECT method', () => {
  const plain = [':method', 'CONNECT', ':authority', 'a.example:443']

  test.each([
    ['with a scheme', [...plain, ':scheme', 'https']],
    ['with a path', [...plain, ':path', '/']],
    ['without an authority', [':method', 'CONNECT']],
  ])('%s it is malformed', async (_what, fields) => {
    expect(await answerTo(fields)).toBe(`reset ${MESSAGE_ERROR.toString(16)}`)
  })

  test('it reaches the handler of requests', async () => {
    expect(await answerTo(plain)).toBe('status 204')
  })

  test('a handler that returns without an answer is a crash', async () => {
    expect(await answerTo(plain, { handler: () => {} })).toBe('reset 102')
  })
})

describe('the tunnel', () => {
  async function open(
    handler: (exchange: Exchange) => void | Promise<void>,
    options: TunnelWorldOptions = {},
  ) {
    const world = new TunnelWorld({ tunnels: { echo: handler }, handler, ...options })
    const session = await world.connected()
    const opened = await world.run(session.connectTunnel({ protocol: 'echo' }), 20_000)
    return { world, session, stream: opened.stream }
  }

  test.each([0, 0.15])('carries a megabyte both ways at once, with %d of all packets lost', async (loss) => {
    const { world, session, stream } = await open(echo, { link: { loss, lossBurst: 4, jitter: 3 }, seed: 5 })
    const sent = Buffer.alloc(1_000_000, 'quactor tunnel ')
    const received: Buffer[] = []
    stream.on('data', (chunk) => received.push(chunk))
    stream.end(sent)
    await world.run(stream.gone, 120_000)
    expect(Buffer.concat(received).equals(sent)).toBe(true)
    await world.expectNothingLeft(session)
    expect(world.faults).toEqual([])
  })

  test('RFC 9114 section 4.4: each direction ends by itself with a FIN', async () => {
    let server: Duplex | undefined
    const { world, session, stream } = await open((exchange) => {
      server = exchange.accept()
    })
    const received: Buffer[] = []
    server!.on('data', (chunk) => received.push(chunk))
    stream.resume()
    server!.end('done')
    await world.pass(500)
    expect(stream.readableEnded).toBe(true)
    expect(world.status().handlers.live).toBe(1)
    stream.end('late bytes')
    await world.pass(500)
    expect(Buffer.concat(received).toString()).toBe('late bytes')
    expect(world.status().handlers.live).toBe(0)
    await world.expectNothingLeft(session)
  })

  test('the other way round: the client ends first, the server goes on', async () => {
    let server: Duplex | undefined
    const { world, session, stream } = await open((exchange) => {
      server = exchange.accept()
    })
    server!.resume()
    stream.end()
    await world.pass(500)
    expect(server!.readableEnded).toBe(true)
    server!.end(Buffer.alloc(50_000))
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    await world.run(stream.gone, 5_000)
    expect(bytes).toBe(50_000)
    await world.expectNothingLeft(session)
  })

  test('a reader that does not read closes the window of the other side', async () => {
    let server: Duplex | undefined
    const { world, session, stream } = await open((exchange) => {
      server = exchange.accept()
    })
    let written = 0
    const pump = (): void => {
      while (written < 50_000_000) {
        written += 50_000
        if (!stream.write(Buffer.alloc(50_000))) return
      }
    }
    stream.on('drain', pump)
    pump()
    await world.pass(5_000)
    expect(written).toBeLessThan(5_000_000)
    expect(server!.readableLength).toBeLessThan(200_000)
    await world.expectNothingLeft(session)
  })

  test.each([
    ['echo', undefined, 0x10c],
    ['echo', new Error('upstream'), 0x10c],
    [undefined, undefined, 0x10c],
    [undefined, new Error('upstream'), 0x10f],
  ])(
    'destroy() of the handler (protocol %s, %s) resets with the right code',
    async (protocol, error, code) => {
      const handler = (exchange: Exchange): void => {
        exchange.accept().destroy(error)
      }
      const world = new TunnelWorld({ tunnels: { echo: handler }, handler })
      const session = await world.connected()
      const opened = session.connectTunnel(
        protocol === undefined ? { authority: 'a.example:1' } : { protocol },
      )
      const failure = await world.run(
        opened
          .then(async ({ stream }) => {
            stream.resume()
            await stream.gone
            return stream.errored
          })
          .catch((reason: unknown) => reason),
        5_000,
      )
      expect(failure).toMatchObject({ kind: 'reset', code })
      expect(world.faults).toEqual([])
      await world.expectNothingLeft(session)
    },
  )

  test('a handler that fails after accept() resets with H3_INTERNAL_ERROR, listeners included', async () => {
    for (const broken of [
      async (exchange: Exchange) => {
        exchange.accept()
        throw new Error('planned')
      },
      (exchange: Exchange) => {
        exchange.accept().on('data', () => {
          throw new Error('planned')
        })
      },
    ]) {
      const world = new TunnelWorld({ tunnels: { echo: broken } })
      const session = await world.connected()
      const failure = session
        .connectTunnel({ protocol: 'echo' })
        .then(async ({ stream }) => {
          stream.resume()
          stream.write('x')
          await stream.gone
          return stream.errored
        })
        .catch((reason: unknown) => reason)
      expect(await world.run(failure, 5_000)).toMatchObject({ code: 0x102 })
      expect(world.faults).toMatchObject([{ kind: 'crash' }])
      await world.expectNothingLeft(session)
    }
  })

  test('the end of the connection, and a client that vanishes, end the tunnel and its handler', async () => {
    const ends: string[] = []
    const { world, session } = await open((exchange) => {
      exchange.onCancel = (reason) => ends.push(reason.reason)
      exchange.accept().on('close', () => ends.push('close'))
    })
    Object.assign(world.clientSocket, { send: () => {} })
    await world.pass(120_000)
    expect(ends).toEqual([expect.stringMatching('Closed'), 'close'])
    expect(world.status()).toMatchObject({
      handlers: { live: 0 },
      streams: { live: 0 },
      timers: { armed: 0 },
    })
    session.close()
  })

  test('RFC 9297 section 2: a datagram on a tunnel without semantics for them resets it with H3_DATAGRAM_ERROR', async () => {
    const { world, session, stream } = await open(echo, { transport: { maxDatagramFrameSize: 65_535 } })
    stream.resume()
    const [request] = [...session.connection.streams.values()].filter(
      ({ isBidirectional }) => isBidirectional,
    )
    session.connection.sendDatagram(Uint8Array.of(request!.id / 4, 1, 2, 3))
    await world.run(stream.gone, 5_000)
    expect(stream.errored).toMatchObject({ code: 0x33 })
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('DATA frames only: HEADERS in a tunnel are a connection error (H3_FRAME_UNEXPECTED)', async () => {
    const { world, session, stream } = await open(echo)
    stream.resume()
    const [request] = [...session.connection.streams.values()].filter(
      ({ isBidirectional }) => isBidirectional,
    )
    request!.write(Uint8Array.of(1, 3, 0, 0, 0xd1))
    await world.pass(500)
    expect(await session.closed).toMatchObject({ code: 0x105 })
  })
})
