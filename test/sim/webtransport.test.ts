// WebTransport between two whole endpoints on bad networks: everything echoed comes back right, sessions end the same on
// both sides, and nothing of them is left.
import { describe, expect, it } from 'vitest'
import { demoWebTransport } from '../../src/handlers/demo-webtransport.ts'
import type { WebTransportServerSession } from '../../src/handlers/webtransport-session.ts'
import { WebTransportError } from '../../src/supervisor/webtransport/error.ts'
import { patternBytes } from './pattern.ts'
import { collect, send, WebTransportWorld } from './webtransport-world.ts'

const BAD_LINK = {
  loss: 0.03,
  lossBurst: 3,
  delay: 15,
  jitter: 5,
  reorder: 0.05,
  reorderDelay: 10,
  duplicate: 0.02,
}

describe('echo on a bad network', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %s: streams of both kinds and datagrams', async (seed) => {
    const world = new WebTransportWorld({ seed, link: BAD_LINK, webtransport: demoWebTransport })
    const session = await world.session('/wt')
    const incoming = session.incomingUnidirectionalStreams.getReader()
    const work = Array.from({ length: 12 }, async (_, index) => {
      const bytes = patternBytes(seed * 100 + index, 0, 1 + index * 9_000)
      if (index % 2 === 0) {
        const { readable, writable } = await session.createBidirectionalStream()
        const [back] = await Promise.all([collect(readable), send(writable, bytes)])
        expect(back.equals(bytes)).toBe(true)
      } else {
        await send(await session.createUnidirectionalStream(), bytes)
        const { value } = await incoming.read()
        const back = await collect(value!)
        const key = Array.from({ length: 12 }, (_, of) => patternBytes(seed * 100 + of, 0, 1 + of * 9_000))
        expect(key.some((sent) => back.equals(sent))).toBe(true)
      }
    })
    await world.within(Promise.all(work))
    const reader = session.datagrams.readable.getReader()
    const writer = session.datagrams.writable.getWriter()
    const first = reader.read()
    for (let index = 0; index < 40; index++) await world.within(writer.write(Uint8Array.of(index)))
    // Datagrams may get lost, but not forty of them.
    expect((await world.within(first)).value).toHaveLength(1)
    session.close({ closeCode: seed, reason: 'done' })
    expect(await world.within(session.closed)).toEqual({ closeCode: seed, reason: 'done' })
    await world.expectNoSessions()
    await world.expectNothingLeft()
    expect(world.faults).toEqual([])
  })

  it('more than the session allows at once: credit for data and streams comes back', async () => {
    const world = new WebTransportWorld({ link: { delay: 5 }, webtransport: demoWebTransport })
    const session = await world.session('/wt')
    const bytes = new Uint8Array(9_000_000).fill(3)
    const echoOf = async (part: Uint8Array): Promise<void> => {
      const { readable, writable } = await session.createBidirectionalStream({ waitUntilAvailable: true })
      const [back] = await Promise.all([collect(readable), send(writable, part)])
      expect(back.equals(part)).toBe(true)
    }
    await world.within(echoOf(bytes))
    await world.within(Promise.all(Array.from({ length: 250 }, () => echoOf(bytes.subarray(0, 10)))))
    session.close()
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })
})

/** The server's side of one session, and its end. */
function capture() {
  const seen = Promise.withResolvers<WebTransportServerSession>()
  const handler = (session: WebTransportServerSession): void => {
    session.accept()
    seen.resolve(session)
  }
  return { handler, server: seen.promise }
}

