// The client's side of the TLS 1.3 handshake for QUIC, RFC 8446 section 2 and appendix A.1, RFC 9001 section 4.
// One per client connection; the connection calls start, feeds it CRYPTO bytes and obeys its TlsOutput calls.

import type { ActorOwner } from '../../machines/index.ts'
import { clientHandshake, HandshakeEvent } from '../../machines/index.ts'
import type { Entropy } from '../crypto/entropy.ts'
import {
  groupById,
  KEY_EXCHANGE_GROUPS,
  KeyExchangeError,
  type KeyExchangeGroup,
  type KeyShare,
} from '../crypto/key-exchange.ts'
import { SUPPORTED_SCHEMES } from '../crypto/signatures.ts'
import { suiteById } from '../crypto/suites.ts'
import { TransportErrorCode } from '../wire/errors.ts'
import { Alert, alertError, transportError } from './alerts.ts'
import { EncryptionLevel } from './encryption-level.ts'
import { checkSolicited, ExtensionType } from './extension-block.ts'
import type { KeyShareEntry } from './extension-bodies.ts'
import { HandshakeType } from './handshake-type.ts'
import { prepareIdentity } from './identity.ts'
import { type EarlyStage, earlyStageWithoutPsk, ticketPsk } from './key-schedule-stages.ts'
import { MAX_KEPT_TICKET_BYTES, MAX_TICKETS_TAKEN } from './limits.ts'
import { encodeCertificate, parseCertificate, parseCertificateRequest } from './messages/certificate.ts'
import { type ClientHelloOffer, encodeClientHello, offeredTypes } from './messages/client-hello.ts'
import { parseEncryptedExtensions } from './messages/encrypted-extensions.ts'
import { parseNewSessionTicket } from './messages/finished.ts'
import { isHelloRetryRequest, parseHelloRetryRequest, parseServerHello } from './messages/server-hello.ts'
import { canonicalName, isAddressLiteral } from './server-name.ts'
import { TicketOffer } from './ticket-offer.ts'
import { TlsEndpoint } from './tls-endpoint.ts'
import type { ClientTlsConfig, TlsOutput } from './tls-output.ts'

const DEFAULT_GROUPS: readonly number[] = KEY_EXCHANGE_GROUPS.map((group) => group.id)

/** PKCS#1 v1.5 with SHA-256, -384, -512: in certificates only, RFC 8446 section 4.2.3. */
const CERTIFICATE_ONLY_SCHEMES: readonly number[] = [0x0401, 0x0501, 0x0601]
const OFFERED_SCHEMES: readonly number[] = [...SUPPORTED_SCHEMES, ...CERTIFICATE_ONLY_SCHEMES]

interface OfferedShare {
  readonly group: KeyExchangeGroup
  readonly share: KeyShare
}

export class TlsClient extends TlsEndpoint {
  readonly #config: ClientTlsConfig
  readonly #suites: readonly number[]
  readonly #groups: readonly number[]
  #offer: ClientHelloOffer | undefined
  #requestedTypes: readonly number[] = []
  #shares: OfferedShare[] = []
  #retrySuite: number | undefined
  /** Schemes of a CertificateRequest; undefined when the server asked for no certificate. */
  #clientSchemes: readonly number[] | undefined
  #ticket: TicketOffer | undefined
  /** 0-RTT packets may be sent, or have been, and the server has not said what it makes of them. */
  #isEarlyDataOpen = false
  #resumptionSecret: Uint8Array | undefined
  #ticketsTaken = 0
  /** Key exchange group that the server chose. */
  #group: number | undefined

  /**
   * @param owner told about the end of the handshake machine's actor
   */
  constructor(config: ClientTlsConfig, output: TlsOutput, entropy: Entropy, owner: ActorOwner) {
    super('client', clientHandshake, output, entropy, owner, config.keyLog === true)
    this.#config = config
    this.#suites = config.suites ?? config.backends.preferredSuites
    this.#groups = config.groups ?? DEFAULT_GROUPS
    this.serverName = canonicalName(config.serverName)
  }

