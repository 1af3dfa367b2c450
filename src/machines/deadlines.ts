// How long an actor may stay in a state, and what it can be waiting for there. Read once a second by the
// supervisor's watchdog, which lists streams past their deadline as stuck, with the reasons. A deadline counts
// from the last change of state; it reports, it does not end anything.
import type { CompiledMachine } from './compile.ts'
import {
  bidiStream,
  clientHandshake,
  connectionLife,
  networkPath,
  receiveStream,
  sendStream,
  serverHandshake,
  webtransportSession,
  workerLife,
} from './tables.ts'

/** Everything that an actor of this room can wait for. */
export const WAITING_REASONS = [
  'peerAck', // an acknowledgement
  'peerData', // STREAM or RESET_STREAM frames
  'streamFlowControl', // MAX_STREAM_DATA
  'connectionFlowControl', // MAX_DATA
  'congestion', // room in the congestion window, or the pacer
  'handler', // the handler's next write
  'applicationRead', // somebody to read what has arrived
  'peerHandshake', // the peer's next handshake message, or HANDSHAKE_DONE
  'ownHandshake', // our own next handshake message
  'certificateVerification', // the verdict on the peer's certificate chain
  'peerSilent', // nothing in particular: the idle timeout watches
  'drainPeriod', // three PTOs after closing
  'ownProcess', // a worker process of ours
  'peerPath', // the peer's PATH_RESPONSE, or a packet from its new address
] as const

export type WaitingReason = (typeof WAITING_REASONS)[number]

export interface StateDeadline {
  /** Milliseconds since the last change of state; Infinity where `why` says what else watches. */
  readonly ms: number
  readonly waitingFor: readonly WaitingReason[]
  readonly why: string
}

/** Twice the default idle timeout: a peer that is silent has lost its connection before, so it is alive. */
const ALIVE_BUT_STUCK = 60_000

/** What this endpoint does in one turn, with a generous margin for a busy loop. */
const OWN_TURN = 1_000

/** A whole handshake, and each wait in it: the handshake timeout of ten seconds, and a turn to act on it. */
const HANDSHAKE = 11_000

/** What leaves as soon as the congestion window allows, even on a slow path after several timeouts. */
const NEXT_PACKETS = 20_000

type DeadlineTable = Readonly<Record<string, StateDeadline>>

function deadline(ms: number, waitingFor: readonly WaitingReason[], why: string): StateDeadline {
  return { ms, waitingFor, why }
}

/** Sending part, by state. */
export const sendingDeadlines: DeadlineTable = {
  ready: deadline(ALIVE_BUT_STUCK, ['handler'], 'nothing has been written yet'),
  send: deadline(
    Number.POSITIVE_INFINITY,
    ['handler', 'streamFlowControl', 'connectionFlowControl', 'congestion'],
    'a response may last as long as its handler wants; handlers and credit are watched where they live',
  ),
  dataSent: deadline(ALIVE_BUT_STUCK, ['peerAck'], 'all is sent, and a live peer acknowledges'),
  resetQueued: deadline(NEXT_PACKETS, ['congestion'], 'RESET_STREAM leaves with the next packets'),
  resetSent: deadline(ALIVE_BUT_STUCK, ['peerAck'], 'RESET_STREAM is sent, and a live peer acknowledges'),
}

/** Receiving part, by state. */
export const receivingDeadlines: DeadlineTable = {
  recv: deadline(
    Number.POSITIVE_INFINITY,
    ['peerData', 'applicationRead'],
    'a peer may keep a stream open as long as its connection; the idle timeout watches',
  ),
  sizeKnown: deadline(ALIVE_BUT_STUCK, ['peerData'], 'a live peer retransmits what is missing'),
  dataRecvd: deadline(ALIVE_BUT_STUCK, ['applicationRead', 'handler'], 'all is here and nobody reads it'),
  resetRecvd: deadline(OWN_TURN, ['applicationRead'], 'the application is told in the turn of the reset'),
  stopped: deadline(ALIVE_BUT_STUCK, ['peerData'], 'STOP_SENDING is answered by FIN or RESET_STREAM'),
}