describe('how a session ends', () => {
  it.each(['client', 'server'] as const)('the %s closes with code and reason', async (who) => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ link: BAD_LINK, webtransport: handler })
    const client = await world.session()
    const other = await server
    const stream = await client.createBidirectionalStream()
    const info = { closeCode: 0xffff_ffff, reason: 'enough ü' }
    ;(who === 'client' ? client : other).close(info)
    expect(await world.within(client.closed)).toEqual(info)
    expect(await world.within(other.closed)).toEqual(info)
    await expect(world.within(stream.writable.getWriter().closed)).rejects.toMatchObject({
      source: 'session',
    })
    await expect(client.createUnidirectionalStream()).rejects.toMatchObject({ name: 'InvalidStateError' })
    expect(await world.within(client.incomingBidirectionalStreams.getReader().read())).toMatchObject({
      done: true,
    })
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })

  it('a reason is cut to 1,024 bytes between two characters', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    client.close({ reason: 'ü'.repeat(600).slice(0, 599).concat('x'.repeat(900)) })
    expect((await world.within((await server).closed)).reason).toBe('ü'.repeat(512))
    await world.expectNothingLeft()
  })

  it('both sides close at the same time', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    client.close({ closeCode: 1 })
    ;(await server).close({ closeCode: 2 })
    expect(await world.within(client.closed)).toMatchObject({ closeCode: 1 })
    expect(await world.within((await server).closed)).toMatchObject({ closeCode: 2 })
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })

  it('the connection is lost', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    const reading = client.datagrams.readable.getReader().read()
    reading.catch(() => {})
    ;[...world.server.entries][0]!.supervisor.connection.close(0x100, '', { application: true })
    await expect(world.within(client.closed)).rejects.toMatchObject({ source: 'session' })
    await expect(world.within((await server).closed)).rejects.toThrow(WebTransportError)
    await expect(world.within(reading)).rejects.toMatchObject({ source: 'session' })
    await world.expectNothingLeft()
  })

  it('the client goes silent', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler, transport: { maxIdleTimeout: 5_000 } })
    await world.session()
    world.network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', true)
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    await expect(world.within((await server).closed)).rejects.toMatchObject({ source: 'session' })
    await world.expectNothingLeft()
  })

  it('drain is told to the other side, which may go on', async () => {
    const world = new WebTransportWorld({
      webtransport: async (session) => {
        session.drain()
        await demoWebTransport(session)
      },
    })
    const client = await world.session('/wt')
    await world.within(client.draining)
    const { readable, writable } = await client.createBidirectionalStream()
    const [back] = await world.within(Promise.all([collect(readable), send(writable, Buffer.from('still'))]))
    expect(back.toString()).toBe('still')
    client.close()
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })

  it('a server that drains tells sessions by GOAWAY, and cuts them in the end', async () => {
    const world = new WebTransportWorld({ webtransport: demoWebTransport })
    const client = await world.session('/wt')
    const report = world.server.close(20_000)
    await world.within(client.draining)
    const { readable, writable } = await client.createBidirectionalStream()
    const [back] = await world.within(Promise.all([collect(readable), send(writable, Buffer.from('late'))]))
    expect(back.toString()).toBe('late')
    await expect(world.within(client.closed)).rejects.toMatchObject({ source: 'session' })
    await world.within(report)
    await world.expectNothingLeft()
  })
})

describe('handlers', () => {
  it('one that fails takes its session with it, and nothing else', async () => {
    const world = new WebTransportWorld({
      webtransport: async (session) => {
        await session.ready
        if (session.path === '/fail') throw new Error('planned')
      },
    })
    const connection = await world.connected()
    const good = await world.session('/', connection)
    const bad = connection.webtransport('/fail')
    await expect(world.within(bad.closed)).rejects.toThrow('0x102')
    expect(world.faults.map(({ kind, path }) => [kind, path])).toEqual([['crash', '/fail']])
    good.close({ closeCode: 1 })
    expect(await world.within(good.closed)).toMatchObject({ closeCode: 1 })
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })

  it('what fails because the session has ended is no fault', async () => {
    const world = new WebTransportWorld({
      webtransport: async (session) => {
        const { value } = await session.incomingBidirectionalStreams.getReader().read()
        for await (const _chunk of value!.readable);
      },
    })
    const client = await world.session()
    const stream = await client.createBidirectionalStream()
    await world.within(stream.writable.getWriter().write(Uint8Array.of(1)))
    await world.pass(100)
    client.close()
    await world.expectNoSessions()
    expect(world.faults).toEqual([])
    await world.expectNothingLeft()
  })

  it('one that goes on after its session is named as stuck, until it ends', async () => {
    const over = Promise.withResolvers<void>()
    const world = new WebTransportWorld({
      webtransport: async (session) => {
        await session.ready
        await over.promise
      },
    })
    const client = await world.session()
    client.close()
    await world.pass(4_000)
    expect(world.server.listStuck().map(({ kind }) => kind)).toEqual(['handler'])
    over.resolve()
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })
})

describe('keying material (section 4.8)', () => {
  it('is the same on both ends of a session, and another one for each session, label and context', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const connection = await world.connected()
    const client = await world.session('/', connection)
    const second = await world.session('/', connection)
    const other = await server
    const context = Uint8Array.of(1)
    const keys = await world.within(
      Promise.all([
        client.exportKeyingMaterial('one'),
        other.exportKeyingMaterial(Buffer.from('one')),
        second.exportKeyingMaterial('one'),
        client.exportKeyingMaterial('two'),
        client.exportKeyingMaterial('one', context),
        other.exportKeyingMaterial('one', context, 16),
      ]),
    )
    const texts = keys.map((key) => Buffer.from(key).toString('hex'))
    expect(texts[0]).toBe(texts[1])
    expect(new Set(texts).size).toBe(5)
    expect(texts.map((text) => text.length)).toEqual([64, 64, 64, 64, 64, 32])
    await expect(client.exportKeyingMaterial('')).rejects.toThrow(RangeError)
    await world.expectNothingLeft()
  })
})