  /**
   * Sends the ClientHello. Called once.
   * @param _now milliseconds; tickets go by the wall clock of `resumption` instead
   */
  start(_now: number): void {
    this.#ticket = TicketOffer.from(this.#config, this.#suites)
    const name = this.serverName!
    this.clientRandom = this.random32()
    this.#shares = this.#groupsToOffer().map((id) => this.#makeShare(id))
    this.#offer = {
      random: this.clientRandom,
      cipherSuites: this.#suites,
      serverName: isAddressLiteral(name) ? undefined : name,
      alpn: this.#config.alpn,
      groups: this.#groups,
      signatureSchemes: OFFERED_SCHEMES,
      keyShares: this.#shares.map(entryOf),
      transportParameters: this.#config.quicTransportParameters,
      cookie: undefined,
      allowsPsk: this.#config.resumption !== undefined,
      hasEarlyData: this.#mayOfferEarlyData,
      ...this.#ticket?.fields,
    }
    const hello = this.#sendHello(this.#offer)
    if (!this.#mayOfferEarlyData) return
    this.#isEarlyDataOpen = true
    this.installEarlyKeys(this.#ticket!.suite, this.#ticket!.earlyTraffic(hello))
  }

  override discard(): void {
    super.discard()
    this.#ticket = undefined
    this.#resumptionSecret = undefined
  }

  /**
   * Whose shares go into the first ClientHello. With the server's choice of last time, early data and what it needs fit
   * into one datagram.
   */
  #groupsToOffer(): readonly number[] {
    const known = this.#ticket?.ticket.group
    if (this.#config.offerGroups !== undefined) return this.#config.offerGroups
    return known !== undefined && this.#groups.includes(known) ? [known] : this.#groups.slice(0, 1)
  }

  /** RFC 8446 section 4.2.10: early data goes with the ticket's own cipher suite. */
  get #mayOfferEarlyData(): boolean {
    const offered = this.#ticket
    if (offered === undefined || this.#config.resumption!.earlyData !== true) return false
    return offered.ticket.allowsEarlyData && this.#suites.includes(offered.suite.id)
  }

  #judgeEarlyData(isAccepted: boolean): void {
    if (!this.#isEarlyDataOpen) return
    this.#isEarlyDataOpen = false
    this.output.handleEarlyDataVerdict?.(isAccepted)
  }

  protected override eventOf(message: Uint8Array): number | undefined {
    switch (message[0]) {
      case HandshakeType.serverHello:
        return isHelloRetryRequest(message)
          ? HandshakeEvent.recvHelloRetryRequest
          : HandshakeEvent.recvServerHello
      case HandshakeType.encryptedExtensions:
        return HandshakeEvent.recvEncryptedExtensions
      case HandshakeType.certificateRequest:
        return HandshakeEvent.recvCertificateRequest
      case HandshakeType.certificate:
        return HandshakeEvent.recvCertificate
      case HandshakeType.certificateVerify:
        return HandshakeEvent.recvCertificateVerify
      case HandshakeType.finished:
        return HandshakeEvent.recvFinished
      case HandshakeType.newSessionTicket:
        return HandshakeEvent.recvNewSessionTicket
      case HandshakeType.keyUpdate:
        return HandshakeEvent.recvKeyUpdate
      default:
        return undefined
    }
  }

  protected override handleMessage(type: number, message: Uint8Array): void {
    switch (type) {
      case HandshakeType.serverHello:
        if (isHelloRetryRequest(message)) this.#handleRetryRequest(message)
        else this.#handleServerHello(message)
        break
      case HandshakeType.encryptedExtensions:
        this.#handleEncryptedExtensions(message)
        break
      case HandshakeType.certificateRequest:
        this.#clientSchemes = parseCertificateRequest(message)
        this.transcript.add(message)
        this.raise(HandshakeEvent.recvCertificateRequest)
        break
      case HandshakeType.certificate:
        this.#handleCertificate(message)
        break
      case HandshakeType.certificateVerify:
        this.verifyCertificateVerify(message)
        this.raise(HandshakeEvent.recvCertificateVerify)
        break
      default:
        this.#handleFinished(message)
    }
  }

  protected override handleLateMessage(type: number, message: Uint8Array): void {
    if (type === HandshakeType.newSessionTicket) this.#handleTicket(message)
    else if (type === HandshakeType.certificateRequest) {
      // RFC 9001 section 4.4: "MUST be treated as a connection error of type PROTOCOL_VIOLATION"
      throw transportError(TransportErrorCode.PROTOCOL_VIOLATION, 'client authentication after the handshake')
    } else throw alertError(Alert.unexpectedMessage, `handshake message ${type} after the handshake`)
  }

  protected override requestVerification(): void {
    if (!this.#config.verifyCertificate) this.provideCertificateVerdict(true)
    else {
      const { peerCertificates: chain, serverName } = this
      this.output.requestCertificateVerification({ chain, role: 'server', serverName: serverName! })
    }
  }

  #sendHello(offer: ClientHelloOffer): Uint8Array {
    this.#requestedTypes = offeredTypes(offer)
    const hello = encodeClientHello(offer)
    this.#ticket?.bind(hello, this.#retrySuite === undefined ? undefined : this.transcript)
    this.send(EncryptionLevel.initial, hello)
    this.raise(HandshakeEvent.sendClientHello)
    return hello
  }

  #makeShare(id: number): OfferedShare {
    const group = groupById(id)
    if (group === undefined) throw new RangeError(`key exchange group ${id} is not known`)
    return { group, share: group.generate(this.entropy) }
  }

