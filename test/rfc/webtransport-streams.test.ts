// draft-ietf-webtrans-http3, requirement by requirement, as a client that speaks it byte by byte sees our server:
// streams and early arrivals (sections 4 to 4.6).
import { describe, expect, it } from 'vitest'
import { demoWebTransport } from '../../src/handlers/demo-webtransport.ts'
import { toHttpCode, WtErrorCode } from '../../src/http3/index.ts'
import { SIM_SERVER_NAME } from '../sim/identity.ts'
import { headers, varint } from '../unit/http3/session.ts'
import { Client, CURRENT, close, H3_DATAGRAM, ID_ERROR } from './webtransport-client.ts'

describe('section 4: session IDs', () => {
  it.each([1, 2, 3, 2 ** 53 + 1])('%s is none: H3_ID_ERROR, on both kinds of streams', async (id) => {
    for (const kind of ['bidi', 'uni'] as const) {
      const client = new Client()
      await client.session()
      if (id < 2 ** 53) client[kind](id)
      else {
        const stream = client.peer.connection.openStream(kind)!
        const bytes = Buffer.from(kind === 'bidi' ? '4041c020000000000001' : '4054c020000000000001', 'hex')
        stream.write(bytes)
      }
      await client.pass()
      expect(client.error).toBe(ID_ERROR)
    }
  })

  it('of a closed session: the stream is reset with WT_SESSION_GONE', async () => {
    const client = new Client()
    const stream = await client.session()
    stream.stream.write(close(0, ''))
    stream.end()
    await client.pass()
    const bidi = client.bidi(stream.stream.id)
    const uni = client.uni(stream.stream.id)
    await client.pass()
    expect(bidi.resetCode).toBe(WtErrorCode.WT_SESSION_GONE)
    expect(bidi.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
    expect(uni.stopCode).toBe(WtErrorCode.WT_SESSION_GONE)
    expect(client.error).toBeUndefined()
    await client.world.expectNoSessions()
  })

  it('of a request that is no session: the stream is refused', async () => {
    const client = await new Client().open([...H3_DATAGRAM, ...CURRENT])
    const request = client.peer.get()
    const stream = client.bidi(request.stream.id)
    await client.pass(2_000)
    expect([WtErrorCode.WT_SESSION_GONE, WtErrorCode.WT_BUFFERED_STREAM_REJECTED]).toContain(stream.resetCode)
    await client.world.expectNothingLeft()
  })
})

describe('section 4.3: bidirectional streams', () => {
  it('signal and session ID at any split', async () => {
    const client = new Client({ handler: demoWebTransport })
    await client.open([...H3_DATAGRAM, ...CURRENT])
    const session = client.connect('webtransport-h3', [], '/wt')
    await client.pass()
    const stream = client.peer.open()
    const bytes = Buffer.concat([varint(0x41), Buffer.from([0x40, session.stream.id]), Buffer.from('split')])
    for (const byte of bytes) {
      stream.stream.write(Uint8Array.of(byte))
      await client.pass(30)
    }
    stream.end()
    await client.pass()
    expect(stream.received).toBe(5)
    const uni = client.peer.connection.openStream('uni')!
    for (const byte of [0x40, 0x54, 0x80, 0, 0, session.stream.id, 0x61]) {
      uni.write(Uint8Array.of(byte))
      await client.pass(30)
    }
    uni.end()
    await client.pass()
    // Type, session ID, and one byte.
    expect(client.accepted.map(({ received }) => received)).toContain(4)
  })

  it('WT_STREAM behind the first bytes of a stream: H3_FRAME_ERROR', async () => {
    const client = new Client()
    await client.session()
    const stream = client.peer.begin('POST')
    stream.stream.write(Buffer.concat([varint(0x41), varint(0)]))
    await client.pass()
    expect(client.error).toBe(0x106)
  })

  it('without WebTransport it is a frame of an unknown type', async () => {
    const client = new Client()
    await client.session()
    expect(client.error).toBeUndefined()
  })
})

describe('section 4.6: buffering', () => {
  it('16 streams wait for their session, further ones get WT_BUFFERED_STREAM_REJECTED; datagrams wait, too', async () => {
    const client = await new Client().open([...H3_DATAGRAM, ...CURRENT])
    const request = client.peer.open()
    const { id } = request.stream
    const streams = Array.from({ length: 20 }, () => client.bidi(id))
    client.peer.connection.sendDatagram(Buffer.concat([varint(id / 4), Buffer.from('early')]))
    await client.pass()
    const rejected = streams.filter(({ resetCode }) => resetCode === WtErrorCode.WT_BUFFERED_STREAM_REJECTED)
    expect(rejected).toHaveLength(4)
    const target = [':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', '/']
    request.stream.write(headers([':method', 'CONNECT', ':protocol', 'webtransport-h3', ...target]))
    await client.pass()
    const session = client.sessions[0]!
    const incoming = session.incomingBidirectionalStreams.getReader()
    for (let index = 0; index < 16; index++) {
      const { value } = await client.world.within(incoming.read())
      expect((await client.world.within(value!.readable.getReader().read())).value).toHaveLength(5)
    }
    const { value } = await client.world.within(session.datagrams.readable.getReader().read())
    expect(Buffer.from(value!).toString()).toBe('early')
  })
})

describe('section 4.4: resets', () => {
  it('codes that are none of an application are told without a code', async () => {
    const client = new Client()
    const stream = await client.session()
    const reader = client.sessions[0]!.incomingBidirectionalStreams.getReader()
    for (const [wire, code] of [
      [toHttpCode(0), 0],
      [toHttpCode(0xffff_ffff), 0xffff_ffff],
      [0x52e4a40fa8db - 1, null],
      [0x52e4a40fa8f9, null],
      [0x10c, null],
    ] as const) {
      const data = client.bidi(stream.stream.id)
      const { value } = await client.world.within(reader.read())
      const reading = value!.readable.getReader()
      await client.world.within(reading.read())
      const next = reading.read()
      next.catch(() => {})
      data.reset(wire)
      await expect(client.world.within(next)).rejects.toMatchObject({
        streamErrorCode: code,
        source: 'stream',
      })
    }
  })
})
