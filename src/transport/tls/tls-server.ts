// The server's side of the TLS 1.3 handshake for QUIC, RFC 8446 section 2 and appendix A.2, RFC 9001 section 4.
// One per server connection; the connection feeds it CRYPTO bytes and obeys its TlsOutput calls.

import type { ActorOwner } from '../../machines/index.ts'
import { HandshakeEvent, serverHandshake } from '../../machines/index.ts'
import type { Entropy } from '../crypto/entropy.ts'
import { KEY_EXCHANGE_GROUPS, KeyExchangeError, type KeyExchangeGroup } from '../crypto/key-exchange.ts'
import { SUPPORTED_SCHEMES } from '../crypto/signatures.ts'
import type { CipherSuite } from '../crypto/suites.ts'
import { Alert, alertError } from './alerts.ts'
import { EncryptionLevel } from './encryption-level.ts'
import { HandshakeType } from './handshake-type.ts'
import { type IdentityChoice, identityTable } from './identity.ts'
import { type EarlyStage, earlyStageWithoutPsk, ticketPsk } from './key-schedule-stages.ts'
import { TICKETS_PER_HANDSHAKE, TICKETS_PER_RESUMPTION } from './limits.ts'
import { encodeCertificateRequest, isEmptyCertificate, parseCertificate } from './messages/certificate.ts'
import { type ClientHello, checkSecondHello, parseClientHello } from './messages/client-hello.ts'
import { encodeEncryptedExtensions } from './messages/encrypted-extensions.ts'
import { encodeNewSessionTicket } from './messages/finished.ts'
import { encodeHelloRetryRequest, encodeServerHello } from './messages/server-hello.ts'
import { chooseGroup, chooseProtocol, chooseSuite } from './negotiation.ts'
import { bindingOf, type SessionTickets } from './session-tickets.ts'
import { chooseTicket, type TicketChoice, verifyBinder } from './ticket-choice.ts'
import { TlsEndpoint } from './tls-endpoint.ts'
import type { ServerTlsConfig, TlsOutput } from './tls-output.ts'

const DEFAULT_GROUPS: readonly number[] = KEY_EXCHANGE_GROUPS.map((group) => group.id)

/** The CertificateRequest is always the same: we accept from clients whatever we can verify. */
const CERTIFICATE_REQUEST = encodeCertificateRequest(SUPPORTED_SCHEMES)

const NO_BINDING = new Uint8Array(0)

/** What has been asked for by a HelloRetryRequest. */
interface Retry {
  readonly firstHello: ClientHello
  readonly group: KeyExchangeGroup
}

interface Choices {
  readonly suite: CipherSuite
  readonly alpn: string
  /** Hash of what a session belongs to. */
  readonly binding: Uint8Array
  /** Either a ticket to resume with, or a certificate. */
  readonly ticket: TicketChoice | undefined
  readonly identity: IdentityChoice | undefined
}

/** The early part of the key schedule, and what it rests on. */
interface Foundation {
  readonly stage: EarlyStage
  readonly ticket: TicketChoice | undefined
}

export class TlsServer extends TlsEndpoint {
  readonly #config: ServerTlsConfig
  readonly #tickets: SessionTickets | undefined
  #retry: Retry | undefined
  #wantsTickets = false
  #acceptsEarlyData = false

  /**
   * @param owner told about the end of the handshake machine's actor
   */
  constructor(config: ServerTlsConfig, output: TlsOutput, entropy: Entropy, owner: ActorOwner) {
    super('server', serverHandshake, output, entropy, owner, config.keyLog === true)
    this.#config = config
    if (config.clientAuthentication === undefined) this.#tickets = config.resumption
  }

  protected override eventOf(message: Uint8Array): number | undefined {
    switch (message[0]) {
      case HandshakeType.clientHello:
        return HandshakeEvent.recvClientHello
      case HandshakeType.certificate:
        return isEmptyCertificate(message)
          ? HandshakeEvent.recvCertificateEmpty
          : HandshakeEvent.recvCertificate
      case HandshakeType.certificateVerify:
        return HandshakeEvent.recvCertificateVerify
      case HandshakeType.finished:
        return HandshakeEvent.recvFinished
      case HandshakeType.endOfEarlyData:
        return HandshakeEvent.recvEndOfEarlyData
      case HandshakeType.keyUpdate:
        return HandshakeEvent.recvKeyUpdate
      default:
        return undefined
    }
  }

  protected override handleMessage(type: number, message: Uint8Array): void {
    if (type === HandshakeType.clientHello) this.#handleClientHello(message)
    else if (type === HandshakeType.certificate) this.#handleCertificate(message)
    else if (type === HandshakeType.certificateVerify) this.#handleCertificateVerify(message)
    else this.#handleFinished(message)
  }