  /** RFC 8446 section 4.1.4. */
  #handleRetryRequest(message: Uint8Array): void {
    const request = parseHelloRetryRequest(message)
    const offered = [...this.#requestedTypes, ExtensionType.cookie]
    checkSolicited(request.extensions, offered)
    this.#selectSuite(request.cipherSuite)
    this.#checkRetryGroup(request.group, request.cookie)
    this.expectLevelEnd()
    this.raise(HandshakeEvent.recvHelloRetryRequest)
    this.#retrySuite = request.cipherSuite
    this.transcript.replaceByMessageHash()
    this.transcript.add(message)
    if (request.group !== undefined) this.#shares = [this.#makeShare(request.group)]
    // RFC 8446 section 4.1.2: no early data in the second hello, and no ticket of another hash function.
    this.#judgeEarlyData(false)
    if (this.#ticket?.suite.hash !== this.cipherSuite!.hash) this.#ticket = undefined
    const { preSharedKey: _first, ...offer } = this.#offer!
    const keyShares = this.#shares.map(entryOf)
    const again = { keyShares, cookie: request.cookie, hasEarlyData: false }
    this.#offer = { ...offer, ...again, ...this.#ticket?.fields }
    this.#sendHello(this.#offer)
  }

  #checkRetryGroup(group: number | undefined, cookie: Uint8Array | undefined): void {
    // RFC 8446 section 4.1.4: a request that changes nothing is illegal_parameter.
    if (group === undefined && cookie === undefined) {
      throw alertError(Alert.illegalParameter, 'HelloRetryRequest that changes nothing')
    }
    if (group === undefined) return
    // RFC 8446 section 4.2.8: the group must be one we support and have not sent a share for.
    if (!this.#groups.includes(group) || this.#shares.some((entry) => entry.group.id === group)) {
      throw alertError(Alert.illegalParameter, 'HelloRetryRequest for a group not supported or already tried')
    }
  }

  #selectSuite(id: number): void {
    const suite = this.#suites.includes(id) ? suiteById(id) : undefined
    // RFC 8446 sections 4.1.3 and 4.1.4: offered, and the same in ServerHello as in HelloRetryRequest
    if (suite === undefined || (this.#retrySuite ?? id) !== id) {
      throw alertError(Alert.illegalParameter, 'cipher suite was not offered or has changed')
    }
    this.cipherSuite = suite
    this.transcript.start(suite.hash)
  }

  #handleServerHello(message: Uint8Array): void {
    const hello = parseServerHello(message)
    checkSolicited(hello.extensions, this.#requestedTypes)
    this.#selectSuite(hello.cipherSuite)
    const early = this.#foundation(hello.selectedIdentity)
    const secret = this.#agree(hello.keyShare)
    this.expectLevelEnd()
    this.raise(HandshakeEvent.recvServerHello)
    if (this.isResumed) this.raise(HandshakeEvent.pskAccepted)
    this.#shares = []
    this.transcript.add(message)
    const suite = this.cipherSuite!
    this.installHandshakeKeys(early.enterHandshake(suite, secret, this.transcript.current()))
    this.enterLevel(EncryptionLevel.handshake)
  }

