// A connection from the first packet to the last, without loss (RFC 9000 sections 7, 8 and 10; RFC 9001 section 4).
import { expect, test } from 'vitest'
import { Pair } from './pair.ts'

test('client and server complete and confirm the handshake (RFC 9001 section 4.1)', () => {
  const pair = new Pair().handshake()
  expect(pair.client.connection.actor.getSnapshot().value).toBe('confirmed')
  expect(pair.server.connection.actor.getSnapshot().value).toBe('confirmed')
  expect(pair.client.connection.tls.alpn).toBe('test')
  expect(pair.client.supervisor.missed).toEqual([])
  expect(pair.server.supervisor.missed).toEqual([])
})

test('Initial and Handshake keys are discarded (RFC 9001 section 4.9)', () => {
  const pair = new Pair().handshake()
  for (const { connection } of [pair.client, pair.server]) {
    expect(connection.spaces.map((space) => space.isDiscarded)).toEqual([true, true, false])
    expect(connection.recovery.bytesInFlight).toBe(0)
  }
})

test('data flows both ways on a bidirectional stream and the stream ends (RFC 9000 section 3)', () => {
  const pair = new Pair().handshake()
  pair.server.application.onReadable = (stream) => {
    pair.server.application.readAll(stream)
    if (stream.isReadComplete) {
      stream.write(Buffer.from('pong'))
      stream.end()
    }
  }
  const stream = pair.client.connection.openStream('bidi')!
  stream.application = pair.client.application
  stream.write(Buffer.from('ping'))
  stream.end()
  pair.run(1_000)
  expect(pair.server.application.bytes(0).toString()).toBe('ping')
  expect(pair.client.application.bytes(0).toString()).toBe('pong')
  expect(pair.client.application.closedStreams.get(0)).toBe('closed')
  expect(pair.server.application.closedStreams.get(0)).toBe('closed')
  for (const { connection, supervisor } of [pair.client, pair.server]) {
    expect(connection.streams.size).toBe(0)
    expect(supervisor.live.size).toBe(0)
    expect(supervisor.missed).toEqual([])
  }
})

test('5 MB arrive intact over windows that are much smaller (RFC 9000 section 4)', () => {
  const pair = new Pair().handshake()
  const bytes = Buffer.alloc(5_000_000, 'quactor data ')
  const stream = pair.client.connection.openStream('uni')!
  stream.application = pair.client.application
  stream.write(bytes)
  stream.end()
  pair.run(60_000, () => pair.server.application.finished.has(stream.id))
  expect(pair.server.application.bytes(stream.id).equals(bytes)).toBe(true)
  pair.run(1_000)
  expect(pair.server.supervisor.live.size + pair.client.supervisor.live.size).toBe(0)
})

test('close reaches the peer and both ends forget the connection (RFC 9000 section 10.2)', () => {
  const pair = new Pair().handshake()
  pair.client.connection.close(7, 'enough', { application: true })
  pair.run(5_000)
  expect(pair.server.application.closing).toMatchObject({
    code: 7,
    reason: 'enough',
    isApplication: true,
    isLocal: false,
  })
  expect(pair.client.connection.isClosed && pair.server.connection.isClosed).toBe(true)
  expect(pair.client.application.isClosed && pair.server.application.isClosed).toBe(true)
})

test('silence ends the connection without a packet (RFC 9000 section 10.1)', () => {
  const pair = new Pair({ client: { maxIdleTimeout: 5_000 } }).handshake()
  const before = pair.sent.toServer + pair.sent.toClient
  pair.run(20_000)
  expect(pair.client.application.closing?.cause).toBe('idle')
  expect(pair.server.application.closing?.cause).toBe('idle')
  expect(pair.sent.toServer + pair.sent.toClient).toBe(before)
})

test('a server that hears nothing more of a handshake forgets it', () => {
  const pair = new Pair()
  pair.drop = (index, toServer) => (toServer ? index > 0 : true)
  pair.run(60_000)
  expect(pair.server.application.closing?.cause).toBe('handshakeTimeout')
  expect(pair.server.connection.isClosed).toBe(true)
})

test('the 3x limit holds until the address is validated (RFC 9000 section 8.1)', () => {
  const pair = new Pair()
  pair.drop = (index, toServer) => (toServer ? index > 0 : true)
  pair.run(9_000)
  expect(pair.bytesSent.toClient).toBeLessThanOrEqual(3 * 1_200)
  expect(pair.bytesSent.toClient).toBeGreaterThan(0)
})
