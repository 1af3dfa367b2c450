// 0-RTT from the ticket to the last acknowledged byte: RFC 9001 section 4.6, RFC 9000 section 7.4.1.
import { describe, expect, it } from 'vitest'
import type { ResumableSession, TransportSettings } from '../../../../src/transport/connection/index.ts'
import { type EarlyOptions, echo, expectClean, expectEmpty, Returning, send } from './early-pair.ts'
import { type Pair, TestEntropy } from './pair.ts'

const text = Buffer.from('early data')

/** A connection with early data in its first flight. */
function early(server: Returning, session: ResumableSession, options: EarlyOptions = {}): [Pair, number] {
  const pair = server.pair({ session, ...options })
  echo(pair)
  return [pair, send(pair, text)]
}

function finish(pair: Pair, id: number): void {
  pair.run(
    20_000,
    () => pair.client.application.closedStreams.has(id) && pair.server.supervisor.live.size === 0,
  )
  expect(pair.client.application.bytes(id).toString()).toBe('early data')
  expectClean(pair)
  expectEmpty(pair)
}

it('a ticket of the first connection resumes the second, without early data unless wanted', () => {
  const server = new Returning()
  const session = server.first()
  expect(session.limits.initialMaxData).toBe(1_048_576)
  const pair = server.pair({ session, earlyData: false }).handshake()
  expectClean(pair)
  expect(pair.client.connection.tls.isResumed && pair.server.connection.tls.isResumed).toBe(true)
  expect(pair.client.connection.handshake.early.isAccepted).toBeUndefined()
})

it('early data arrives with the first flight, and is answered before the client has finished', () => {
  const server = new Returning()
  const [pair, id] = early(server, server.first())
  let wasEarly: boolean | undefined
  pair.server.application.onStream = () => {
    wasEarly = pair.server.connection.isEarly
  }
  // One way takes 10 ms: after 20 ms the client has read the answer.
  pair.run(20, () => pair.client.application.finished.has(id))
  expect(pair.client.application.bytes(id).toString()).toBe('early data')
  expect(pair.now).toBe(20)
  expect(wasEarly).toBe(true)
  finish(pair, id)
  expect(pair.client.connection.handshake.early.isAccepted).toBe(true)
  expect(pair.server.connection.isEarly).toBe(false)
  // RFC 9001 section 4.9.3
  pair.run(2_000)
  expect(pair.server.connection.handshake.early.readKeys).toBeUndefined()
  expect(pair.client.connection.handshake.early.writeKeys).toBeUndefined()
})

it('early data beyond the first datagram follows in packets of its own', () => {
  const server = new Returning()
  const pair = server.pair({ session: server.first() })
  echo(pair)
  const bytes = Buffer.alloc(8_000)
  new TestEntropy(5).fill(bytes)
  const id = send(pair, bytes)
  pair.run(1_000, () => pair.client.application.finished.has(id))
  expect(pair.client.application.bytes(id).equals(bytes)).toBe(true)
  expectClean(pair)
})

it('remembered limits bound early data (section 7.4.1)', () => {
  const server = new Returning()
  const small = { initialMaxStreamDataBidiRemote: 4, initialMaxStreamsBidi: 2 }
  const session = server.first({ server: small })
  const [pair, id] = early(server, session, {})
  const received: number[] = []
  pair.server.application.onReadable = (stream) => received.push(stream.readableBytes)
  expect(pair.client.connection.openStream('bidi')).toBeDefined()
  expect(pair.client.connection.openStream('bidi')).toBeUndefined()
  pair.run(11)
  // What the handshake allows beyond them is used only after it.
  expect(received).toEqual([4])
  echo(pair)
  pair.run(5_000, () => pair.client.application.finished.has(id))
  expect(pair.client.application.bytes(id).toString()).toBe('early data')
})

