// What the server's and the client's handshake machines have in common: the peer's authentication, how they
// end, and what is declared for an event that no state expects. RFC 8446 appendix A; used by the two handshake machine files only.
import { type DeclaredState, each, ignore, impossible } from './declare.ts'
import {
  HANDSHAKE_EVENTS,
  type HandshakeActionType,
  type HandshakeEventType,
  PEER_MESSAGES,
} from './handshake-events.ts'

export type HandshakeState = DeclaredState<HandshakeEventType, HandshakeActionType>

const fail = { target: 'failed' } as const
const notOurTurn = impossible('this endpoint sends and verifies only where its own figure says so')

/**
 * The outcomes of a state that expects nothing; each state overrides what it does expect.
 * RFC 8446 section 4: a message in the wrong order "MUST abort the handshake with an unexpected_message alert".
 * That includes EndOfEarlyData (RFC 9001 section 8.3) and KeyUpdate (RFC 9001 section 6) in every state.
 */
export const unexpected = {
  ...each(HANDSHAKE_EVENTS, notOurTurn as HandshakeState['on'][HandshakeEventType]),
  ...each(PEER_MESSAGES, fail),
  alert: fail,
  'connection.closed': { target: 'abandoned' },
} as const satisfies HandshakeState['on']

/**
 * What both figures have in common: the peer's CertificateVerify, the verdict on its chain, which may be asynchronous
 * (TLS holds back what follows), and its Finished.
 */
export const peerAuthentication = {
  waitCv: { on: { ...unexpected, 'recv.certificateVerify': { target: 'waitVerified' } } },
  waitVerified: {
    entry: ['requestVerification'],
    on: {
      ...unexpected,
      'certificate.verified': { target: 'waitFinished' },
      'certificate.rejected': { target: 'failed' },
    },
  },
  waitFinished: { on: { ...unexpected, 'recv.finished': { target: 'connected' } } },
} as const satisfies Record<string, HandshakeState>

const over = each(HANDSHAKE_EVENTS, notOurTurn as HandshakeState['on'][HandshakeEventType])
const lateMessage = ignore('the handshake is over; TLS judges what still arrives')
const lateVerdict = ignore('verification is asynchronous and may answer after the end')
const alreadyOver = ignore('the handshake is over already')

const afterEnd = {
  ...over,
  ...each(PEER_MESSAGES, lateMessage),
  'certificate.verified': lateVerdict,
  'certificate.rejected': lateVerdict,
  alert: alreadyOver,
  'connection.closed': alreadyOver,
} as const satisfies HandshakeState['on']

/** Final states. `connected` ends the actor: messages after it are judged by TLS without a machine. */
export const handshakeEndings = {
  connected: { type: 'final', output: 'connected', entry: ['completeHandshake'], on: afterEnd },
  failed: { type: 'final', output: 'failed', entry: ['discardHandshake'], on: afterEnd },
  abandoned: { type: 'final', output: 'abandoned', entry: ['discardHandshake'], on: afterEnd },
} as const satisfies Record<string, HandshakeState & { output: string }>
