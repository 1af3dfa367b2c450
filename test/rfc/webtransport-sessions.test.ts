// draft-ietf-webtrans-http3, requirement by requirement, as a client that speaks it byte by byte sees our server:
// sessions from their request to their end (sections 3, 4.7 and 6).

import { describe, expect, it } from 'vitest'
import type { WebTransportServerSession } from '../../src/handlers/webtransport-session.ts'
import { WtErrorCode } from '../../src/http3/index.ts'
import { parseSettings } from '../../src/http3/settings.ts'
import type { ScriptedStream } from '../leaks/scripted-peer.ts'
import { frame, varint } from '../unit/http3/session.ts'
import {
  Client,
  CURRENT,
  capsule,
  close,
  DRAFT_02,
  H3_DATAGRAM,
  MESSAGE_ERROR,
  statusOf,
} from './webtransport-client.ts'

describe('section 3.1: establishing a capable connection', () => {
  it('the server announces the current draft, draft 02, datagrams, extended CONNECT, and credit', async () => {
    const client = await new Client().open(undefined)
    const control = [...client.peer.connection.streams.values()].find(({ id }) => id === 3)!
    const { chunks } = control.application as ScriptedStream
    const settings = Buffer.concat(chunks)
    const length = settings[2]! & 0x3f
    expect(parseSettings(settings.subarray(3, 3 + length))).toMatchObject({
      enableConnectProtocol: true,
      h3Datagram: true,
      webtransport: true,
      webtransportDraft02: true,
      webtransportMaxStreamsBidi: 100,
      webtransportMaxStreamsUni: 100,
      webtransportMaxData: 7_864_320,
    })
    expect(settings.includes(Buffer.concat([varint(0xffd277), varint(1)]))).toBe(true)
  })

  it('without datagrams in the transport there is nothing to announce', async () => {
    const client = await new Client({}, {}, { maxDatagramFrameSize: 0 }).open(undefined)
    const settings = Buffer.concat(client.accepted[0]!.chunks)
    expect(parseSettings(settings.subarray(3, 3 + (settings[2]! & 0x3f)))).toMatchObject({
      h3Datagram: false,
      webtransport: false,
      webtransportDraft02: false,
      webtransportMaxData: 0,
    })
  })

  it('"MUST NOT process any incoming WebTransport requests until the client\'s SETTINGS have been received"', async () => {
    const client = await new Client().open(undefined)
    const stream = client.connect()
    const early = client.bidi(stream.stream.id)
    await client.pass()
    expect(client.sessions).toHaveLength(0)
    expect(statusOf(stream)).toBe(0)
    client.settings([...H3_DATAGRAM, ...CURRENT])
    await client.pass()
    expect(statusOf(stream)).toBe(200)
    expect(early.stopCode).toBeUndefined()
    const { value } = await client.world.within(
      client.sessions[0]!.incomingBidirectionalStreams.getReader().read(),
    )
    expect((await client.world.within(value!.readable.getReader().read())).value).toEqual(
      new Uint8Array(Buffer.from('hello')),
    )
  })

  it.each([
    ['no HTTP datagrams', CURRENT, {}],
    ['no setting of any draft', H3_DATAGRAM, {}],
    ['no RESET_STREAM_AT', [...H3_DATAGRAM, ...CURRENT], { resetStreamAt: false }],
  ])('%s: sessions are malformed', async (_what, settings, transport) => {
    const client = new Client({}, transport)
    const stream = await client.session(settings)
    expect(stream.resetCode).toBe(MESSAGE_ERROR)
    expect(client.sessions).toHaveLength(0)
    await client.world.expectNothingLeft()
  })

  it('draft 02 is spoken with clients that announce it: header and all', async () => {
    const client = await new Client().open([...H3_DATAGRAM, ...DRAFT_02])
    const stream = client.connect('webtransport', ['sec-webtransport-http3-draft02', '1'])
    await client.pass()
    expect(statusOf(stream)).toBe(200)
    expect(Buffer.concat(stream.chunks).length).toBeGreaterThan(15)
    client.bidi(stream.stream.id).end()
    await client.pass()
    expect(client.sessions[0]!.path).toBe('/')
  })
})

