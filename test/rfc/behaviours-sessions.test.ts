// Behaviours 56 and 57 of WebTransport that other stacks assert, against a whole endpoint: raw bytes of a client that
// speaks draft 02, as browsers do (draft-ietf-webtrans-http3).
import { describe, expect, test } from 'vitest'
import type {
  WebTransportHandler,
  WebTransportServerSession,
} from '../../src/handlers/webtransport-session.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { toApplicationCode, toHttpCode, WtErrorCode } from '../../src/http3/webtransport/errors.ts'
import { MAX_CLOSE_MESSAGE, MAX_EARLY_STREAMS } from '../../src/http3/webtransport/limits.ts'
import { ScriptedPeer, ScriptedStream } from '../leaks/scripted-peer.ts'
import { WebTransportWorld } from '../sim/webtransport-world.ts'
import { data, frame, headers, hex, varint } from '../unit/http3/session.ts'

const CONNECT = headers([
  ...[
    ':method',
    'CONNECT',
    ':protocol',
    'webtransport',
    ':scheme',
    'https',
    ':authority',
    'a.example',
    ':path',
    '/',
  ],
  ...['sec-webtransport-http3-draft02', '1'],
])

/** SETTINGS of draft 02: extended CONNECT, datagrams, the draft's own. */
const SETTINGS = Buffer.concat([
  varint(0),
  frame(0x04, Buffer.concat([hex('08013301'), varint(0x2b603742), hex('01')])),
])

const CLOSE = 0x2843

function capsule(type: number, value: Uint8Array): Buffer {
  return data(Buffer.concat([varint(type), varint(value.length), value]).toString('latin1'))
}

const close = (code: number, reason: string): Buffer =>
  capsule(CLOSE, Buffer.concat([Buffer.of(0, 0, 0, code), Buffer.from(reason)]))

class SessionPeer {
  readonly sessions: WebTransportServerSession[] = []
  readonly world: WebTransportWorld
  readonly peer: ScriptedPeer

  constructor(
    use: (session: WebTransportServerSession) => Promise<void> = (session) => session.ready.then(() => {}),
  ) {
    const webtransport: WebTransportHandler = (session) => {
      this.sessions.push(session)
      session.closed.catch(() => {})
      return use(session)
    }
    this.world = new WebTransportWorld({ webtransport })
    this.peer = new ScriptedPeer(this.world, { maxDatagramFrameSize: 65_535 })
  }

  async begin(): Promise<this> {
    await this.settle(500)
    this.uni(SETTINGS)
    await this.settle()
    return this
  }

  settle(time = 100): Promise<void> {
    return this.world.pass(time)
  }

  uni(bytes: Uint8Array): ScriptedStream {
    const stream = new ScriptedStream(this.peer.connection.openStream('uni')!, false)
    stream.stream.write(bytes)
    return stream
  }

  bidi(bytes: Uint8Array): ScriptedStream {
    const stream = this.peer.open()
    stream.stream.write(bytes)
    return stream
  }

  async connect(): Promise<ScriptedStream> {
    const stream = this.bidi(CONNECT)
    await this.settle()
    expect(this.sessions).toHaveLength(1)
    return stream
  }

  async finish(): Promise<void> {
    this.peer.connection.close(0x100, '', { application: true })
    await this.settle(60_000)
    expect(this.world.server.missed.list()).toEqual([])
    expect(this.world.server.entries.size).toBe(0)
  }
}

const uniHeader = Buffer.concat([varint(0x54), varint(0)])
const bidiHeader = Buffer.concat([varint(0x41), varint(0)])

