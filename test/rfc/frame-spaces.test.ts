// RFC 9000 table 3, all cells: which frame may travel in which packet, for a server that receives and a client.
import { describe, expect, test } from 'vitest'
import { TransportErrorCode } from '../../src/transport/wire/index.ts'
import * as frame from './frame-bytes.ts'
import { Level, ScriptedPeer } from './scripted-peer.ts'

type Column = 'I' | 'H' | '1'
type Role = 'client' | 'server'

interface Row {
  readonly name: string
  readonly type: number
  /** The column "Pkts" of the table; 0-RTT is left to the tests of 0-RTT. */
  readonly packets: string
  readonly bytes: Uint8Array
  /** Only this side may send it at all. */
  readonly onlyFrom?: Role
}

const OPENED = { client: 0, server: 1 } as const

/** Rows in the order of the table; `id` is a bidirectional stream that the sender may open. */
function rows(sender: Role): Row[] {
  const id = OPENED[sender]
  const row = (name: string, packets: string, bytes: Uint8Array, onlyFrom?: Role): Row => {
    return { name, packets, bytes, type: bytes[0], ...(onlyFrom === undefined ? {} : { onlyFrom }) }
  }
  const streamTypes = Array.from({ length: 8 }, (_, bits) => {
    const offset = (bits & 4) === 0 ? [] : [0]
    const length = (bits & 2) === 0 ? [] : [1]
    return row(`STREAM ${bits}`, '1', frame.bytesOf(0x08 | bits, id, ...offset, ...length, 'x'))
  })
  return [
    row('PADDING', 'IH1', frame.padding(4)),
    row('PING', 'IH1', frame.ping()),
    row('ACK', 'IH1', frame.ack(0)),
    row('ACK with ECN', 'IH1', frame.bytesOf(0x03, 0, 0, 0, 0, 0, 0, 0)),
    row('RESET_STREAM', '1', frame.resetStream(id, 1, 0)),
    row('STOP_SENDING', '1', frame.stopSending(id, 1)),
    row('CRYPTO', 'IH1', frame.crypto(100, Buffer.from('x'))),
    row('NEW_TOKEN', '1', frame.newToken('token'), 'server'),
    ...streamTypes,
    row('MAX_DATA', '1', frame.maxData(2_000_000)),
    row('MAX_STREAM_DATA', '1', frame.maxStreamData(id, 200_000)),
    row('MAX_STREAMS bidirectional', '1', frame.maxStreamsBidi(20)),
    row('MAX_STREAMS unidirectional', '1', frame.maxStreamsUni(20)),
    row('DATA_BLOCKED', '1', frame.dataBlocked(1)),
    row('STREAM_DATA_BLOCKED', '1', frame.streamDataBlocked(id, 1)),
    row('STREAMS_BLOCKED bidirectional', '1', frame.streamsBlockedBidi(1)),
    row('STREAMS_BLOCKED unidirectional', '1', frame.streamsBlockedUni(1)),
    row('NEW_CONNECTION_ID', '1', frame.newConnectionId(1, 0)),
    row('RETIRE_CONNECTION_ID', '1', frame.retireConnectionId(1)),
    row('PATH_CHALLENGE', '1', frame.pathChallenge()),
    row('PATH_RESPONSE', '1', frame.pathResponse()),
    row('CONNECTION_CLOSE', 'IH1', frame.connectionClose(0)),
    row('CONNECTION_CLOSE of the application', '1', frame.applicationClose(0)),
    row('HANDSHAKE_DONE', '1', frame.handshakeDone(), 'server'),
    // draft-ietf-quic-reliable-stream-reset section 4.
    row('RESET_STREAM_AT', '1', frame.resetStreamAt(id, 1, 0, 0)),
  ]
}

/** A peer that has keys for the level and has sent packet 0 of it; the other side has sent it packet 0, too. */
function peerAt(role: Role, column: Column): [peer: ScriptedPeer, level: number] {
  const peer = new ScriptedPeer({ role, seed: 3 })
  if (column === '1') return [peer.handshake(), Level.application]
  peer.start()
  if (column === 'I') {
    // A server has nothing to say before the ClientHello is complete, so it is told a part of it.
    if (role === 'client') peer.send(Level.initial, frame.ping())
    return [peer, Level.initial]
  }
  // Both have Handshake keys after one flight; the peer keeps the rest of the handshake to itself.
  if (role === 'client') peer.flush()
  else {
    for (const { level, bytes } of peer.takeCrypto()) {
      if (level === Level.initial) peer.sendCrypto(level, bytes)
    }
    peer.send(Level.handshake, frame.ping())
  }
  return [peer, Level.handshake]
}

describe.each(['client', 'server'] as const)('frames from a %s (RFC 9000 section 12.4, table 3)', (role) => {
  const cells = rows(role).flatMap((row) => (['I', 'H', '1'] as const).map((column) => ({ row, column })))

  test.each(cells)('$row.name in $column', ({ row, column }) => {
    const [peer, level] = peerAt(role, column)
    expect(peer.connection.isEnding).toBe(false)
    peer.send(level, row.bytes)
    const isAllowed = row.packets.includes(column) && (row.onlyFrom === undefined || row.onlyFrom === role)
    if (!isAllowed) {
      expect(peer.close).toMatchObject({ code: TransportErrorCode.PROTOCOL_VIOLATION, frameType: row.type })
    } else if (row.name.startsWith('CONNECTION_CLOSE')) {
      expect(peer.end.application.closing).toMatchObject({ isLocal: false, code: 0 })
    } else {
      expect(peer.end.application.closing).toBeUndefined()
      expect(peer.connection.stats.internalErrors).toBe(0)
    }
    expect(peer.end.supervisor.missed).toEqual([])
  })
})