describe('section 3.2: creating a session', () => {
  it('an origin that is not allowed gets 403, and no handler', async () => {
    const client = await new Client({ origins: ['https://good.example'] }).open([...H3_DATAGRAM, ...CURRENT])
    const bad = client.connect('webtransport-h3', ['origin', 'https://bad.example'])
    const good = client.connect('webtransport-h3', ['origin', 'https://good.example'])
    await client.pass()
    expect([statusOf(bad), statusOf(good)]).toEqual([403, 200])
    expect(client.sessions).toHaveLength(1)
  })

  it('a handler that rejects, returns or throws a Response says no with its status', async () => {
    const handler = (session: WebTransportServerSession): Response | undefined => {
      if (session.path === '/throw') throw new Response('', { status: 400 })
      if (session.path === '/return') return new Response('', { status: 404 })
      session.reject(405)
      return undefined
    }
    const client = await new Client({ handler }).open([...H3_DATAGRAM, ...CURRENT])
    const streams = ['/throw', '/return', '/'].map((path) => client.connect('webtransport-h3', [], path))
    await client.pass()
    expect(streams.map(statusOf)).toEqual([400, 404, 405])
    for (const { stream } of streams) stream.end()
    expect(client.world.faults).toEqual([])
    await client.world.expectNoSessions()
  })

  it('a handler that never decides is cut at its deadline', async () => {
    const handler = (session: WebTransportServerSession): Promise<void> =>
      session.closed.then(
        () => {},
        () => {},
      )
    const client = new Client({ handler })
    const stream = await client.session()
    await client.pass(25_000)
    expect(stream.resetCode).toBe(0x102)
    await client.world.expectNoSessions()
  })

  it('"MUST NOT process these bytes as capsules until it sends a 2xx response"', async () => {
    const decided = Promise.withResolvers<void>()
    const client = await new Client({
      handler: async (session) => {
        await decided.promise
        session.closed.then((info) => client.ends.push(info))
        session.accept()
      },
    }).open([...H3_DATAGRAM, ...CURRENT])
    const stream = client.connect()
    stream.stream.write(close(7, 'early'))
    stream.end()
    await client.pass()
    expect(client.ends).toEqual([])
    decided.resolve()
    await client.pass()
    expect(client.ends).toEqual([{ closeCode: 7, reason: 'early' }])
    expect(statusOf(stream)).toBe(200)
    await client.world.expectNoSessions()
  })
})

describe('section 3.3: application protocols', () => {
  it.each([
    ['"a", "b", "c"', 'b'],
    ['"c", "b";q=1', 'c'],
    ['"x"', ''],
    ['b, "c"', ''],
    ['"b', ''],
  ])('%s offered, b and c spoken: %s', async (offer, protocol) => {
    const client = await new Client({ protocols: ['b', 'c'] }).open([...H3_DATAGRAM, ...CURRENT])
    const stream = client.connect('webtransport-h3', ['wt-available-protocols', offer])
    await client.pass()
    expect(statusOf(stream)).toBe(200)
    expect(client.sessions[0]!.protocol).toBe(protocol)
    expect(Buffer.concat(stream.chunks).includes(`"${protocol}"`)).toBe(protocol !== '')
  })
})

describe('section 4.7: drain', () => {
  it('WT_DRAIN_SESSION is told to the application, once; the session goes on', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(Buffer.concat([capsule(0x78ae), capsule(0x78ae)]))
    await client.world.within(client.sessions[0]!.draining)
    client.bidi(stream.stream.id)
    await client.pass()
    expect(client.ends).toEqual([])
  })

  it('with a payload it is malformed', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(capsule(0x78ae, Uint8Array.of(1)))
    await client.pass()
    expect(stream.resetCode).toBe(MESSAGE_ERROR)
  })
})