  /** A QUIC client has nothing to say after its Finished: RFC 9001 sections 4.4 and 6. */
  protected override handleLateMessage(type: number): void {
    throw alertError(Alert.unexpectedMessage, `handshake message ${type} after the handshake`)
  }

  protected override requestVerification(): void {
    this.output.requestCertificateVerification({ chain: this.peerCertificates, role: 'client' })
  }

  #handleClientHello(message: Uint8Array): void {
    const hello = parseClientHello(message)
    const retry = this.#retry
    if (retry !== undefined) checkSecondHello(retry.firstHello, hello, retry.group.id)
    const choices = this.#choose(hello)
    const { suite } = choices
    const { group, share } = chooseGroup(this.#config.groups ?? DEFAULT_GROUPS, hello.groups, hello.keyShares)
    this.raise(HandshakeEvent.recvClientHello)
    this.cipherSuite = suite
    this.transcript.start(suite.hash)
    if (share === undefined) {
      this.transcript.add(message)
      this.#requestShare(message, group)
      return
    }
    const foundation = this.#lay(choices, hello, message)
    this.transcript.add(message)
    this.expectLevelEnd()
    this.alpn = choices.alpn
    this.serverName = hello.serverName
    this.clientRandom = new Uint8Array(hello.random)
    this.#wantsTickets = hello.allowsPsk
    this.output.handlePeerTransportParameters(new Uint8Array(hello.transportParameters))
    this.#judgeEarlyData(foundation, hello)
    this.#sendServerHello(foundation, group, share.keyExchange)
    this.#sendFlight(choices.identity)
  }

  #choose(hello: ClientHello): Choices {
    const { identities, backends } = this.#config
    const suites = this.#config.suites ?? backends.preferredSuites
    const alpn = chooseProtocol(this.#config.alpn, hello.alpn)
    const binding = this.#bindingOf(hello.serverName, alpn)
    // The suite that a HelloRetryRequest has named stands.
    const fixed = this.#retry === undefined ? undefined : this.cipherSuite
    const ticket = this.#tickets && chooseTicket(this.#tickets, hello, binding, suites, fixed)
    if (ticket !== undefined) return { suite: ticket.suite, alpn, binding, ticket, identity: undefined }
    const suite = fixed ?? chooseSuite(suites, hello.cipherSuites)
    const identity = identityTable(identities).choose(hello.serverName, hello.signatureSchemes)
    return { suite, alpn, binding, ticket, identity }
  }

