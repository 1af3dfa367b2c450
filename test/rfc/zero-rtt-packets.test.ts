// RFC 9000 table 3, column 0-RTT, cell by cell; h3spec T34; 0-RTT packets in the wrong place or at the wrong time.
import { describe, expect, test } from 'vitest'
import { MAX_UNDECRYPTABLE_PACKETS } from '../../src/transport/connection/index.ts'
import { type PacketKeys, protectPacket } from '../../src/transport/crypto/index.ts'
import {
  encodeLongHeader,
  PacketType,
  patchLength,
  TransportErrorCode,
} from '../../src/transport/wire/index.ts'
import { expectClean, Returning } from '../unit/transport/connection/early-pair.ts'
import { CLIENT_ADDRESS, type Pair, SERVER_ADDRESS } from '../unit/transport/connection/pair.ts'
import { EndpointEnd } from './endpoint-end.ts'
import * as frame from './frame-bytes.ts'

const { PROTOCOL_VIOLATION } = TransportErrorCode

interface Start {
  readonly pair: Pair
  readonly keys: PacketKeys
}

/** A client whose first flight is on its way, with the keys of its 0-RTT packets. */
function start(): Start {
  const server = new Returning()
  const pair = server.pair({ session: server.first() })
  const keys = pair.client.connection.handshake.early.writeKeys!
  pair.flush(pair.client)
  return { pair, keys }
}

/** A 0-RTT packet of the client with these frames. */
function zeroRtt({ pair, keys }: Start, payload: Uint8Array, number = 100): Uint8Array {
  const { peerIds, localIds } = pair.client.connection
  const buffer = new Uint8Array(1_400)
  const { current } = peerIds
  const dcid = current
  const offset = encodeLongHeader(
    buffer,
    0,
    PacketType.zeroRtt,
    1,
    dcid,
    localIds.first,
    undefined,
    number,
    4,
  )
  buffer.set(payload, offset)
  const end = Math.max(offset + payload.length, offset + 4)
  patchLength(buffer, offset - 6, end - offset + 4 + 16)
  return buffer.slice(0, protectPacket(keys, buffer, 0, offset - 4, 4, end, number))
}

/** Gives the server a packet as soon as it has the client's first flight. */
function deliver(start: Start, packet: Uint8Array): void {
  const { pair } = start
  pair.run(10)
  pair.server.connection.handleDatagram(packet, 0, packet.length, CLIENT_ADDRESS, pair.now)
}

describe('RFC 9000 table 3: frames in 0-RTT packets', () => {
  const permitted: [string, Uint8Array][] = [
    ['PADDING', frame.padding(8)],
    ['PING', frame.ping()],
    ['RESET_STREAM', frame.resetStream(0, 1, 0)],
    ['STOP_SENDING', frame.stopSending(0, 1)],
    ['STREAM', frame.bytesOf(0x0a, 0, 1, 'x')],
    ['MAX_DATA', frame.maxData(2_000_000)],
    ['MAX_STREAM_DATA', frame.maxStreamData(0, 200_000)],
    ['MAX_STREAMS bidirectional', frame.maxStreamsBidi(20)],
    ['MAX_STREAMS unidirectional', frame.maxStreamsUni(20)],
    ['DATA_BLOCKED', frame.dataBlocked(1)],
    ['STREAM_DATA_BLOCKED', frame.streamDataBlocked(0, 1)],
    ['STREAMS_BLOCKED bidirectional', frame.streamsBlockedBidi(1)],
    ['STREAMS_BLOCKED unidirectional', frame.streamsBlockedUni(1)],
    ['NEW_CONNECTION_ID', frame.newConnectionId(1, 0)],
    ['PATH_CHALLENGE', frame.pathChallenge()],
  ]
  test.each(permitted)('%s is taken', (_name, bytes) => {
    const begun = start()
    deliver(begun, zeroRtt(begun, bytes))
    expect(begun.pair.server.connection.isEnding).toBe(false)
    expect(begun.pair.server.connection.spaces[2].acks.largest).toBe(100)
    expect(begun.pair.server.supervisor.missed).toEqual([])
  })

  test.each([
    ['CONNECTION_CLOSE', frame.connectionClose(0)],
    ['CONNECTION_CLOSE of the application', frame.applicationClose(0)],
  ])('%s ends the connection', (_name, bytes) => {
    const begun = start()
    deliver(begun, zeroRtt(begun, bytes))
    expect(begun.pair.server.application.closing).toMatchObject({ isLocal: false, code: 0 })
  })

  test.each([
    ['ACK', frame.ack(0)],
    ['ACK with ECN', frame.bytesOf(0x03, 0, 0, 0, 0, 0, 0, 0)],
    ['CRYPTO', frame.crypto(100, Buffer.from('x'))],
    ['NEW_TOKEN', frame.newToken('token')],
    ['RETIRE_CONNECTION_ID', frame.retireConnectionId(1)],
    ['PATH_RESPONSE', frame.pathResponse()],
    ['HANDSHAKE_DONE', frame.handshakeDone()],
  ])('%s is PROTOCOL_VIOLATION', (_name, bytes) => {
    const begun = start()
    deliver(begun, zeroRtt(begun, bytes))
    const { closing } = begun.pair.server.application
    expect(closing).toMatchObject({ isLocal: true, code: PROTOCOL_VIOLATION, frameType: bytes[0] })
  })
})