  /** Where the key schedule starts: at our ticket if the server took it (RFC 8446 section 4.2.11). */
  #foundation(selectedIdentity: number | undefined): EarlyStage {
    const suite = this.cipherSuite!
    if (selectedIdentity === undefined) return earlyStageWithoutPsk(suite)
    // The extension was solicited, so there is a ticket; only one was offered.
    const offered = this.#ticket!
    if (selectedIdentity !== 0 || offered.suite.hash !== suite.hash) {
      throw alertError(Alert.illegalParameter, 'the server resumes with a ticket that does not fit')
    }
    this.isResumed = true
    return offered.stage
  }

  #agree(entry: KeyShareEntry | undefined): Uint8Array {
    if (entry === undefined) throw alertError(Alert.missingExtension, 'ServerHello without key_share')
    const ours = this.#shares.find((offered) => offered.group.id === entry.group)
    this.#group = entry.group
    // RFC 8446 section 4.2.8: the group must be one of those we sent a share for.
    if (ours === undefined) throw alertError(Alert.illegalParameter, 'key share for a group not offered')
    try {
      return ours.group.complete(ours.share, entry.keyExchange)
    } catch (error) {
      if (error instanceof KeyExchangeError) throw alertError(Alert.illegalParameter, 'unusable key share')
      throw error
    }
  }

  #handleEncryptedExtensions(message: Uint8Array): void {
    const { alpn, transportParameters, acceptsEarlyData } = parseEncryptedExtensions(
      message,
      this.#requestedTypes,
      this.#config.alpn,
    )
    if (acceptsEarlyData) this.#checkEarlyDataAccepted(alpn)
    this.raise(HandshakeEvent.recvEncryptedExtensions)
    this.transcript.add(message)
    this.alpn = alpn
    this.#judgeEarlyData(acceptsEarlyData)
    this.output.handlePeerTransportParameters(new Uint8Array(transportParameters))
  }

  /** RFC 8446 section 4.2.10: early data is accepted with its ticket, cipher suite and protocol or not at all. */
  #checkEarlyDataAccepted(alpn: string): void {
    const { ticket, suite } = this.#ticket!
    if (!this.isResumed || this.cipherSuite!.id !== suite.id || alpn !== ticket.alpn) {
      throw alertError(Alert.illegalParameter, 'early data accepted without what it was sent with')
    }
  }

  #handleCertificate(message: Uint8Array): void {
    const chain = parseCertificate(message)
    // RFC 8446 section 4.4.2.4: an empty Certificate of the server is decode_error.
    if (chain.length === 0) throw alertError(Alert.decodeError, 'the server shows no certificate')
    this.acceptChain(chain, message)
    this.raise(HandshakeEvent.recvCertificate)
  }

  #handleFinished(message: Uint8Array): void {
    this.verifyFinished(message)
    this.expectLevelEnd()
    const stage = this.handshakeStage!.enterApplication(this.transcript.current())
    if (this.#clientSchemes !== undefined) this.#answerCertificateRequest(this.#clientSchemes)
    this.sendFinished()
    this.installApplicationWriteKeys(stage)
    this.installApplicationReadKeys()
    this.#offer = undefined
    if (this.#config.resumption !== undefined) {
      this.#resumptionSecret = stage.resumptionSecret(this.transcript.current())
    }
    this.raise(HandshakeEvent.recvFinished)
  }

  /** RFC 8446 section 4.6.1. What is too large or too much to keep is left. */
  #handleTicket(message: Uint8Array): void {
    const { ticket, lifetime, ageAdd, nonce, allowsEarlyData } = parseNewSessionTicket(message)
    const secret = this.#resumptionSecret
    if (secret === undefined || lifetime === 0 || ticket.length > MAX_KEPT_TICKET_BYTES) return
    if (this.#ticketsTaken >= MAX_TICKETS_TAKEN) return
    this.#ticketsTaken++
    const { resumption, verifyCertificate, version = 0 } = this.#config
    const suite = this.cipherSuite!
    this.output.handleSessionTicket?.({
      ticket: new Uint8Array(ticket),
      psk: new Uint8Array(ticketPsk(suite, secret, nonce)),
      suite: suite.id,
      ageAdd,
      receivedAt: resumption!.now(),
      lifetime,
      allowsEarlyData,
      serverName: this.serverName!,
      alpn: this.alpn!,
      version,
      isVerified: this.isResumed ? this.#ticket!.ticket.isVerified : verifyCertificate,
      group: this.#group,
    })
  }

  /** RFC 8446 section 4.4.2: our certificate, or an empty list when we have none that the server accepts. */
  #answerCertificateRequest(accepted: readonly number[]): void {
    const prepared = this.#config.identity && prepareIdentity(this.#config.identity)
    const scheme = prepared?.schemes.find((id) => accepted.includes(id))
    if (prepared === undefined || scheme === undefined) {
      this.send(EncryptionLevel.handshake, encodeCertificate([]))
    } else this.sendCertificate(prepared, scheme)
  }
}

function entryOf({ group, share }: OfferedShare): KeyShareEntry {
  return { group: group.id, keyExchange: share.publicKey }
}
