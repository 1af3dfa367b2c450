// Behaviours 54 and 55 of datagrams that other stacks assert, against a whole endpoint (RFC 9221, RFC 9297).
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../src/handlers/exchange.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { DATAGRAM_CHANNEL_LENGTH } from '../../src/supervisor/limits.ts'
import { MAX_QUEUED_DATAGRAMS } from '../../src/transport/connection/limits.ts'
import { TransportErrorCode } from '../../src/transport/wire/index.ts'
import { frame, getFields, hex, varint } from '../unit/http3/session.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'
import { PAIRS } from './endpoint-pair.ts'
import { Http3Peer, ok } from './http3-peer.ts'

const some = { maxDatagramFrameSize: 65_535 }
const none = { maxDatagramFrameSize: 0 }

/** DATAGRAM frame with a length, on the wire. */
function datagramFrame(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x31), varint(payload.length), payload])
}

async function expectViolation(peer: Http3Peer): Promise<void> {
  await peer.settle()
  expect(peer.peer.closing).toMatchObject({
    code: TransportErrorCode.PROTOCOL_VIOLATION,
    isApplication: false,
    isLocal: false,
  })
  await peer.finish()
}

describe('54 what may be sent (RFC 9221 sections 3 and 5, RFC 9297 section 2.1.1)', () => {
  test('54 DATAGRAM without the transport parameter: PROTOCOL_VIOLATION', async () => {
    const peer = await Http3Peer.begin(ok, none, some)
    peer.peer.inject(datagramFrame(hex('0061')))
    await expectViolation(peer)
  })

  test('54 DATAGRAM larger than the transport parameter: PROTOCOL_VIOLATION; as large is fine', async () => {
    const peer = await Http3Peer.begin(ok, { maxDatagramFrameSize: 100 }, some)
    peer.peer.inject(datagramFrame(new Uint8Array(97)))
    await peer.settle()
    expect(peer.peer.closing).toBeUndefined()
    peer.peer.inject(datagramFrame(new Uint8Array(98)))
    await expectViolation(peer)
  })

  test('54 the setting without the transport parameter: H3_SETTINGS_ERROR', async () => {
    const peer = await Http3Peer.begin(ok, some, none)
    peer.uni(Buffer.concat([varint(0), frame(0x04, hex('3301'))]))
    await peer.expectClose(H3ErrorCode.H3_SETTINGS_ERROR)
  })

  test('54 the setting with another value than 0 or 1: H3_SETTINGS_ERROR', async () => {
    const peer = await Http3Peer.begin(ok, some)
    peer.uni(Buffer.concat([varint(0), frame(0x04, hex('3302'))]))
    await peer.expectClose(H3ErrorCode.H3_SETTINGS_ERROR)
  })

  test.each(PAIRS)(
    '54 a lost one is not sent again, but counts in flight while it may arrive: to %s',
    (_side, Ends) => {
      const pair = new Ends({ client: some, server: some }).handshake()
      const { connection } = pair.client
      pair.run(1_000)
      const payloads: number[] = []
      pair.server.application.onDatagram = (payload) => payloads.push(payload.length)
      expect(connection.recovery.bytesInFlight).toBe(0)
      const first = pair.sent.toServer
      pair.drop = (index, toServer) => toServer && index === first
      connection.sendDatagram(new Uint8Array(700))
      pair.flush(pair.client)
      expect(connection.recovery.bytesInFlight).toBeGreaterThan(700)
      pair.run(3_000)
      expect([payloads, connection.recovery.bytesInFlight]).toEqual([[], 0])
    },
  )
})

describe('55 queues (RFC 9221 section 5)', () => {
  test('55 what nobody reads is bounded: the oldest go', async () => {
    let exchange: Exchange | undefined
    const keep = (one: Exchange): Promise<void> => {
      exchange = one
      return new Promise(() => {})
    }
    const world = new SupervisedWorld(keep, {}, some)
    const session = await world.connected()
    const request = session.h3.openRequest(getFields, false)!
    await world.pass(100)
    for (let count = 0; count < 500; count++) {
      session.h3.datagrams.send(request, new Uint8Array(900))
      if (count % 20 === 0) await world.pass(20)
    }
    await world.pass(500)
    const [{ supervisor }] = world.server.entries
    const channel = supervisor.datagramChannel(request.id)!
    expect(channel.queued).toBeLessThanOrEqual(DATAGRAM_CHANNEL_LENGTH)
    expect(channel.bufferedBytes).toBeLessThanOrEqual(DATAGRAM_CHANNEL_LENGTH * 900)
    expect(channel.received).toBe(channel.queued + channel.dropped)
    expect(exchange!.datagrams!.maxPayload).toBeGreaterThan(1_000)
    session.close()
    await world.pass(10_000)
  })

  test('55 what cannot leave is bounded: the oldest are dropped, and their senders told', async () => {
    const world = new SupervisedWorld(ok, {}, some)
    const session = await world.connected()
    const { connection } = session
    const fates: string[] = []
    for (let count = 0; count < 1_000; count++) {
      connection.sendDatagram(new Uint8Array(10), { handleDatagramFate: (fate) => fates.push(fate) })
      expect(connection.datagrams.queued).toBeLessThanOrEqual(MAX_QUEUED_DATAGRAMS)
    }
    expect(fates).toEqual(Array(1_000 - MAX_QUEUED_DATAGRAMS).fill('dropped'))
    session.close()
    await world.pass(10_000)
  })

  test('55 one that is too large is a RangeError at once, however the MTU changes', async () => {
    const world = new SupervisedWorld(ok, {}, { ...some, pathMtuDiscovery: true })
    const session = await world.connected()
    const { connection } = session
    const sizes = new Set<number>()
    let delivered = 0
    for (let count = 0; count < 100; count++) {
      const size = connection.maxDatagramPayload
      sizes.add(size)
      expect(() => connection.sendDatagram(new Uint8Array(size + 1))).toThrow(RangeError)
      connection.sendDatagram(new Uint8Array(size), {
        handleDatagramFate: (fate) => {
          if (fate === 'acknowledged') delivered++
        },
      })
      await world.pass(100)
    }
    expect(delivered).toBe(100)
    expect(sizes.size).toBeGreaterThan(1)
    session.close()
    await world.pass(10_000)
  })
})
