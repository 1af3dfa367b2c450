// The alphabet that both TLS handshake machines share, RFC 8446 appendix A, and the numbers by which
// transport/tls speaks it. One fixed order, so that an index means the same in both tables.

/** Messages of the peer. In a wrong state they end the handshake: a peer can cause that, so it is declared. */
export const PEER_MESSAGES = [
  'recv.clientHello',
  'recv.serverHello',
  'recv.helloRetryRequest',
  'recv.encryptedExtensions',
  'recv.certificateRequest',
  'recv.certificate',
  'recv.certificateEmpty', // a Certificate message without a certificate
  'recv.certificateVerify',
  'recv.finished',
  'recv.endOfEarlyData',
  'recv.keyUpdate',
  'recv.newSessionTicket',
] as const

export const HANDSHAKE_EVENTS = [
  'recv.clientHello',
  'recv.serverHello',
  'recv.helloRetryRequest',
  'send.helloRetryRequest',
  'recv.encryptedExtensions',
  'recv.certificateRequest',
  'recv.certificate',
  'recv.certificateEmpty',
  'recv.certificateVerify',
  'recv.finished',
  'recv.endOfEarlyData',
  'recv.keyUpdate',
  'recv.newSessionTicket',
  'certificate.verified', // the chain of the peer was accepted
  'certificate.rejected', // the chain of the peer was refused
  'alert', // this endpoint ends the handshake with an alert
  'send.clientHello',
  'send.serverHello',
  'send.certificateRequest',
  'send.finished',
  'connection.closed', // the connection ended under the handshake
  'psk.accepted', // the handshake rests on a ticket instead of a certificate
  'earlyData.accepted', // the server takes 0-RTT packets
] as const

export type HandshakeEventType = (typeof HANDSHAKE_EVENTS)[number]

/** Index of each handshake event in both handshake tables. */
export const HandshakeEvent = {
  recvClientHello: 0,
  recvServerHello: 1,
  recvHelloRetryRequest: 2,
  sendHelloRetryRequest: 3,
  recvEncryptedExtensions: 4,
  recvCertificateRequest: 5,
  recvCertificate: 6,
  recvCertificateEmpty: 7,
  recvCertificateVerify: 8,
  recvFinished: 9,
  recvEndOfEarlyData: 10,
  recvKeyUpdate: 11,
  recvNewSessionTicket: 12,
  certificateVerified: 13,
  certificateRejected: 14,
  alert: 15,
  sendClientHello: 16,
  sendServerHello: 17,
  sendCertificateRequest: 18,
  sendFinished: 19,
  connectionClosed: 20,
  pskAccepted: 21,
  earlyDataAccepted: 22,
} as const

export const HANDSHAKE_ACTIONS = [
  'requestVerification', // have the peer's chain verified
  'completeHandshake', // report completion, RFC 9001 section 4.1.1
  'discardHandshake', // drop secrets and buffered messages of a failed handshake
] as const

export type HandshakeActionType = (typeof HANDSHAKE_ACTIONS)[number]

/** Index of each handshake action, as ActorSubject.perform receives it. */
export const HandshakeAction = { requestVerification: 0, completeHandshake: 1, discardHandshake: 2 } as const

/** Phase of the server's handshake, one per state. */
export const ServerHandshakePhase = {
  none: 0,
  start: 1,
  recvdCh: 2,
  waitSecondCh: 3,
  recvdSecondCh: 4,
  negotiated: 5,
  negotiatedClientAuth: 6,
  waitCert: 7,
  waitCv: 8,
  waitVerified: 9,
  waitFinished: 10,
  connected: 11,
  failed: 12,
  abandoned: 13,
  pskChosen: 14,
  pskChosenAgain: 15,
  earlyDataChosen: 16,
  negotiatedPsk: 17,
} as const

/** Phase of the client's handshake, one per state. */
export const ClientHandshakePhase = {
  none: 0,
  start: 1,
  waitSh: 2,
  retry: 3,
  waitSecondSh: 4,
  waitEe: 5,
  waitCertCr: 6,
  waitCert: 7,
  waitCv: 8,
  waitVerified: 9,
  waitFinished: 10,
  connected: 11,
  failed: 12,
  abandoned: 13,
  waitEePsk: 14,
} as const

/** How a handshake ended. */
export type HandshakeOutput = 'connected' | 'failed' | 'abandoned'
