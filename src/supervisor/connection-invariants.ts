// The invariants of one connection: in constant time after each of its turns, and its streams in tests. Called
// through invariants.ts.
import { ReceivePhase } from '../machines/index.ts'
import {
  AMPLIFICATION_FACTOR,
  MAX_ISSUED_CONNECTION_IDS,
  MAX_PATHS,
  MAX_PENDING_PATH_RESPONSES,
  MAX_PENDING_RETIREMENTS,
  MAX_QUEUED_DATAGRAMS,
  type QuicConnection,
} from '../transport/connection/index.ts'
import { MAX_CRYPTO_BUFFER, type QuicStream } from '../transport/streams/index.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import type { Complain } from './invariants.ts'
import { DATAGRAMS_PER_TURN, MAX_BACKLOG } from './limits.ts'

export function connectionRules(entry: ConnectionEntry, complain: Complain): void {
  const { supervisor } = entry
  const { connection } = supervisor
  registries(supervisor, connection, complain)
  streamCredit(supervisor, connection, complain)
  dataCredit(connection, complain)
  queues(entry, connection, complain)
  packets(connection, complain)
}

/** Actors = stream table = opened - closed; nothing outlives its connection. */
function registries(supervisor: ConnectionSupervisor, connection: QuicConnection, complain: Complain): void {
  const { table } = connection.host
  const { streamCount, requestStreams, channelCount, sessions } = supervisor
  const entries = table.streams.size
  if (streamCount !== entries || entries !== table.opened - table.closed) {
    complain(
      'actors = stream table = opened - closed',
      `${streamCount}, ${entries}, ${table.opened} - ${table.closed}`,
    )
  }
  if (channelCount > requestStreams) {
    complain('datagram channels <= live request streams', `${channelCount} > ${requestStreams}`)
  }
  if (sessions.count > requestStreams) {
    complain('WebTransport sessions <= live request streams', `${sessions.count} > ${requestStreams}`)
  }
  if (sessions.streamCount > entries) {
    complain('streams of sessions <= stream table', `${sessions.streamCount} > ${entries}`)
  }
  if (connection.isEnding && entries !== 0)
    complain('a connection that ends has no streams', `${entries} streams`)
  if (connection.isClosed && connection.timers.armed !== 0) {
    complain('a closed connection has no timers', `${connection.timers.armed} timers`)
  }
}

/** Every stream that the peer opened lives, is owed to it by a handler, or has been given back. */
function streamCredit(
  supervisor: ConnectionSupervisor,
  connection: QuicConnection,
  complain: Complain,
): void {
  const { peer } = connection.host.table
  const { peerStreams, owedCredit, handlerCount } = supervisor
  const outstanding = peer[0].opened - peer[0].returned + peer[1].opened - peer[1].returned
  if (peerStreams + owedCredit !== outstanding) {
    complain(
      'peer streams + owed credit = opened - returned',
      `${peerStreams} + ${owedCredit}, ${outstanding}`,
    )
  }
  if (owedCredit > handlerCount) complain('owed credit <= handlers', `${owedCredit} > ${handlerCount}`)
  if (handlerCount > supervisor.requestStreams + owedCredit) {
    complain(
      'handlers <= request streams + owed credit',
      `${handlerCount} > ${supervisor.requestStreams} + ${owedCredit}`,
    )
  }
  for (const credit of peer) {
    if (credit.opened > credit.advertised) {
      complain('streams opened <= MAX_STREAMS', `${credit.opened} > ${credit.advertised}`)
    }
  }
}

/** RFC 9000 section 4: nobody exceeds a limit, and what was not consumed fits into the window. */
function dataCredit({ host }: QuicConnection, complain: Complain): void {
  const { receiveCredit: receive, sendCredit: send } = host
  if (receive.received > receive.advertised) {
    complain('received <= MAX_DATA', `${receive.received} > ${receive.advertised}`)
  }
  if (receive.consumed > receive.received) {
    complain('consumed <= received', `${receive.consumed} > ${receive.received}`)
  }
  if (receive.received - receive.consumed > receive.window) {
    complain('unread bytes <= window', `${receive.received} - ${receive.consumed} > ${receive.window}`)
  }
  if (send.used > send.max) complain("sent <= peer's MAX_DATA", `${send.used} > ${send.max}`)
}

