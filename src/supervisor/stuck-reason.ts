// Why a stream does not get on: looks at its buffers, its credit and its connection, and names what is missing. The
// machine only knows what its state may wait for; this finds out which of it. Used by connection-watch.ts for streams
// that are past their deadline, and by the inspector for the one that is selected.
import { ReceivePhase, SendPhase } from '../machines/index.ts'
import type { QuicConnection } from '../transport/connection/index.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import type { StuckFinding } from './stuck-report.ts'

/** So many probe timeouts in a row without any acknowledgement mean that the peer is silent, not slow. */
const SILENT_AFTER_PROBES = 3

const SEND_FINALS: readonly number[] = [
  SendPhase.none,
  SendPhase.dataRecvd,
  SendPhase.resetRecvd,
  SendPhase.connectionClosed,
]
const RECEIVE_FINALS: readonly number[] = [
  ReceivePhase.none,
  ReceivePhase.dataRead,
  ReceivePhase.resetRead,
  ReceivePhase.connectionClosed,
]

/**
 * @param hasHandler whether a handler of ours still works on the stream
 * @returns the sending part's reason first, because it is the later one in the life of a request
 */
export function findStreamReason(
  stream: QuicStream,
  connection: QuicConnection,
  hasHandler: boolean,
): StuckFinding {
  const { sendPhase, receivePhase } = stream.actor
  const findings: StuckFinding[] = []
  if (!SEND_FINALS.includes(sendPhase)) findings.push(sendingReason(stream, connection, hasHandler))
  if (!RECEIVE_FINALS.includes(receivePhase)) findings.push(receivingReason(stream, connection))
  if (findings.length === 0) {
    return { waitingFor: 'nothing', reason: 'both parts are over, and the machine has not ended' }
  }
  // A state without a deadline of its own is not what the stream is stuck in.
  if (sendPhase === SendPhase.send && receivePhase !== ReceivePhase.recv) findings.reverse()
  const first = findings.find(({ waitingFor }) => waitingFor === 'nothing') ?? findings[0]
  return { waitingFor: first.waitingFor, reason: findings.map(({ reason }) => reason).join('; ') }
}

function sendingReason(stream: QuicStream, connection: QuicConnection, hasHandler: boolean): StuckFinding {
  const { buffer } = stream.sending!
  switch (stream.actor.sendPhase) {
    case SendPhase.dataSent:
      if (buffer.isComplete) {
        return nothing('every byte and the FIN are acknowledged, but the machine did not move')
      }
      return buffer.hasLost ? outputReason(stream, connection) : ackReason(connection, missingAcks(stream))
    case SendPhase.resetQueued:
      return outputReason(stream, connection)
    case SendPhase.resetSent:
      return ackReason(connection, 'the ACK of RESET_STREAM')
    default:
      if (buffer.hasUnsent || buffer.hasLost) return outputReason(stream, connection)
      if (buffer.isEnded) return nothing('the FIN has been sent, but the machine did not move')
      return hasHandler
        ? { waitingFor: 'handler', reason: `handler pending after ${buffer.length} bytes of its response` }
        : { waitingFor: 'handler', reason: `no handler is left to end it after ${buffer.length} bytes` }
  }
}

function missingAcks({ sending }: QuicStream): string {
  const { base, length } = sending!.buffer
  return base >= length ? 'the ACK of the FIN' : `ACKs of ${length - base} bytes and of the FIN`
}

function ackReason(connection: QuicConnection, what: string): StuckFinding {
  return silence(connection) ?? { waitingFor: 'peerAck', reason: `awaiting ${what}` }
}

/** Something waits to be put into a packet: what keeps it from leaving. */
function outputReason(stream: QuicStream, connection: QuicConnection): StuckFinding {
  const { buffer, credit } = stream.sending!
  const { host, path, recovery } = connection
  const hasOnlyNewData = !buffer.hasLost && buffer.next < buffer.length
  if (hasOnlyNewData && buffer.next >= credit.max) {
    return { waitingFor: 'streamFlowControl', reason: `awaiting MAX_STREAM_DATA beyond ${credit.max}` }
  }
  if (hasOnlyNewData && host.sendCredit.available <= 0) {
    return { waitingFor: 'connectionFlowControl', reason: `awaiting MAX_DATA beyond ${host.sendCredit.max}` }
  }
  if (path.sendAllowance <= 0) {
    return { waitingFor: 'peerHandshake', reason: 'the address of the peer is not validated' }
  }
  if (!stream.isQueued) return nothing('output is ready, but the stream is not in the send queue')
  const { bytesInFlight, congestion } = recovery
  return (
    silence(connection) ?? {
      waitingFor: 'congestion',
      reason: `awaiting a packet: ${bytesInFlight} of ${Math.floor(congestion.window)} bytes are in flight`,
    }
  )
}

function receivingReason(stream: QuicStream, connection: QuicConnection): StuckFinding {
  const { buffer, credit } = stream.receiving!
  const { readableBytes } = buffer
  switch (stream.actor.receivePhase) {
    case ReceivePhase.sizeKnown: {
      if (buffer.isAllReceived) return nothing('all data is here, but the machine did not move')
      const missing = buffer.finalSize - buffer.readOffset - readableBytes
      return { waitingFor: 'peerData', reason: `data from ${buffer.finalSize - missing} on is missing` }
    }
    case ReceivePhase.dataRecvd:
      if (buffer.isReadComplete || buffer.isReliableRead)
        return nothing('all data has been read, but the machine did not move')
      return notRead(readableBytes)
    case ReceivePhase.resetRecvd:
      return nothing('the application was to be told of the reset at once')
    case ReceivePhase.stopped:
      return (
        silence(connection) ?? { waitingFor: 'peerData', reason: 'STOP_SENDING is not answered by the peer' }
      )
    default:
      if (readableBytes > 0) return notRead(readableBytes)
      return { waitingFor: 'peerData', reason: `no FIN from the peer after ${credit.received} bytes` }
  }
}

function notRead(bytes: number): StuckFinding {
  return { waitingFor: 'applicationRead', reason: `the application does not read ${bytes} bytes` }
}

function nothing(reason: string): StuckFinding {
  return { waitingFor: 'nothing', reason }
}

/** The peer acknowledges nothing at all any more: that explains every other wait. */
function silence(connection: QuicConnection): StuckFinding | undefined {
  const { ptoCount } = connection.recovery
  if (ptoCount < SILENT_AFTER_PROBES) return undefined
  return { waitingFor: 'peerSilent', reason: `the peer is silent: ${ptoCount} probe timeouts in a row` }
}
