// The room's door: what connections, supervisor, client and command line use of transport/tls.
export { Alert, alertError } from './alerts.ts'
export { type AntiReplay, ReplayWindow } from './anti-replay.ts'
export { type ChainCheck, trustAnchorsFromPem, verifyChain } from './certificate-verification.ts'
export { EncryptionLevel } from './encryption-level.ts'
export {
  certificatesFromPem,
  type Identity,
  IdentityError,
  IdentityTable,
  loadIdentity,
  type ServerIdentity,
} from './identity.ts'
export { canonicalName, isAddressLiteral } from './server-name.ts'
export { isTicketUsable, type SessionTicket } from './session-ticket.ts'
export { type SessionTicketOptions, SessionTickets } from './session-tickets.ts'
export type { TicketSecrets } from './ticket-keys.ts'
export { TlsClient } from './tls-client.ts'
export type {
  CertificateVerdict,
  ClientResumption,
  ClientTlsConfig,
  ServerTlsConfig,
  TlsOutput,
  VerificationRequest,
} from './tls-output.ts'
export { TlsServer } from './tls-server.ts'