  #bindingOf(serverName: string | undefined, alpn: string): Uint8Array {
    const { clientAuthentication = 'none', version = 0 } = this.#config
    return this.#tickets === undefined
      ? NO_BINDING
      : bindingOf({ serverName, alpn, clientAuthentication, version })
  }

  /** Where the key schedule starts: at a ticket's key, proved by its binder, or at nothing. */
  #lay({ ticket, suite }: Choices, hello: ClientHello, message: Uint8Array): Foundation {
    if (ticket === undefined) return { stage: earlyStageWithoutPsk(suite), ticket }
    const stage = verifyBinder(ticket, hello, message, this.transcript)
    this.isResumed = true
    this.raise(HandshakeEvent.pskAccepted)
    return { stage, ticket }
  }

  /** RFC 8446 section 4.2.10: early data needs the first ticket of a first ClientHello, and everything as it was. */
  #judgeEarlyData({ stage, ticket }: Foundation, hello: ClientHello): void {
    if (hello.hasEarlyData) this.earlyData = 'rejected'
    if (!hello.hasEarlyData || ticket === undefined || ticket.index !== 0 || this.#retry !== undefined) return
    const { suite } = ticket
    if (suite.id !== ticket.ticket.suite) return
    if (this.output.acceptsTransportState?.(ticket.ticket.transportState) !== true) return
    if (!this.#tickets!.claimEarlyData(ticket.ticket, ticket.obfuscatedAge)) return
    this.#acceptsEarlyData = true
    this.earlyData = 'accepted'
    this.raise(HandshakeEvent.earlyDataAccepted)
    this.installEarlyKeys(suite, stage.clientEarlyTraffic(this.transcript.current()))
  }

  /** RFC 8446 section 4.1.4. The machine lets this happen once. */
  #requestShare(hello: Uint8Array, group: KeyExchangeGroup): void {
    this.#retry = { firstHello: parseClientHello(new Uint8Array(hello)), group }
    this.transcript.replaceByMessageHash()
    this.send(EncryptionLevel.initial, encodeHelloRetryRequest(this.cipherSuite!.id, group.id))
    this.raise(HandshakeEvent.sendHelloRetryRequest)
  }

  #sendServerHello(
    { stage: early, ticket }: Foundation,
    group: KeyExchangeGroup,
    clientShare: Uint8Array,
  ): void {
    const suite = this.cipherSuite!
    const random = this.random32()
    const { share, secret } = this.#respond(group, clientShare)
    const hello = encodeServerHello(random, suite.id, { group: group.id, keyExchange: share }, ticket?.index)
    this.send(EncryptionLevel.initial, hello)
    this.#retry = undefined
    this.raise(HandshakeEvent.sendServerHello)
    this.installHandshakeKeys(early.enterHandshake(suite, secret, this.transcript.current()))
    this.enterLevel(EncryptionLevel.handshake)
  }

  #respond(group: KeyExchangeGroup, clientShare: Uint8Array) {
    try {
      return group.respond(clientShare, this.entropy)
    } catch (error) {
      // RFC 8446 sections 4.2.8.2 and 7.4.2
      if (error instanceof KeyExchangeError) throw alertError(Alert.illegalParameter, 'unusable key share')
      throw error
    }
  }

  /** @param identity undefined when a ticket stands for the certificate (RFC 8446 section 2.2) */
  #sendFlight(identity: IdentityChoice | undefined): void {
    const { quicTransportParameters, clientAuthentication } = this.#config
    const level = EncryptionLevel.handshake
    const acknowledgesName = identity?.matchedName ?? false
    this.send(
      level,
      encodeEncryptedExtensions(
        this.alpn!,
        quicTransportParameters,
        acknowledgesName,
        this.#acceptsEarlyData,
      ),
    )
    if (identity !== undefined) {
      if (clientAuthentication !== undefined) {
        this.send(level, CERTIFICATE_REQUEST)
        this.raise(HandshakeEvent.sendCertificateRequest)
      }
      this.sendCertificate(identity.prepared, identity.scheme)
    }
    this.sendFinished()
    this.raise(HandshakeEvent.sendFinished)
    this.installApplicationWriteKeys(this.handshakeStage!.enterApplication(this.transcript.current()))
  }

  #handleCertificate(message: Uint8Array): void {
    const chain = parseCertificate(message)
    if (chain.length > 0) {
      this.acceptChain(chain, message)
      this.raise(HandshakeEvent.recvCertificate)
      return
    }
    // RFC 8446 section 4.4.2.4: certificate_required where a certificate is demanded
    if (this.#config.clientAuthentication === 'require') {
      throw alertError(Alert.certificateRequired, 'a client certificate is required')
    }
    this.transcript.add(message)
    this.raise(HandshakeEvent.recvCertificateEmpty)
  }

  #handleCertificateVerify(message: Uint8Array): void {
    this.verifyCertificateVerify(message)
    this.raise(HandshakeEvent.recvCertificateVerify)
  }

  #handleFinished(message: Uint8Array): void {
    this.verifyFinished(message)
    this.expectLevelEnd()
    const tickets = this.#wantsTickets ? this.#tickets : undefined
    const secret = tickets && this.applicationStage!.resumptionSecret(this.transcript.current())
    this.installApplicationReadKeys()
    this.raise(HandshakeEvent.recvFinished)
    if (tickets !== undefined) this.#sendTickets(tickets, secret!)
  }

  /** RFC 8446 section 4.6.1: after the client's Finished, so that a ticket always stands for a whole handshake. */
  #sendTickets(tickets: SessionTickets, secret: Uint8Array): void {
    const count = this.isResumed ? TICKETS_PER_RESUMPTION : TICKETS_PER_HANDSHAKE
    const suite = this.cipherSuite!
    const transportState = this.output.rememberedTransportState?.() ?? NO_BINDING
    // Anew: the version may be another one than that of the ClientHello.
    const binding = this.#bindingOf(this.serverName, this.alpn!)
    const random = new Uint8Array(4)
    for (let index = 0; index < count && !this.isOver; index++) {
      const nonce = Uint8Array.of(index)
      this.entropy.fill(random)
      const ageAdd = new DataView(random.buffer).getUint32(0)
      const psk = ticketPsk(suite, secret, nonce)
      const state = { suite: suite.id, psk, ageAdd, binding, transportState }
      const ticket = tickets.issue(state)
      const { lifetime, allowsEarlyData } = tickets
      const message = encodeNewSessionTicket({ lifetime, ageAdd, nonce, ticket, allowsEarlyData })
      this.output.writeCrypto(EncryptionLevel.application, message)
    }
  }
}
