// The client's TLS 1.3 handshake, RFC 8446 appendix A.1, as RFC 9001 uses it. One per client connection,
// raised by transport/tls.
//
//        o
//        v
//      start
//        | send.clientHello
//        v      recv.helloRetryRequest         send.clientHello
//      waitSh ---------------------> retry ------------------> waitSecondSh
//        | recv.serverHello                                        | recv.serverHello
//        v                                                         |
//      waitEe <----------------------------------------------------'
//        |   | psk.accepted            recv.encryptedExtensions
//        |   '-------------> waitEePsk ------------------------> waitFinished
//        | recv.encryptedExtensions
//        v         recv.certificateRequest
//      waitCertCr -----------------------> waitCert
//        | recv.certificate                   | recv.certificate
//        v                                    |
//      waitCv <-------------------------------'
//        | recv.certificateVerify
//        v              certificate.rejected
//      waitVerified -----------------------> failed
//        | certificate.verified
//        v
//      waitFinished
//        | recv.finished
//        v
//      connected
//
// After figure A.1. Differences: what follows HelloRetryRequest has states of its own, because a second one
// "MUST abort the handshake with an unexpected_message alert" (section 4.1.4). waitVerified is the time in
// which the server's chain is verified, which may be asynchronous: TLS holds back what follows. psk.accepted says
// that the ServerHello took our ticket; "Using PSK" of the figure is waitEePsk. Early data has no state in the figure,
// only keys, and the EndOfEarlyData that would end it does not exist in QUIC (RFC 9001 section 8.3): whether it was
// accepted is read from EncryptedExtensions. A message that a state does not name leads to failed, connection.closed
// to abandoned.
import { setup } from 'xstate'
import { namedActions } from './declare.ts'
import { type HandshakeState, handshakeEndings, peerAuthentication, unexpected } from './handshake-endings.ts'
import { HANDSHAKE_ACTIONS, type HandshakeEventType, type HandshakeOutput } from './handshake-events.ts'

const waiting = {
  start: { on: { ...unexpected, 'send.clientHello': { target: 'waitSh' } } },
  waitSh: {
    on: {
      ...unexpected,
      'recv.helloRetryRequest': { target: 'retry' },
      'recv.serverHello': { target: 'waitEe' },
    },
  },
  retry: { on: { ...unexpected, 'send.clientHello': { target: 'waitSecondSh' } } },
  waitSecondSh: { on: { ...unexpected, 'recv.serverHello': { target: 'waitEe' } } },
  waitEe: {
    on: {
      ...unexpected,
      'psk.accepted': { target: 'waitEePsk' },
      'recv.encryptedExtensions': { target: 'waitCertCr' },
    },
  },
  waitEePsk: { on: { ...unexpected, 'recv.encryptedExtensions': { target: 'waitFinished' } } },
  waitCertCr: {
    on: {
      ...unexpected,
      'recv.certificateRequest': { target: 'waitCert' },
      'recv.certificate': { target: 'waitCv' },
    },
  },
  waitCert: { on: { ...unexpected, 'recv.certificate': { target: 'waitCv' } } },
  ...peerAuthentication,
} as const satisfies Record<string, HandshakeState>

/** Output: `connected`, `failed` or `abandoned`. */
export const clientHandshakeMachine = setup({
  types: {} as { events: { type: HandshakeEventType }; output: HandshakeOutput },
  actions: namedActions(HANDSHAKE_ACTIONS),
}).createMachine({
  id: 'clientHandshake',
  initial: 'start',
  states: { ...waiting, ...handshakeEndings },
  output: ({ event }) => event.output as HandshakeOutput,
})
