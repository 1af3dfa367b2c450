// draft-ietf-webtrans-http3 at our client: what it makes of a server that speaks byte by byte on the streams of a session.
import { describe, expect, it } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { WebTransportClientSession } from '../../src/client/webtransport-session.ts'
import type { WebTransportServerSession } from '../../src/handlers/webtransport-session.ts'
import { H3ErrorCode, WtErrorCode } from '../../src/http3/index.ts'
import { parseSettings } from '../../src/http3/settings.ts'
import type { QuicConnection } from '../../src/transport/connection/index.ts'
import type { QuicStream } from '../../src/transport/streams/index.ts'
import { ScriptedStream } from '../leaks/scripted-peer.ts'
import { WebTransportWorld } from '../sim/webtransport-world.ts'
import { varint } from '../unit/http3/session.ts'

class Server {
  readonly world: WebTransportWorld
  readonly sessions: WebTransportServerSession[] = []
  connection!: ClientSession
  /** The server's side of the connection. */
  quic!: QuicConnection

  constructor(headers: Record<string, string> = {}) {
    this.world = new WebTransportWorld({
      webtransport: (session) => {
        this.sessions.push(session)
        session.accept({ headers })
      },
    })
  }

  async session(options = {}): Promise<WebTransportClientSession> {
    this.connection = await this.world.connected()
    const session = this.connection.webtransport('/', options)
    await this.world.pass(200)
    this.quic = [...this.world.server.entries][0]!.supervisor.connection
    return session
  }

  /** A stream that the server opens and writes to as it likes. */
  open(kind: 'bidi' | 'uni', ...pieces: (number | string)[]): ScriptedStream {
    const stream: QuicStream = this.quic.openStream(kind)!
    const scripted = new ScriptedStream(stream, true)
    for (const piece of pieces) {
      stream.write(typeof piece === 'number' ? varint(piece) : Buffer.from(piece))
    }
    return scripted
  }

  /** Code with which the client closed the connection. */
  get error(): number | undefined {
    return this.quic.closing.info?.code
  }
}

describe('section 3.1: SETTINGS_WT_ENABLED', () => {
  it('greater than 1 is H3_SETTINGS_ERROR', () => {
    const settings = (value: number) => Buffer.concat([varint(0x2c7cf000), varint(value)])
    expect(parseSettings(settings(1)).webtransport).toBe(true)
    expect(parseSettings(settings(0)).webtransport).toBe(false)
    expect(() => parseSettings(settings(2))).toThrow(
      expect.objectContaining({ code: H3ErrorCode.H3_SETTINGS_ERROR }),
    )
  })

  it('a client does not ask a server that has not announced it', async () => {
    const server = new Server()
    server.connection = server.world.open()
    await server.world.run(server.connection.opened, 1_000)
    const session = server.connection.webtransport('/')
    await expect(server.world.within(session.ready)).rejects.toMatchObject({ source: 'session' })
    expect(server.sessions).toHaveLength(0)
  })
})

describe('section 3.2: the answer', () => {
  it.each([301, 404, 503])('%s is told, and not followed', async (status) => {
    const world = new WebTransportWorld({
      webtransport: (session) => session.reject(status, { headers: { location: '/other' } }),
    })
    const connection = await world.connected()
    const session = connection.webtransport('/')
    await expect(world.within(session.ready)).rejects.toThrow(String(status))
    expect(session.responseHeaders?.get('location')).toBe('/other')
    await world.expectNoSessions()
  })

  it.each([
    ['404', 0x100, (session: WebTransportServerSession) => session.reject(404)],
    ['a close', 0x170d7b68, (session: WebTransportServerSession) => session.close({ closeCode: 5 })],
  ])('%s counts, although STOP_SENDING comes ahead of it in the packet', async (what, code, answer) => {
    const world = new WebTransportWorld({
      webtransport: (session) => {
        answer(session)
        const [entry] = world.server.entries
        entry!.supervisor.connection.streams.get(0)!.stopSending(code)
      },
    })
    const connection = await world.connected()
    const session = connection.webtransport('/')
    if (what === '404') await expect(world.within(session.closed)).rejects.toThrow('404')
    else expect(await world.within(session.closed)).toEqual({ closeCode: 5, reason: '' })
    await world.expectNothingLeft()
  })

  it('streams and datagrams may go ahead of it', async () => {
    const server = new Server()
    server.connection = await server.world.connected()
    const session = server.connection.webtransport('/')
    await server.world.run(server.connection.settings, 1_000)
    const stream = await session.createBidirectionalStream()
    void stream.writable.getWriter().write(Buffer.from('first'))
    void session.datagrams.writable.getWriter().write(Buffer.from('too'))
    await server.world.within(session.ready)
    await server.world.pass(100)
    const { value } = await server.world.within(
      server.sessions[0]!.incomingBidirectionalStreams.getReader().read(),
    )
    const { value: body } = await server.world.within(value!.readable.getReader().read())
    expect(Buffer.from(body!).toString()).toBe('first')
    const { value: datagram } = await server.world.within(
      server.sessions[0]!.datagrams.readable.getReader().read(),
    )
    expect(Buffer.from(datagram!).toString()).toBe('too')
  })
})