describe('several sessions on one connection', () => {
  it('are told apart, end one by one, and have a limit', async () => {
    const world = new WebTransportWorld({
      webtransport: { maxSessions: 3, handler: demoWebTransport },
    })
    const connection = await world.connected()
    const sessions = await Promise.all([1, 2, 3].map(() => world.session('/wt', connection)))
    const refused = connection.webtransport('/wt')
    await expect(world.within(refused.ready)).rejects.toThrow('429')
    const echoes = sessions.map(async (session, index) => {
      const { readable, writable } = await session.createBidirectionalStream()
      const [back] = await Promise.all([collect(readable), send(writable, Uint8Array.of(index))])
      expect([...back]).toEqual([index])
    })
    await world.within(Promise.all(echoes))
    sessions[0]!.close({ closeCode: 9 })
    expect(await world.within(sessions[0]!.closed)).toMatchObject({ closeCode: 9 })
    await world.pass(1_000)
    const next = await world.session('/wt', connection)
    for (const session of [...sessions.slice(1), next]) session.close()
    await world.expectNoSessions()
    await world.expectNothingLeft()
  })
})

describe('backpressure', () => {
  it('a reader that does not read stops the writer', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    const writer = (await client.createUnidirectionalStream()).getWriter()
    let written = 0
    const writing = (async () => {
      for (;;) {
        await writer.write(new Uint8Array(65_536))
        written += 65_536
      }
    })()
    writing.catch(() => {})
    await world.pass(3_000)
    const before = written
    await world.pass(5_000)
    expect(written).toBe(before)
    expect(written).toBeLessThan(2_000_000)
    const { value } = await world.within((await server).incomingUnidirectionalStreams.getReader().read())
    const reader = value!.getReader()
    for (let read = 0; read < 1_000_000; ) read += (await world.within(reader.read())).value!.length
    await world.pass(1_000)
    expect(written).toBeGreaterThan(before)
    client.close()
    await world.expectNothingLeft()
  })

  it('datagrams that nobody reads give way to newer ones', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    const other = await server
    other.datagrams.incomingHighWaterMark = 5
    const writer = client.datagrams.writable.getWriter()
    for (let index = 0; index < 30; index++) await world.within(writer.write(Uint8Array.of(index)))
    await world.pass(1_000)
    const { value } = await world.within(other.datagrams.readable.getReader().read())
    expect([...value!]).toEqual([25])
    expect((await other.getStats()).datagrams.droppedIncoming).toBe(25)
    client.close()
    await world.expectNothingLeft()
  })

  it('datagrams that waited longer than their age are dropped on both sides', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ webtransport: handler })
    const client = await world.session()
    const other = await server
    other.datagrams.incomingMaxAge = 100
    const writer = client.datagrams.writable.getWriter()
    const reader = other.datagrams.readable.getReader()
    await world.within(writer.write(Uint8Array.of(1)))
    // Opens the channel; the datagram gets old in it.
    expect(other.datagrams.incomingHighWaterMark).toBe(64)
    await world.pass(1_000)
    await world.within(writer.write(Uint8Array.of(2)))
    await world.pass(50)
    expect([...(await world.within(reader.read())).value!]).toEqual([2])
    expect((await other.getStats()).datagrams.expiredIncoming).toBe(1)
    client.close()
    await world.expectNothingLeft()
  })
})

describe('resets', () => {
  it('codes of applications arrive unchanged, both ways and on both kinds', async () => {
    const { handler, server } = capture()
    const world = new WebTransportWorld({ link: BAD_LINK, webtransport: handler })
    const client = await world.session()
    const other = await server
    const incoming = other.incomingBidirectionalStreams.getReader()
    for (const code of [0, 29, 30, 31, 255, 0xffff_ffff]) {
      const { readable, writable } = await client.createBidirectionalStream()
      const writer = writable.getWriter()
      await world.within(writer.write(Uint8Array.of(1)))
      const { value } = await world.within(incoming.read())
      const reason = new WebTransportError('no more', { streamErrorCode: code })
      const closed = writer.closed
      closed.catch(() => {})
      await world.within(value!.readable.cancel(reason))
      await expect(world.within(closed)).rejects.toMatchObject({
        streamErrorCode: code,
        source: 'stream',
      })
      await world.within(value!.writable.abort(reason))
      const reading = readable.getReader().read()
      await expect(world.within(reading)).rejects.toMatchObject({ streamErrorCode: code, source: 'stream' })
    }
    client.close()
    await world.expectNothingLeft()
  })
})
