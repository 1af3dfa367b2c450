// The server's TLS 1.3 handshake, RFC 8446 appendix A.2, as RFC 9001 uses it. One per server connection,
// raised by transport/tls.
//
//        o
//        v
//      start
//        | recv.clientHello
//        v           send.helloRetryRequest              recv.clientHello
//      recvdCh ------------------------> waitSecondCh ----------------> recvdSecondCh
//        |   | psk.accepted                                  psk.accepted |       |
//        |   v          earlyData.accepted                                v       |
//        | pskChosen ----------------------> earlyDataChosen       pskChosenAgain |
//        |   | send.serverHello                | send.serverHello      | s.sH     | send.serverHello
//        |   v                                 |                       |          |
//        | negotiatedPsk <---------------------'-----------------------'          |
//        |   | send.finished                                                      |
//        |   '---------> waitFinished                                             |
//        | send.serverHello                                                       |
//        v                                                                        |
//      negotiated <---------------------------------------------------------------'
//        |    | send.certificateRequest
//        |    v
//        |  negotiatedClientAuth
//        |    | send.finished
//        |    v         recv.certificate       recv.certificateVerify
//        |  waitCert ------------------> waitCv ----------------> waitVerified ----> failed
//        |    | recv.certificateEmpty                                |  certificate.rejected
//        |    |        .---------------------------------------------'
//        |    |        | certificate.verified
//        |    v        v
//        '-> waitFinished
//    send.finished | recv.finished
//                  v
//              connected
//
// After figure A.2. Differences: a second ClientHello has a state of its own, because a second
// HelloRetryRequest is not allowed (section 4.1.4). "Select parameters" shows: with a pre-shared key there is
// no CertificateRequest (section 4.3.2), and early data can be accepted only beside such a key and never after a
// HelloRetryRequest (section 4.2.10). WAIT_EOED is absent, because EndOfEarlyData is not used in QUIC (RFC 9001
// section 8.3), so that both branches of 0-RTT meet again; WAIT_FLIGHT2 has nothing to wait for without it.
// waitVerified is the time in which the client's chain is verified, which may be asynchronous: TLS holds back what
// follows. A message that a state does not name leads to failed, connection.closed to abandoned.
import { setup } from 'xstate'
import { namedActions } from './declare.ts'
import { type HandshakeState, handshakeEndings, peerAuthentication, unexpected } from './handshake-endings.ts'
import { HANDSHAKE_ACTIONS, type HandshakeEventType, type HandshakeOutput } from './handshake-events.ts'

const waiting = {
  start: { on: { ...unexpected, 'recv.clientHello': { target: 'recvdCh' } } },
  recvdCh: {
    on: {
      ...unexpected,
      'send.helloRetryRequest': { target: 'waitSecondCh' },
      'send.serverHello': { target: 'negotiated' },
      'psk.accepted': { target: 'pskChosen' },
    },
  },
  waitSecondCh: { on: { ...unexpected, 'recv.clientHello': { target: 'recvdSecondCh' } } },
  recvdSecondCh: {
    on: {
      ...unexpected,
      'send.serverHello': { target: 'negotiated' },
      'psk.accepted': { target: 'pskChosenAgain' },
    },
  },
  pskChosen: {
    on: {
      ...unexpected,
      'earlyData.accepted': { target: 'earlyDataChosen' },
      'send.serverHello': { target: 'negotiatedPsk' },
    },
  },
  pskChosenAgain: { on: { ...unexpected, 'send.serverHello': { target: 'negotiatedPsk' } } },
  earlyDataChosen: { on: { ...unexpected, 'send.serverHello': { target: 'negotiatedPsk' } } },
  negotiatedPsk: { on: { ...unexpected, 'send.finished': { target: 'waitFinished' } } },
  negotiated: {
    on: {
      ...unexpected,
      'send.certificateRequest': { target: 'negotiatedClientAuth' },
      'send.finished': { target: 'waitFinished' },
    },
  },
  negotiatedClientAuth: { on: { ...unexpected, 'send.finished': { target: 'waitCert' } } },
  waitCert: {
    on: {
      ...unexpected,
      'recv.certificate': { target: 'waitCv' },
      'recv.certificateEmpty': { target: 'waitFinished' },
    },
  },
  ...peerAuthentication,
} as const satisfies Record<string, HandshakeState>

/** Output: `connected`, `failed` or `abandoned`. */
export const serverHandshakeMachine = setup({
  types: {} as { events: { type: HandshakeEventType }; output: HandshakeOutput },
  actions: namedActions(HANDSHAKE_ACTIONS),
}).createMachine({
  id: 'serverHandshake',
  initial: 'start',
  states: { ...waiting, ...handshakeEndings },
  output: ({ event }) => event.output as HandshakeOutput,
})