describe('section 3.3: a protocol that was not offered', () => {
  it.each([
    ['"other"', ['mine'], 'WT_ALPN'],
    ['"mine"', ['mine'], 'mine'],
    ['mine', ['mine'], ''],
    ['"mine"', [], 'WT_ALPN'],
  ])('%s where %j is offered: %s', async (chosen, protocols, outcome) => {
    const server = new Server({ 'wt-protocol': chosen })
    const session = await server.session({ protocols })
    if (outcome !== 'WT_ALPN') {
      await server.world.within(session.ready)
      expect(session.protocol).toBe(outcome)
      return
    }
    await expect(server.world.within(session.closed)).rejects.toThrow(
      `0x${WtErrorCode.WT_ALPN_ERROR.toString(16)}`,
    )
    await expect(server.world.within(server.sessions[0]!.closed)).rejects.toThrow('0x817b3dd')
    await server.world.expectNoSessions()
  })
})

describe('section 4: streams of the server', () => {
  it('with signal, session ID and body at any split', async () => {
    const server = new Server()
    const session = await server.session()
    const stream = server.open('bidi')
    for (const byte of [0x40, 0x41, 0x80, 0, 0, 0, 0x68, 0x69]) {
      stream.stream.write(Uint8Array.of(byte))
      await server.world.pass(30)
    }
    stream.end()
    const { value } = await server.world.within(session.incomingBidirectionalStreams.getReader().read())
    const reader = value!.readable.getReader()
    expect(Buffer.from((await server.world.within(reader.read())).value!).toString()).toBe('hi')
    expect((await server.world.within(reader.read())).done).toBe(true)
    await server.world.expectNothingLeft()
  })

  it.each([
    ['bidi', 0x41, 3, H3ErrorCode.H3_ID_ERROR],
    ['uni', 0x54, 2, H3ErrorCode.H3_ID_ERROR],
    ['bidi', 0x42, 0, H3ErrorCode.H3_STREAM_CREATION_ERROR],
  ] as const)('%s, type %s, session %s: the connection ends with %s', async (kind, type, id, code) => {
    const server = new Server()
    await server.session()
    server.open(kind, type, id, 'x')
    await server.world.pass(300)
    expect(server.error).toBe(code)
    await server.world.expectNothingLeft()
  })

  it('of a session that is over, or never was: WT_SESSION_GONE', async () => {
    const server = new Server()
    const session = await server.session()
    session.close()
    await server.world.pass(300)
    const streams = [server.open('bidi', 0x41, 0, 'x'), server.open('bidi', 0x41, 400, 'x')]
    await server.world.pass(300)
    for (const stream of streams) {
      expect(stream.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
      expect(stream.resetCode).toBe(WtErrorCode.WT_SESSION_GONE)
    }
    expect(server.error).toBeUndefined()
  })

  it('that are reset before their header is whole are forgotten', async () => {
    const server = new Server()
    await server.session()
    server.open('bidi').reset(0x10c).stop(0x10c)
    const half = server.open('bidi', 0x41)
    await server.world.pass(100)
    half.reset(0x10c).stop(0x10c)
    await server.world.pass(300)
    expect(server.error).toBeUndefined()
    expect(half.outcome).toBe('reset')
  })
})

describe('section 4.7: GOAWAY', () => {
  it('drains the sessions, and no new one is opened', async () => {
    const server = new Server()
    const session = await server.session()
    const closing = server.world.server.close(20_000)
    await server.world.within(session.draining)
    await expect(server.world.within(server.connection.webtransport('/').ready)).rejects.toMatchObject({
      source: 'session',
    })
    session.close()
    expect(await server.world.within(session.closed)).toMatchObject({ closeCode: 0 })
    await server.world.within(closing)
    await server.world.expectNothingLeft()
  })
})