/** Connection, by state. */
export const connectionDeadlines: DeadlineTable = {
  handshaking: deadline(HANDSHAKE, ['peerHandshake', 'certificateVerification'], 'the handshake timeout'),
  established: deadline(
    ALIVE_BUT_STUCK,
    ['peerHandshake'],
    'HANDSHAKE_DONE follows within a few round trips',
  ),
  confirmed: deadline(
    Number.POSITIVE_INFINITY,
    ['peerSilent'],
    'a connection lives as long as somebody uses it; the idle timeout watches',
  ),
  closing: deadline(ALIVE_BUT_STUCK, ['drainPeriod'], 'three PTOs, RFC 9000 section 10.2'),
  'draining.peer': deadline(ALIVE_BUT_STUCK, ['drainPeriod'], 'three PTOs, RFC 9000 section 10.2'),
  'draining.local': deadline(ALIVE_BUT_STUCK, ['drainPeriod'], 'three PTOs, RFC 9000 section 10.2'),
  'draining.statelessReset': deadline(ALIVE_BUT_STUCK, ['drainPeriod'], 'three PTOs, RFC 9000 section 10.2'),
}

const peersTurn = deadline(HANDSHAKE, ['peerHandshake'], 'it is the peer that speaks next')
const ourTurn = deadline(OWN_TURN, ['ownHandshake'], 'our own messages are made in the turn that needs them')
const verdict = deadline(HANDSHAKE, ['certificateVerification'], 'the chain is being verified')

/** Server handshake, by state. */
export const serverHandshakeDeadlines: DeadlineTable = {
  start: peersTurn,
  recvdCh: ourTurn,
  waitSecondCh: peersTurn,
  recvdSecondCh: ourTurn,
  pskChosen: ourTurn,
  pskChosenAgain: ourTurn,
  earlyDataChosen: ourTurn,
  negotiatedPsk: ourTurn,
  negotiated: ourTurn,
  negotiatedClientAuth: ourTurn,
  waitCert: peersTurn,
  waitCv: peersTurn,
  waitVerified: verdict,
  waitFinished: peersTurn,
}

/** Client handshake, by state. */
export const clientHandshakeDeadlines: DeadlineTable = {
  start: ourTurn,
  waitSh: peersTurn,
  retry: ourTurn,
  waitSecondSh: peersTurn,
  waitEe: peersTurn,
  waitEePsk: peersTurn,
  waitCertCr: peersTurn,
  waitCert: peersTurn,
  waitCv: peersTurn,
  waitVerified: verdict,
  waitFinished: peersTurn,
}

/** Network path, by state. */
export const pathDeadlines: DeadlineTable = {
  unvalidated: deadline(
    HANDSHAKE,
    ['peerHandshake', 'peerPath'],
    'the handshake proves it, or a challenge does',
  ),
  validating: deadline(NEXT_PACKETS, ['peerPath'], 'three PTOs, RFC 9000 section 8.2.4'),
  validated: deadline(
    Number.POSITIVE_INFINITY,
    ['peerSilent'],
    'a path lives as long as its connection uses it',
  ),
  revalidating: deadline(NEXT_PACKETS, ['peerPath'], 'three PTOs, RFC 9000 section 8.2.4'),
}

