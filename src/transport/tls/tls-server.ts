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
import { earlyStageWithoutPsk } from './key-schedule-stages.ts'
import { encodeCertificateRequest, isEmptyCertificate, parseCertificate } from './messages/certificate.ts'
import { type ClientHello, checkSecondHello, parseClientHello } from './messages/client-hello.ts'
import { encodeEncryptedExtensions } from './messages/encrypted-extensions.ts'
import { encodeHelloRetryRequest, encodeServerHello } from './messages/server-hello.ts'
import { chooseGroup, chooseProtocol, chooseSuite } from './negotiation.ts'
import { TlsEndpoint } from './tls-endpoint.ts'
import type { ServerTlsConfig, TlsOutput } from './tls-output.ts'

const DEFAULT_GROUPS: readonly number[] = KEY_EXCHANGE_GROUPS.map((group) => group.id)

/** The CertificateRequest is always the same: we accept from clients whatever we can verify. */
const CERTIFICATE_REQUEST = encodeCertificateRequest(SUPPORTED_SCHEMES)

/** What has been asked for by a HelloRetryRequest. */
interface Retry {
  readonly firstHello: ClientHello
  readonly group: KeyExchangeGroup
}

interface Choices {
  readonly suite: CipherSuite
  readonly alpn: string
  readonly identity: IdentityChoice
}

export class TlsServer extends TlsEndpoint {
  readonly #config: ServerTlsConfig
  #retry: Retry | undefined

  /**
   * @param owner told about the end of the handshake machine's actor
   */
  constructor(config: ServerTlsConfig, output: TlsOutput, entropy: Entropy, owner: ActorOwner) {
    super('server', serverHandshake, output, entropy, owner, config.keyLog === true)
    this.#config = config
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
    const { suite, alpn, identity } = this.#choose(hello)
    const { group, share } = chooseGroup(this.#config.groups ?? DEFAULT_GROUPS, hello.groups, hello.keyShares)
    this.raise(HandshakeEvent.recvClientHello)
    this.cipherSuite = suite
    this.transcript.start(suite.hash)
    this.transcript.add(message)
    if (share === undefined) {
      this.#requestShare(message, group)
      return
    }
    this.expectLevelEnd()
    this.alpn = alpn
    this.serverName = hello.serverName
    this.clientRandom = new Uint8Array(hello.random)
    this.output.handlePeerTransportParameters(new Uint8Array(hello.transportParameters))
    this.#sendServerHello(group, share.keyExchange)
    this.#sendFlight(identity)
  }

  #choose(hello: ClientHello): Choices {
    const { alpn, identities, suites, backends } = this.#config
    return {
      suite: chooseSuite(suites ?? backends.preferredSuites, hello.cipherSuites),
      alpn: chooseProtocol(alpn, hello.alpn),
      identity: identityTable(identities).choose(hello.serverName, hello.signatureSchemes),
    }
  }

  /** RFC 8446 section 4.1.4. The machine lets this happen once. */
  #requestShare(hello: Uint8Array, group: KeyExchangeGroup): void {
    this.#retry = { firstHello: parseClientHello(new Uint8Array(hello)), group }
    this.transcript.replaceByMessageHash()
    this.send(EncryptionLevel.initial, encodeHelloRetryRequest(this.cipherSuite!.id, group.id))
    this.raise(HandshakeEvent.sendHelloRetryRequest)
  }

  #sendServerHello(group: KeyExchangeGroup, clientShare: Uint8Array): void {
    const suite = this.cipherSuite!
    const random = this.random32()
    const { share, secret } = this.#respond(group, clientShare)
    const hello = encodeServerHello(random, suite.id, { group: group.id, keyExchange: share })
    this.send(EncryptionLevel.initial, hello)
    this.#retry = undefined
    this.raise(HandshakeEvent.sendServerHello)
    const stage = earlyStageWithoutPsk(suite).enterHandshake(suite, secret, this.transcript.current())
    this.installHandshakeKeys(stage)
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

  #sendFlight({ prepared, scheme, matchedName }: IdentityChoice): void {
    const { quicTransportParameters, clientAuthentication } = this.#config
    const level = EncryptionLevel.handshake
    this.send(level, encodeEncryptedExtensions(this.alpn!, quicTransportParameters, matchedName))
    if (clientAuthentication !== undefined) {
      this.send(level, CERTIFICATE_REQUEST)
      this.raise(HandshakeEvent.sendCertificateRequest)
    }
    this.sendCertificate(prepared, scheme)
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
    this.installApplicationReadKeys()
    this.raise(HandshakeEvent.recvFinished)
  }
}
