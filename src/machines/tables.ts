// The compiled machines, one table each for the whole process, made when this room is first imported.
// Used by transport/streams, transport/connection, transport/tls and the supervisor.
import { bidiStreamMachine } from './bidi-stream-machine.ts'
import { clientHandshakeMachine } from './client-handshake-machine.ts'
import { type CompiledMachine, compile } from './compile.ts'
import { CONNECTION_ACTIONS, CONNECTION_EVENTS, ConnectionPhase } from './connection-events.ts'
import { connectionMachine } from './connection-machine.ts'
import {
  ClientHandshakePhase,
  HANDSHAKE_ACTIONS,
  HANDSHAKE_EVENTS,
  ServerHandshakePhase,
} from './handshake-events.ts'
import { PATH_ACTIONS, PATH_EVENTS, PathPhase } from './path-events.ts'
import { pathMachine } from './path-machine.ts'
import { receiveStreamMachine } from './receive-stream-machine.ts'
import { sendStreamMachine } from './send-stream-machine.ts'
import { serverHandshakeMachine } from './server-handshake-machine.ts'
import { ReceivePhase, SendPhase, STREAM_ACTIONS, STREAM_EVENTS } from './stream-events.ts'
import { SESSION_ACTIONS, SESSION_EVENTS, SessionPhase } from './webtransport-session-events.ts'
import { webtransportSessionMachine } from './webtransport-session-machine.ts'
import { WORKER_ACTIONS, WORKER_EVENTS, WorkerPhase } from './worker-events.ts'
import { workerMachine } from './worker-machine.ts'

const sendPart = { name: 'send', codes: SendPhase }
const receivePart = { name: 'receive', codes: ReceivePhase }
const connectionCodes = {
  ...ConnectionPhase,
  closedLocal: ConnectionPhase.closed,
  closedPeer: ConnectionPhase.closed,
  closedIdle: ConnectionPhase.closed,
  closedStatelessReset: ConnectionPhase.closed,
  closedHandshakeTimeout: ConnectionPhase.closed,
  closedVersionNegotiation: ConnectionPhase.closed,
}

export const sendStream: CompiledMachine = compile(sendStreamMachine, STREAM_EVENTS, STREAM_ACTIONS, [
  sendPart,
])

export const receiveStream: CompiledMachine = compile(receiveStreamMachine, STREAM_EVENTS, STREAM_ACTIONS, [
  receivePart,
])

export const bidiStream: CompiledMachine = compile(bidiStreamMachine, STREAM_EVENTS, STREAM_ACTIONS, [
  sendPart,
  receivePart,
])

export const connectionLife: CompiledMachine = compile(
  connectionMachine,
  CONNECTION_EVENTS,
  CONNECTION_ACTIONS,
  [{ name: 'whole', codes: connectionCodes }],
)

export const serverHandshake: CompiledMachine = compile(
  serverHandshakeMachine,
  HANDSHAKE_EVENTS,
  HANDSHAKE_ACTIONS,
  [{ name: 'whole', codes: ServerHandshakePhase }],
)

export const clientHandshake: CompiledMachine = compile(
  clientHandshakeMachine,
  HANDSHAKE_EVENTS,
  HANDSHAKE_ACTIONS,
  [{ name: 'whole', codes: ClientHandshakePhase }],
)

export const networkPath: CompiledMachine = compile(pathMachine, PATH_EVENTS, PATH_ACTIONS, [
  { name: 'whole', codes: PathPhase },
])

const sessionCodes = {
  ...SessionPhase,
  rejected: SessionPhase.over,
  closedLocal: SessionPhase.over,
  closedPeer: SessionPhase.over,
  failed: SessionPhase.over,
}

export const webtransportSession: CompiledMachine = compile(
  webtransportSessionMachine,
  SESSION_EVENTS,
  SESSION_ACTIONS,
  [{ name: 'whole', codes: sessionCodes }],
)

export const workerLife: CompiledMachine = compile(workerMachine, WORKER_EVENTS, WORKER_ACTIONS, [
  { name: 'whole', codes: WorkerPhase },
])

/** Every table, for proofs, deadlines and the inspector. */
export const allTables: readonly CompiledMachine[] = [
  sendStream,
  receiveStream,
  bidiStream,
  connectionLife,
  serverHandshake,
  clientHandshake,
  networkPath,
  webtransportSession,
  workerLife,
]