async function textOf(readable: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readable) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe('56 what comes before the session, and what ends with it', () => {
  test('56 streams and datagrams before the CONNECT request are kept for it', async () => {
    const found: string[] = []
    const peer = await new SessionPeer(async (session) => {
      const uni = session.incomingUnidirectionalStreams.getReader()
      const bidi = session.incomingBidirectionalStreams.getReader()
      const datagrams = session.datagrams.readable.getReader()
      found.push(await textOf((await uni.read()).value!))
      found.push(await textOf((await bidi.read()).value!.readable))
      found.push(Buffer.from((await datagrams.read()).value!).toString())
    }).begin()
    const request = peer.peer.open()
    peer.uni(Buffer.concat([uniHeader, Buffer.from('one way')])).end()
    peer.bidi(Buffer.concat([bidiHeader, Buffer.from('both ways')])).end()
    peer.peer.inject(Buffer.concat([hex('3109'), varint(0), Buffer.from('datagram')]))
    await peer.settle()
    expect([found, peer.peer.closing]).toEqual([[], undefined])
    request.stream.write(CONNECT)
    await peer.settle()
    expect(found).toEqual(['one way', 'both ways', 'datagram'])
    await peer.finish()
  })

  test('56 more early streams than the cap are refused with WT_BUFFERED_STREAM_REJECTED', async () => {
    const peer = await new SessionPeer().begin()
    peer.peer.open()
    const streams = Array.from({ length: MAX_EARLY_STREAMS + 5 }, () => peer.bidi(bidiHeader))
    await peer.settle()
    const refused = streams.filter(({ stopCode }) => stopCode === WtErrorCode.WT_BUFFERED_STREAM_REJECTED)
    expect(refused).toHaveLength(5)
    expect(streams.slice(0, MAX_EARLY_STREAMS).every(({ stopCode }) => stopCode === undefined)).toBe(true)
    await peer.finish()
  })

  test('56 the end of the session resets every stream of it with WT_SESSION_GONE', async () => {
    const peer = await new SessionPeer().begin()
    const request = await peer.connect()
    const streams = [peer.bidi(bidiHeader), peer.bidi(bidiHeader), peer.uni(uniHeader)]
    await peer.settle()
    request.stream.write(close(7, 'enough'))
    request.end()
    await peer.settle()
    expect(streams.map(({ stopCode }) => stopCode)).toEqual(Array(3).fill(WtErrorCode.WT_SESSION_GONE))
    expect(streams.slice(0, 2).map(({ resetCode }) => resetCode)).toEqual(
      Array(2).fill(WtErrorCode.WT_SESSION_GONE),
    )
    expect(await peer.sessions[0]!.closed).toMatchObject({ closeCode: 7, reason: 'enough' })
    await peer.finish()
  })

  test('56 a stream for a session that is over is refused with WT_SESSION_GONE', async () => {
    const peer = await new SessionPeer().begin()
    const request = await peer.connect()
    request.stream.write(close(0, ''))
    request.end()
    await peer.settle(1_000)
    const late = peer.bidi(bidiHeader)
    await peer.settle()
    expect(late.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
    await peer.finish()
  })

  test('56 codes of streams map into the reserved range and skip what is reserved in it', () => {
    for (const code of [0, 1, 28, 29, 30, 31, 59, 60, 255, 65_535, 2 ** 32 - 1]) {
      const wire = toHttpCode(code)
      expect((wire - 0x21) % 0x1f).not.toBe(0)
      expect(toApplicationCode(wire)).toBe(code)
    }
    expect([toHttpCode(0), toHttpCode(2 ** 32 - 1)]).toEqual([0x52e4a40fa8db, 0x52e5ac983162])
    for (const wire of [0x52e4a40fa8da, 0x52e5ac983163, 0x52e4a40fa8f9, 0x100]) {
      expect(toApplicationCode(wire)).toBeUndefined()
    }
  })
})

describe('57 the capsule that closes', () => {
  test('57 a reason of more than 1,024 bytes is malformed, before it is kept', async () => {
    const peer = await new SessionPeer().begin()
    const request = await peer.connect()
    request.stream.write(close(0, 'x'.repeat(MAX_CLOSE_MESSAGE + 1)))
    await peer.settle()
    expect([request.resetCode, peer.peer.closing]).toEqual([H3ErrorCode.H3_MESSAGE_ERROR, undefined])
    await peer.finish()
  })

  test('57 a reason of ours is cut between two characters', async () => {
    const peer = await new SessionPeer(async (session) => {
      await session.ready
      session.close({ closeCode: 3, reason: 'x\u20ac'.repeat(400) })
    }).begin()
    const request = await peer.connect()
    const received = Buffer.concat(request.chunks)
    const at = received.indexOf(Buffer.from('6843', 'hex'))
    const text = received.subarray(at + 2 + 2 + 4)
    expect(text.length).toBeLessThanOrEqual(MAX_CLOSE_MESSAGE)
    expect(text.length).toBeGreaterThan(MAX_CLOSE_MESSAGE - 4)
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(text)).not.toThrow()
    await peer.finish()
  })

  test('57 unknown capsules are skipped and not kept', async () => {
    const peer = await new SessionPeer().begin()
    const request = await peer.connect()
    request.stream.write(capsule(0x29, new Uint8Array(500_000)))
    await peer.settle(1_000)
    expect(peer.world.status().buffers.receiveBytes).toBeLessThan(10_000)
    expect(peer.peer.closing).toBeUndefined()
    request.stream.write(close(1, 'after it'))
    await peer.settle()
    expect(await peer.sessions[0]!.closed).toMatchObject({ closeCode: 1, reason: 'after it' })
    await peer.finish()
  })

  test('57 data after the close is refused', async () => {
    const peer = await new SessionPeer().begin()
    const request = await peer.connect()
    request.stream.write(Buffer.concat([close(1, ''), capsule(0x29, new Uint8Array(1))]))
    await peer.settle()
    expect([request.resetCode ?? request.stopCode, peer.peer.closing]).toEqual([
      H3ErrorCode.H3_MESSAGE_ERROR,
      undefined,
    ])
    await peer.finish()
  })
})
