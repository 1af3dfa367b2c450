// Unreliable datagrams (RFC 9221).
import { expect, test } from 'vitest'
import { Pair } from './pair.ts'

const both = { client: { maxDatagramFrameSize: 65_535 }, server: { maxDatagramFrameSize: 65_535 } }

function received(pair: Pair): string[] {
  const payloads: string[] = []
  pair.server.application.onDatagram = (payload) => payloads.push(Buffer.from(payload).toString())
  return payloads
}

test('a datagram arrives and its sender learns that (RFC 9221 section 5)', () => {
  const pair = new Pair(both).handshake()
  const payloads = received(pair)
  const fates: string[] = []
  pair.client.connection.sendDatagram(Buffer.from('ping'), { handleDatagramFate: (fate) => fates.push(fate) })
  pair.run(1_000)
  expect(payloads).toEqual(['ping'])
  expect(fates).toEqual(['sent', 'acknowledged'])
})

test('a lost datagram is reported and not sent again (RFC 9221 section 5.2)', () => {
  const pair = new Pair(both).handshake()
  const payloads = received(pair)
  const fates: string[] = []
  const first = pair.sent.toServer
  pair.drop = (index, toServer) => toServer && index === first
  pair.client.connection.sendDatagram(Buffer.from('gone'), { handleDatagramFate: (fate) => fates.push(fate) })
  pair.run(3_000)
  expect(payloads).toEqual([])
  expect(fates).toEqual(['sent', 'lost'])
})

test('without max_datagram_frame_size of the peer nothing may be sent (RFC 9221 section 3)', () => {
  const pair = new Pair({ client: { maxDatagramFrameSize: 65_535 } }).handshake()
  expect(pair.client.connection.maxDatagramPayload).toBe(0)
  expect(() => pair.client.connection.sendDatagram(new Uint8Array(1))).toThrow(RangeError)
})

test('a datagram that was not announced closes the connection with PROTOCOL_VIOLATION (RFC 9221 section 3)', () => {
  const pair = new Pair({ client: { maxDatagramFrameSize: 65_535 } }).handshake()
  pair.client.connection.datagrams.peerLimit = 65_535
  pair.client.connection.sendDatagram(Buffer.from('uninvited'))
  pair.run(1_000)
  expect(pair.server.application.closing).toMatchObject({ code: 0x0a, isLocal: true, frameType: 0x31 })
})

test('the queue is capped in count and the oldest datagrams go first (RFC 9221 section 5)', () => {
  const pair = new Pair(both).handshake()
  const dropped: number[] = []
  for (let i = 0; i < 200; i++) {
    pair.client.connection.sendDatagram(new Uint8Array(0), {
      handleDatagramFate: (fate) => {
        if (fate === 'dropped') dropped.push(i)
      },
    })
  }
  expect(pair.client.connection.datagrams.queued).toBe(128)
  expect(dropped).toEqual(Array.from({ length: 72 }, (_, i) => i))
})

test('datagrams are flow-controlled by the congestion window, not sent at once (RFC 9221 section 5.4)', () => {
  const pair = new Pair(both).handshake()
  const before = pair.bytesSent.toServer
  for (let i = 0; i < 100; i++) pair.client.connection.sendDatagram(new Uint8Array(1_100))
  pair.flush(pair.client)
  expect(pair.bytesSent.toServer - before).toBeLessThanOrEqual(
    pair.client.connection.recovery.congestion.window,
  )
})

test('a watcher that throws harms nothing: its fault is counted', () => {
  const pair = new Pair(both).handshake()
  const payloads = received(pair)
  const handleDatagramFate = () => {
    throw new Error('watcher')
  }
  pair.client.connection.sendDatagram(Buffer.from('x'), { handleDatagramFate })
  pair.run(1_000)
  expect(payloads).toEqual(['x'])
  expect(pair.client.connection.datagrams.watcherFaults).toBe(2)
  expect(pair.client.connection.isEnding).toBe(false)
})