/** WebTransport session, by state. */
export const sessionDeadlines: DeadlineTable = {
  connecting: deadline(
    ALIVE_BUT_STUCK,
    ['handler', 'peerData'],
    'the handler has its own deadline to accept; a server answers its client',
  ),
  open: deadline(
    Number.POSITIVE_INFINITY,
    ['peerData', 'handler'],
    'a session lasts as long as both want it; the idle timeout watches',
  ),
  draining: deadline(
    Number.POSITIVE_INFINITY,
    ['peerData', 'handler'],
    'draining is a request to the applications, who may go on',
  ),
  leaving: deadline(NEXT_PACKETS, ['peerData'], 'the close follows, or the session ends after ten seconds'),
  closing: deadline(NEXT_PACKETS, ['peerData'], 'the peer ends its side, or it is made to after ten seconds'),
  ending: deadline(
    NEXT_PACKETS,
    ['peerData'],
    'the FIN follows the close, or is insisted on after ten seconds',
  ),
}

/** Worker, by state; its processes have timers of their own, see handlers/workers. */
export const workerDeadlines: DeadlineTable = {
  waiting: deadline(ALIVE_BUT_STUCK, ['ownProcess'], 'a restart is at once, or after half a minute'),
  starting: deadline(
    ALIVE_BUT_STUCK,
    ['ownProcess'],
    'a process is ready within half a minute, or is killed',
  ),
  running: deadline(Number.POSITIVE_INFINITY, ['ownProcess'], 'a process runs as long as its server'),
  closing: deadline(Number.POSITIVE_INFINITY, ['ownProcess'], 'its drain has a hard stop; then it is killed'),
}

/**
 * Both parts of a bidirectional stream: the earlier deadline of those parts that live. While the request still
 * arrives, the answer may wait for its end.
 */
function together(send: string, receive: string): StateDeadline | undefined {
  const sending = sendingDeadlines[send]
  const receiving = receivingDeadlines[receive]
  if (sending === undefined || receiving === undefined) return sending ?? receiving
  const waitingFor = [...new Set([...sending.waitingFor, ...receiving.waitingFor])]
  if (send === 'ready' && receive === 'recv') {
    return deadline(Number.POSITIVE_INFINITY, waitingFor, 'the answer may wait for the end of the request')
  }
  const earlier = sending.ms <= receiving.ms ? sending : receiving
  return deadline(earlier.ms, waitingFor, earlier.why)
}

function bidiDeadline(name: string): StateDeadline | undefined {
  const [send = '', receive = ''] = name.split('|').map((part) => part.slice(part.indexOf('.') + 1))
  return together(send, receive)
}

type FindDeadline = (name: string) => StateDeadline | undefined

function perState(table: CompiledMachine, find: FindDeadline): readonly (StateDeadline | undefined)[] {
  return table.name.map((name, state) => (table.final[state] === 1 ? undefined : find(name)))
}

/** By the machine's id: a table compiled from a variant of a chart, as tests do, has the deadlines of its states. */
const byId: ReadonlyMap<string, FindDeadline> = new Map<string, FindDeadline>([
  [sendStream.id, (name) => sendingDeadlines[name]],
  [receiveStream.id, (name) => receivingDeadlines[name]],
  [bidiStream.id, bidiDeadline],
  [connectionLife.id, (name) => connectionDeadlines[name]],
  [serverHandshake.id, (name) => serverHandshakeDeadlines[name]],
  [clientHandshake.id, (name) => clientHandshakeDeadlines[name]],
  [networkPath.id, (name) => pathDeadlines[name]],
  [webtransportSession.id, (name) => sessionDeadlines[name]],
  [workerLife.id, (name) => workerDeadlines[name]],
])

const byTable = new WeakMap<CompiledMachine, readonly (StateDeadline | undefined)[]>()

/**
 * Deadlines of a machine by state index; undefined for final states.
 * @throws Error for a table whose id is not one of this room's machines
 */
export function deadlinesOf(table: CompiledMachine): readonly (StateDeadline | undefined)[] {
  let deadlines = byTable.get(table)
  if (deadlines === undefined) {
    const find = byId.get(table.id)
    if (find === undefined) throw new Error(`no deadlines for machine ${table.id}`)
    deadlines = perState(table, find)
    byTable.set(table, deadlines)
  }
  return deadlines
}
