// What TLS asks of the connection that owns it, and how both are configured. RFC 9001 section 4.1. Types only.

import type { BackendSet } from '../crypto/backends.ts'
import type { CipherSuite } from '../crypto/suites.ts'
import type { Identity, ServerIdentity } from './identity.ts'
import type { SessionTicket } from './session-ticket.ts'
import type { SessionTickets } from './session-tickets.ts'

/** Acceptance of a chain, or why it is refused: an alert of RFC 8446 section 6.2 and words for people. */
export type CertificateVerdict = true | { readonly alert: number; readonly reason: string }

export interface VerificationRequest {
  /** DER, leaf first, as the peer sent it. */
  readonly chain: readonly Uint8Array[]
  /** Whose certificate it is. */
  readonly role: 'server' | 'client'
  /** The name that a server's certificate must be for. */
  readonly serverName?: string
}

/** The connection, as TLS sees it. Calls come from within start, handleCrypto and provideCertificateVerdict. */
export interface TlsOutput {
  /** Handshake bytes to send in CRYPTO frames. They may be kept but not written to: some are shared. */
  writeCrypto(level: number, bytes: Uint8Array): void
  /** A secret of RFC 9001 section 5.1 has become available. */
  installKeys(level: number, direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void
  /** The peer's encoded transport parameters (RFC 9001 section 8.2), the callee's to keep. May throw QuicError. */
  handlePeerTransportParameters(bytes: Uint8Array): void
  /** RFC 9001 section 4.1.1: Finished sent and the peer's verified. Read keys for 1-RTT are installed just before. */
  handleHandshakeComplete(): void
  /** Asks for provideCertificateVerdict, now or later. */
  requestCertificateVerification(request: VerificationRequest): void
  /** The secret of 0-RTT packets: `write` at the client, `read` at a server that accepts them. Needs `resumption`. */
  installEarlyKeys?(direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void
  /** Client that sent early data: whether the server took it. Before handlePeerTransportParameters. */
  handleEarlyDataVerdict?(isAccepted: boolean): void
  /** Client: a ticket for a later connection (RFC 8446 section 4.6.1). */
  handleSessionTicket?(ticket: SessionTicket): void
  /** Server: what a new ticket remembers of our transport limits (RFC 9000 section 7.4.1). */
  rememberedTransportState?(): Uint8Array
  /** Server: whether limits remembered in a ticket still hold. */
  acceptsTransportState?(state: Uint8Array): boolean
  /** One line of an NSS key log, without line end. Only with `keyLog`. */
  logKey(line: string): void
}

interface TlsConfig {
  /** Cipher suites in order of preference; the backends' preference when absent. */
  readonly suites?: readonly number[]
  /** NamedGroup code points in order of preference; every group of the crypto room when absent. */
  readonly groups?: readonly number[]
  /** Application protocols in order of preference, at least one (RFC 9001 section 8.1). */
  readonly alpn: readonly string[]
  /** Our encoded transport parameters; read when they are written, not before. */
  readonly quicTransportParameters: Uint8Array
  readonly backends: BackendSet
  readonly keyLog?: boolean
  /** QUIC version of the connection: a ticket is good for the version that it came with. */
  readonly version?: number
}

export interface ServerTlsConfig extends TlsConfig {
  /** At least one; the first is shown for names that none is for. Pass the same array every time: it is indexed once. */
  readonly identities: readonly ServerIdentity[]
  /** `request`: a client may come without a certificate; `require`: it may not (certificate_required). */
  readonly clientAuthentication?: 'request' | 'require'
  /**
   * Issues and accepts session tickets; shared by all connections. Not used where clients authenticate themselves: a
   * resumed handshake has no certificate of the client to show.
   */
  readonly resumption?: SessionTickets
}

/** What a client needs to be given tickets, and to use one. */
export interface ClientResumption {
  /** Wall-clock time, ms. */
  readonly now: () => number
  /** The ticket to offer, if it still can be. */
  readonly ticket?: SessionTicket | undefined
  /** Send early data when the ticket allows it. */
  readonly earlyData?: boolean | undefined
}

export interface ClientTlsConfig extends TlsConfig {
  /** Host name or address literal; addresses are checked but not sent (RFC 6066 section 3). */
  readonly serverName: string
  /** Groups to send key shares for, a subset of `groups`; the first of them when absent. */
  readonly offerGroups?: readonly number[]
  /** False accepts any certificate that its owner can sign with: for tests and pinning by the caller. */
  readonly verifyCertificate: boolean
  /** Shown when the server asks for a certificate. */
  readonly identity?: Identity
  readonly resumption?: ClientResumption
}