function queues(entry: ConnectionEntry, connection: QuicConnection, complain: Complain): void {
  const { paths, peerIds, localIds, datagrams, spaces } = connection
  for (const { responses } of paths.list) {
    atMost('PATH_RESPONSE frames', responses.length, MAX_PENDING_PATH_RESPONSES, complain)
  }
  atMost('paths', paths.list.length, MAX_PATHS, complain)
  atMost('RETIRE_CONNECTION_ID frames', peerIds.pendingRetirements.length, MAX_PENDING_RETIREMENTS, complain)
  atMost('connection IDs', localIds.active.length, 2 * MAX_ISSUED_CONNECTION_IDS, complain)
  atMost('queued datagrams', datagrams.queued, MAX_QUEUED_DATAGRAMS, complain)
  atMost('datagrams in the backlog', entry.backlogLength, MAX_BACKLOG, complain)
  atMost('datagrams read in a turn', entry.readThisTurn, DATAGRAMS_PER_TURN, complain)
  for (const { crypto } of spaces) {
    atMost('CRYPTO bytes', crypto.receive.bufferedBytes, MAX_CRYPTO_BUFFER, complain)
  }
}

function atMost(what: string, count: number, cap: number, complain: Complain): void {
  if (count > cap) complain(`${what} <= cap`, `${count} > ${cap}`)
}

function packets({ paths, recovery }: QuicConnection, complain: Complain): void {
  // RFC 9000 section 8.1
  for (const { isValidated, bytesSent, bytesReceived } of paths.list) {
    if (isValidated || bytesSent <= AMPLIFICATION_FACTOR * bytesReceived) continue
    complain('sent to an unvalidated address <= 3 x received', `${bytesSent} of ${bytesReceived}`)
  }
  for (let space = 0; space < 3; space++) {
    const largest = recovery.largestAcked(space)
    if (largest >= recovery.nextPacketNumber(space))
      complain('acknowledged <= sent', `${largest} in space ${space}`)
  }
  if (recovery.bytesInFlight < 0) complain('bytes in flight >= 0', `${recovery.bytesInFlight}`)
}

/** Every stream, and their sum: in time proportional to the streams, so for tests. */
export function streamRules({ host }: QuicConnection, complain: Complain): void {
  let buffered = 0
  for (const stream of host.table.streams.values()) {
    streamRule(stream, complain)
    buffered += stream.receiving?.buffer.bufferedBytes ?? 0
  }
  const unread = host.receiveCredit.received - host.receiveCredit.consumed
  if (buffered > unread) complain('buffered bytes <= received - consumed', `${buffered} > ${unread}`)
}

function streamRule(stream: QuicStream, complain: Complain): void {
  const { actor, sending, receiving } = stream
  if (actor.table.final[actor.state] === 1) {
    complain('no final actor is registered', `stream ${stream.id} in ${actor.table.name[actor.state]}`)
  }
  if (sending !== undefined) {
    const { buffer, credit } = sending
    if (credit.used > credit.max) complain("sent <= peer's MAX_STREAM_DATA", `${credit.used} > ${credit.max}`)
    if (buffer.base > buffer.limit || buffer.next > buffer.limit) {
      complain('acknowledged, sent <= written', `${buffer.base}, ${buffer.next}, ${buffer.limit}`)
    }
  }
  if (receiving !== undefined) {
    const { buffer, credit } = receiving
    const isCounted = stream.actor.receivePhase === ReceivePhase.recv
    if (isCounted && credit.received > credit.advertised) {
      complain('received <= MAX_STREAM_DATA', `${credit.received} > ${credit.advertised}`)
    }
    if (buffer.bufferedBytes > credit.window) {
      complain('buffered bytes <= window', `${buffer.bufferedBytes} > ${credit.window}`)
    }
  }
}