describe('rejected early data: the connection goes on, and everything is sent again in 1-RTT', () => {
  const shrunk = (server: Partial<TransportSettings>): EarlyOptions => ({ server })

  it.each<[string, EarlyOptions]>([
    ['initial_max_data has shrunk (section 7.4.1)', shrunk({ initialMaxData: 500_000 })],
    ['initial_max_stream_data_bidi_local has shrunk', shrunk({ initialMaxStreamDataBidiLocal: 1_000 })],
    ['initial_max_stream_data_bidi_remote has shrunk', shrunk({ initialMaxStreamDataBidiRemote: 3 })],
    ['initial_max_stream_data_uni has shrunk', shrunk({ initialMaxStreamDataUni: 10 })],
    ['initial_max_streams_bidi has shrunk', shrunk({ initialMaxStreamsBidi: 99 })],
    ['initial_max_streams_uni has shrunk', shrunk({ initialMaxStreamsUni: 99 })],
    ['active_connection_id_limit has shrunk', shrunk({ activeConnectionIdLimit: 3 })],
    ['max_datagram_frame_size has shrunk (RFC 9221 section 3)', shrunk({ maxDatagramFrameSize: 999 })],
    ['reset_stream_at is gone (its draft, section 3)', shrunk({ resetStreamAt: false })],
    ['a HelloRetryRequest was needed (RFC 8446 section 4.2.10)', { groups: [0x0017] }],
  ])('%s', (_what, options) => {
    const server = new Returning()
    const session = server.first({ server: { maxDatagramFrameSize: 1_000 } })
    const [pair, id] = early(server, session, {
      server: { maxDatagramFrameSize: 1_000, ...options.server },
      ...(options.groups === undefined ? {} : { groups: options.groups }),
    })
    pair.run(11)
    expect(pair.server.application.accepted).toEqual([])
    finish(pair, id)
    expect(pair.client.connection.tls.isResumed).toBe(true)
    expect(pair.client.connection.handshake.early.isAccepted).toBe(false)
  })

  it('limits that have grown are no reason', () => {
    const server = new Returning()
    const [pair, id] = early(server, server.first(), { server: { initialMaxData: 2_000_000 } })
    finish(pair, id)
    expect(pair.client.connection.handshake.early.isAccepted).toBe(true)
  })

  it('the ticket was used before: a replayed first flight has no effect', () => {
    const server = new Returning()
    const session = server.first()
    const [one, first] = early(server, session)
    finish(one, first)
    const [two, second] = early(server, session)
    two.run(11)
    expect(two.server.application.accepted).toEqual([])
    finish(two, second)
    expect(two.client.connection.handshake.early.isAccepted).toBe(false)
  })

  it('the server cannot open the ticket at all: full handshake', () => {
    const session = new Returning().first()
    const [pair, id] = early(new Returning({}, 50), session)
    finish(pair, id)
    expect(pair.client.connection.tls.isResumed).toBe(false)
    expect(pair.client.connection.handshake.early.isAccepted).toBe(false)
  })

  it('streams beyond the new limit wait until the server allows them', () => {
    const server = new Returning()
    const session = server.first()
    const pair = server.pair({ session, server: { initialMaxStreamsBidi: 2, initialMaxData: 1_000 } })
    echo(pair)
    const ids = Array.from({ length: 9 }, () => send(pair, Buffer.alloc(700, 7)))
    pair.run(20_000, () => pair.client.application.closedStreams.size === ids.length)
    for (const id of ids) expect(pair.client.application.bytes(id).equals(Buffer.alloc(700, 7))).toBe(true)
    pair.run(1_000)
    expectClean(pair)
    expectEmpty(pair)
  })

  it('a stream that was reset meanwhile, and one that was stopped, come to their end', () => {
    const server = new Returning()
    const pair = server.pair({ session: server.first(), server: { initialMaxData: 5 } })
    const { connection, application } = pair.client
    for (const action of ['reset', 'stop'] as const) {
      const stream = connection.openStream('bidi')!
      stream.application = application
      stream.write(text)
      pair.flush(pair.client)
      stream.reset(7)
      if (action === 'stop') stream.stopSending(8)
    }
    pair.server.application.onReadable = (stream) => stream.end()
    pair.run(1_000)
    for (const stream of pair.server.application.accepted) {
      stream.reset(9)
      expect(pair.server.application.resets.get(stream.id)).toBe(7)
    }
    pair.run(1_000)
    expectClean(pair)
    expectEmpty(pair)
  })

  it('datagrams are reported as lost (RFC 9221 section 5.2)', () => {
    const server = new Returning()
    const maxDatagramFrameSize = 1_000
    const session = server.first({ server: { maxDatagramFrameSize } })
    const pair = server.pair({ session, server: { maxDatagramFrameSize, initialMaxData: 5 } })
    const fates: string[] = []
    pair.client.connection.sendDatagram(text, { handleDatagramFate: (fate) => fates.push(fate) })
    pair.run(1_000)
    expect(fates).toEqual(['sent', 'lost'])
    expectClean(pair)
  })

  it('streams of another protocol cannot be repeated: no_application_protocol (RFC 9001 section 4.6.2)', () => {
    const server = new Returning()
    const session = server.first({ alpn: ['old'] })
    const pair = server.pair({ session, alpn: ['new'], clientAlpn: ['old', 'new'] })
    send(pair, text)
    pair.run(100)
    expect(pair.client.application.closing).toMatchObject({ code: 0x178, isLocal: true })
  })
})

it('a server that accepts early data and shrinks a limit is PROTOCOL_VIOLATION (section 7.4.1)', () => {
  const server = new Returning()
  const session = server.first()
  const limits = { ...session.limits, initialMaxData: 2_000_000 }
  const [pair] = early(server, { ...session, limits })
  pair.run(100)
  expect(pair.client.application.closing).toMatchObject({ code: 0x0a, isLocal: true })
})

it('a client that leaves with early data under way leaves nothing behind', () => {
  const server = new Returning()
  const [pair] = early(server, server.first())
  pair.flush(pair.client)
  pair.client.connection.close(0, '', { application: false })
  pair.run(5_000)
  expectEmpty(pair)
  expect(pair.client.application.isClosed && pair.server.application.isClosed).toBe(true)
})

it.each([
  ['accepted', {}],
  ['rejected', { initialMaxStreamDataUni: 1 }],
] as const)('%s early data over a lossy path: every byte right, nothing left', (what, settings) => {
  for (let seed = 1; seed <= 40; seed++) {
    const server = new Returning({}, seed * 100)
    const session = server.first()
    const pair = server.pair({ session, server: settings, seed })
    const random = new TestEntropy(seed * 7919 + 1)
    const chance = (): number => (random.next() >>> 8) / 2 ** 24
    const loss = (seed % 5) * 0.06
    pair.drop = () => chance() < loss
    echo(pair)
    const expected = new Map<number, Buffer>()
    for (let i = 0; i < 6; i++) {
      const bytes = Buffer.alloc(Math.floor(chance() * 20_000))
      random.fill(bytes)
      expected.set(send(pair, bytes), bytes)
    }
    const isOver = (): boolean => pair.client.application.closedStreams.size === expected.size
    pair.run(120_000, () => isOver() && pair.server.supervisor.live.size === 0)
    for (const [id, bytes] of expected) {
      expect(pair.client.application.bytes(id).equals(bytes), `seed ${seed} stream ${id}`).toBe(true)
    }
    expectClean(pair)
    expectEmpty(pair)
    expect(pair.client.connection.handshake.early.isAccepted, `seed ${seed}`).toBe(what === 'accepted')
  }
})
