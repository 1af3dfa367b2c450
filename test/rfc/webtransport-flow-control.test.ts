// draft-ietf-webtrans-http3, requirement by requirement, as a client that speaks it byte by byte sees our server:
// flow control of sessions (section 5).
import { describe, expect, it } from 'vitest'
import { encodeCapsule, WtErrorCode } from '../../src/http3/index.ts'
import { varint } from '../unit/http3/session.ts'
import {
  Client,
  capsule,
  H3_DATAGRAM,
  MESSAGE_ERROR,
  REQUEST_REJECTED,
  statusOf,
  WITHOUT_CREDIT,
} from './webtransport-client.ts'

describe('section 5: flow control', () => {
  it('without it a second session is reset with H3_REQUEST_REJECTED', async () => {
    const client = new Client()
    const first = await client.session([...H3_DATAGRAM, ...WITHOUT_CREDIT])
    const second = client.connect()
    await client.pass()
    expect(statusOf(first)).toBe(200)
    expect(second.resetCode).toBe(REQUEST_REJECTED)
    first.reset()
    await client.world.expectNoSessions()
  })

  it('without it its capsules are ignored', async () => {
    const client = new Client()
    const stream = await client.session([...H3_DATAGRAM, ...WITHOUT_CREDIT])
    stream.stream.write(Buffer.concat([capsule(0x190b4d3d, varint(0)), capsule(0x190b4d3f, varint(0))]))
    await client.pass()
    expect(client.ends).toEqual([])
    expect(stream.resetCode).toBeUndefined()
  })

  it('our streams and data keep within the limits of the client, and go on with WT_MAX_STREAMS and WT_MAX_DATA', async () => {
    const client = new Client()
    const stream = await client.session()
    const session = client.sessions[0]!
    for (let index = 0; index < 10; index++) await client.world.within(session.createUnidirectionalStream())
    await expect(session.createUnidirectionalStream()).rejects.toMatchObject({ name: 'QuotaExceededError' })
    const later = session.createUnidirectionalStream({ waitUntilAvailable: true })
    await client.pass()
    // WT_STREAMS_BLOCKED of unidirectional streams, at 10.
    expect(Buffer.concat(stream.chunks).includes(encodeCapsule(0x190b4d44, varint(10)))).toBe(true)
    stream.stream.write(capsule(0x190b4d40, varint(11)))
    const writer = (await client.world.within(later)).getWriter()
    const writing = writer.write(new Uint8Array(1_500))
    await client.pass()
    const received = () => Math.max(...client.accepted.slice(1).map((one) => one.received))
    // The stream header does not count.
    expect(received()).toBe(1_003)
    expect(Buffer.concat(stream.chunks).includes(encodeCapsule(0x190b4d41, varint(1_000)))).toBe(true)
    stream.stream.write(capsule(0x190b4d3d, varint(5_000)))
    await client.world.within(writing)
    await client.pass()
    expect(received()).toBe(1_503)
  })

  it.each([
    ['WT_MAX_DATA that does not increase', 0x190b4d3d, 1_000],
    ['WT_MAX_STREAMS that does not increase', 0x190b4d40, 9],
    ['WT_MAX_STREAMS beyond 2^60', 0x190b4d3f, 2 ** 53 - 1, true],
    ['WT_STREAMS_BLOCKED beyond 2^60', 0x190b4d43, 2 ** 53 - 1, true],
  ])('%s: WT_FLOW_CONTROL_ERROR', async (_what, type, value, isHuge = false) => {
    const client = new Client()
    const stream = await client.session()
    const bytes = isHuge ? Buffer.from('e000000000000000', 'hex') : varint(value as number)
    stream.stream.write(capsule(type as number, bytes))
    await client.pass()
    expect(stream.resetCode).toBe(WtErrorCode.WT_FLOW_CONTROL_ERROR)
    expect(stream.stopCode).toBe(WtErrorCode.WT_FLOW_CONTROL_ERROR)
    await client.world.expectNoSessions()
  })

  it.each([0x190b4d3e, 0x190b4d42])(
    'capsule 0x%s of the protocol for HTTP/2 is a session error',
    async (type) => {
      const client = new Client()
      const stream = await client.session()
      stream.stream.write(capsule(type, varint(5)))
      await client.pass()
      expect(stream.resetCode).toBe(MESSAGE_ERROR)
      await client.world.expectNoSessions()
    },
  )

  it('more streams than allowed: WT_FLOW_CONTROL_ERROR', async () => {
    const client = new Client({}, {})
    const stream = await client.session()
    // QUIC allows 100 streams at a time; closed ones count on for the session until it says otherwise.
    const core = [...client.world.serverSessions.all][0]!
    Object.assign(core.credit.peerUni, { advertised: 3 })
    for (let index = 0; index < 4; index++) client.uni(stream.stream.id)
    await client.pass()
    expect(stream.resetCode).toBe(WtErrorCode.WT_FLOW_CONTROL_ERROR)
    await client.world.expectNoSessions()
  })

  it('more data than allowed, read or not: WT_FLOW_CONTROL_ERROR', async () => {
    const client = new Client()
    const stream = await client.session()
    const core = [...client.world.serverSessions.all][0]!
    Object.assign(core.credit.peerData, { advertised: 10 })
    client.uni(stream.stream.id, 'seven..')
    await client.pass()
    expect(client.ends).toEqual([])
    client.uni(stream.stream.id, 'four')
    await client.pass()
    expect(stream.resetCode).toBe(WtErrorCode.WT_FLOW_CONTROL_ERROR)
    await client.world.expectNoSessions()
  })
})