describe('section 6: termination', () => {
  it('WT_CLOSE_SESSION: code and message reach the application, streams end with WT_SESSION_GONE', async () => {
    const client = new Client()
    const stream = await client.session()
    const data = client.bidi(stream.stream.id)
    await client.pass()
    stream.stream.write(close(0x01020304, 'ciao'))
    stream.end()
    await client.pass()
    expect(client.ends).toEqual([{ closeCode: 0x01020304, reason: 'ciao' }])
    expect(data.resetCode).toBe(WtErrorCode.WT_SESSION_GONE)
    expect(data.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
    expect(stream.isFinished).toBe(true)
    expect(stream.resetCode).toBeUndefined()
    await client.world.expectNoSessions()
  })

  it('FIN alone is code 0 and no message', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.end()
    await client.pass()
    expect(client.ends).toEqual([{ closeCode: 0, reason: '' }])
    expect(stream.isFinished).toBe(true)
    await client.world.expectNoSessions()
  })

  it.each([
    ['a message of 1,025 bytes', capsule(0x2843, new Uint8Array(4 + 1_025))],
    ['a message that is no UTF-8', capsule(0x2843, Uint8Array.of(0, 0, 0, 1, 0xff, 0xfe))],
    ['no code', capsule(0x2843, Uint8Array.of(1, 2, 3))],
    ['a capsule behind it', Buffer.concat([close(1, 'x'), capsule(0x78ae)])],
    ['an unknown capsule behind it', Buffer.concat([close(1, 'x'), capsule(0x3f)])],
  ])('%s: H3_MESSAGE_ERROR', async (_what, bytes) => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(bytes)
    await client.pass()
    expect(stream.resetCode).toBe(MESSAGE_ERROR)
    expect(client.ends).toHaveLength(1)
    await client.world.expectNoSessions()
  })

  it('data that comes later than the close: H3_MESSAGE_ERROR', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(close(1, 'x'))
    await client.pass()
    expect(stream.stopCode).toBeUndefined()
    stream.stream.write(capsule(0x78ae))
    await client.pass()
    expect(stream.stopCode).toBe(MESSAGE_ERROR)
    expect(client.ends).toEqual([{ closeCode: 1, reason: 'x' }])
    await client.world.expectNoSessions()
  })

  it('a truncated capsule at the end is malformed (RFC 9297 section 3.3)', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(frame(0, Uint8Array.of(0x68, 0x43, 8, 0)))
    stream.end()
    await client.pass()
    expect(stream.resetCode).toBe(MESSAGE_ERROR)
    await client.world.expectNoSessions()
  })

  it('a peer that never ends its side of a closed session is stopped after ten seconds', async () => {
    const client = new Client()
    const stream = await client.session()
    client.sessions[0]!.close({ closeCode: 3, reason: 'over' })
    await client.pass(5_000)
    expect(stream.isFinished).toBe(true)
    expect(stream.stopCode).toBeUndefined()
    await client.pass(8_000)
    expect(stream.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
    await client.world.expectNoSessions()
  })

  it('STOP_SENDING with WT_SESSION_GONE beside a close, ahead of it: the close counts', async () => {
    const client = new Client()
    const stream = await client.session()
    const data = client.bidi(stream.stream.id)
    stream.stop(WtErrorCode.WT_SESSION_GONE)
    await client.pass(1_500)
    expect(client.ends).toEqual([])
    expect(data.resetCode).toBeUndefined()
    stream.stream.write(close(1_337, 'good bye'))
    stream.end()
    await client.pass()
    expect(client.ends).toEqual([{ closeCode: 1_337, reason: 'good bye' }])
    await client.world.expectNoSessions()
    expect(client.world.faults).toEqual([])
  })

  it('a peer that stops the CONNECT stream so and never closes: the session ends after ten seconds', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stop(WtErrorCode.WT_SESSION_GONE)
    await client.pass(5_000)
    expect(client.ends).toEqual([])
    await client.pass(8_000)
    expect(client.ends).toEqual(['the peer left without a close (0x170d7b68)'])
    stream.end()
    await client.world.expectNoSessions()
  })

  it('STOP_SENDING with another code ends it at once', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stop(0x10c)
    await client.pass()
    expect(client.ends).toEqual(['the peer stopped the CONNECT stream (0x10c)'])
    await client.world.expectNoSessions()
  })

  it('a reset of the CONNECT stream ends the session abruptly', async () => {
    const client = new Client()
    const stream = await client.session()
    const data = client.bidi(stream.stream.id)
    stream.reset(0x10c)
    await client.pass()
    expect(client.ends).toEqual(['the peer reset the CONNECT stream (0x10c)'])
    expect(data.resetCode).toBe(WtErrorCode.WT_SESSION_GONE)
    await client.world.expectNoSessions()
  })
})