test('T34 CRYPTO in a 0-RTT packet (08 00 00 02 00 00) is PROTOCOL_VIOLATION, RFC 9001 section 8.3', () => {
  const begun = start()
  const bytes = frame.crypto(0, Uint8Array.of(8, 0, 0, 2, 0, 0))
  deliver(begun, zeroRtt(begun, bytes))
  expect(begun.pair.server.application.closing).toMatchObject({ isLocal: true, code: PROTOCOL_VIOLATION })
})

test('T34 against a whole endpoint: PROTOCOL_VIOLATION as well, and nothing of the connection is left', () => {
  const server = new Returning()
  const pair = server.pair({ session: server.first() })
  const keys = pair.client.connection.handshake.early.writeKeys!
  const end = new EndpointEnd({ resumption: server.tickets }, true)
  pair.drop = (_index, toServer, bytes) => {
    if (toServer) end.deliver(bytes)
    return true
  }
  pair.flush(pair.client)
  end.take()
  expect(end.application.closing).toBeUndefined()
  end.deliver(zeroRtt({ pair, keys }, frame.crypto(0, Uint8Array.of(8, 0, 0, 2, 0, 0))))
  end.take()
  expect(end.application.closing).toMatchObject({
    isLocal: true,
    code: PROTOCOL_VIOLATION,
    frameType: 0x06,
  })
  while (end.clock.step());
  expect(end.leftovers).toEqual([])
})

test('0-RTT packets that come between the parts of a ClientHello wait for their keys, a few of them', () => {
  const begun = start()
  const { pair } = begun
  const { connection } = pair.server
  for (let number = 100; number < 200; number++) {
    const packet = zeroRtt(begun, frame.streamsBlockedBidi(1), number)
    connection.handleDatagram(packet, 0, packet.length, CLIENT_ADDRESS, 0)
  }
  expect(connection.receiver.undecryptableCount).toBe(MAX_UNDECRYPTABLE_PACKETS)
  pair.run(10)
  expect(connection.receiver.undecryptableCount).toBe(0)
  expect(connection.spaces[2].acks.largest).toBe(100 + MAX_UNDECRYPTABLE_PACKETS - 1)
})

test('0-RTT packets of a rejected attempt are dropped without being kept, RFC 9001 section 4.6.2', () => {
  const server = new Returning()
  const session = server.first()
  const pair = server.pair({ session, server: { initialMaxData: 1 } })
  const keys = pair.client.connection.handshake.early.writeKeys!
  pair.flush(pair.client)
  pair.run(10)
  const packet = zeroRtt({ pair, keys }, frame.ping())
  pair.server.connection.handleDatagram(packet, 0, packet.length, CLIENT_ADDRESS, pair.now)
  expect(pair.server.connection.receiver.undecryptableCount).toBe(0)
  pair.handshake()
  expectClean(pair)
})

test('a server does not send 0-RTT packets: a client drops them, RFC 9000 section 17.2.3', () => {
  const begun = start()
  const { pair } = begun
  const packet = zeroRtt(begun, frame.handshakeDone())
  pair.client.connection.handleDatagram(packet, 0, packet.length, SERVER_ADDRESS, 0)
  expect(pair.client.connection.receiver.undecryptableCount).toBe(0)
  pair.handshake()
  expectClean(pair)
})

test('behind the handshake a late 0-RTT packet is still opened, and no more after three PTOs (section 4.9.3)', () => {
  const begun = start()
  const { pair } = begun
  const late = zeroRtt(begun, frame.maxData(3_000_000))
  const tooLate = zeroRtt(begun, frame.maxData(4_000_000), 101)
  pair.run(5_000, () => pair.server.application.isComplete)
  pair.server.connection.handleDatagram(late, 0, late.length, CLIENT_ADDRESS, pair.now)
  expect(pair.server.connection.host.sendCredit.max).toBe(3_000_000)
  pair.run(3_000)
  pair.server.connection.handleDatagram(tooLate, 0, tooLate.length, CLIENT_ADDRESS, pair.now)
  expect(pair.server.connection.host.sendCredit.max).toBe(3_000_000)
})
