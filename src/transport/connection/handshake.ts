// The connection's side of the TLS handshake, RFC 9001 section 4: CRYPTO bytes in and out, keys into their spaces,
// transport parameters checked (RFC 9000 section 7.3), completion and confirmation told to the machine.
import { ConnectionEvent } from '../../machines/index.ts'
import { type CipherSuite, packetKeys } from '../crypto/index.ts'
import {
  type CertificateVerdict,
  type ClientTlsConfig,
  type SessionTicket,
  TlsClient,
  type TlsOutput,
  TlsServer,
  type VerificationRequest,
} from '../tls/index.ts'
import {
  decodeTransportParameters,
  defaultTransportParameters,
  encodeTransportParameters,
  greaseParameter,
  QuicError,
  TransportErrorCode,
  type TransportParameters,
} from '../wire/index.ts'
import { ApplicationKeys } from './application-keys.ts'
import type { QuicConnection } from './connection.ts'
import type { ClientTlsOptions, ConnectionOptions, ServerTlsOptions } from './connection-options.ts'
import { EarlyData, encodeRememberedLimits, keepsRememberedLimits, rememberedLimits } from './early-data.ts'
import { MAX_TOKEN_LENGTH, MIN_ACK_DELAY } from './limits.ts'
import { Space } from './packet-space.ts'
import { preferredAddressOf, remoteFrom } from './preferred-address.ts'
import { HandshakeRepeats } from './sent-entries.ts'
import { TimerKind } from './timers.ts'

type GivenToTls = Pick<ClientTlsConfig, 'backends' | 'keyLog' | 'quicTransportParameters' | 'version'>

export class Handshake implements TlsOutput {
  readonly tls: TlsServer | TlsClient
  /** The peer's transport parameters once they are known. */
  peer: TransportParameters | undefined
  readonly early: EarlyData
  readonly #local: TransportParameters
  /** Read by TLS when it is needed: the negotiated version is known only after the first message. */
  readonly #tlsConfig: { quicTransportParameters: Uint8Array; version: number }
  readonly repeats: HandshakeRepeats
  readonly #connection: QuicConnection
  readonly #options: ConnectionOptions

  constructor(connection: QuicConnection, options: ConnectionOptions) {
    this.#connection = connection
    this.repeats = new HandshakeRepeats(connection)
    this.#options = options
    const { backends, entropy, owner, version, resumption } = options
    this.early = new EarlyData(connection, resumption?.session)
    this.#local = this.#localParameters()
    connection.log?.begin(this.#local)
    const shared = {
      backends,
      version,
      keyLog: options.keyLog !== undefined,
      quicTransportParameters: encodeTransportParameters(this.#local, options.role),
    }
    if (options.role === 'server') {
      const config = { ...(options.tls as ServerTlsOptions), ...shared }
      this.#tlsConfig = config
      this.tls = new TlsServer(config, this, entropy, owner)
    } else {
      const config = { ...this.#clientOptions(), ...shared }
      this.#tlsConfig = config
      this.tls = new TlsClient(config, this, entropy, owner)
    }
  }

  #clientOptions(): Omit<ClientTlsConfig, keyof GivenToTls> {
    const tls = this.#options.tls as ClientTlsOptions
    const { resumption } = this.#options
    if (resumption === undefined) return tls
    const { now, session, earlyData } = resumption
    return { ...tls, resumption: { now, ticket: session?.ticket, earlyData } }
  }

  start(now: number): void {
    if (this.tls instanceof TlsClient) this.tls.start(now)
  }

  handleCrypto(level: number, bytes: Uint8Array): void {
    this.tls.handleCrypto(level, bytes)
  }

  /** The client confirms the handshake, RFC 9001 section 4.1.2. */
  handleDone(): void {
    if (!this.#connection.isHandshakeComplete) {
      throw new QuicError(
        TransportErrorCode.PROTOCOL_VIOLATION,
        'HANDSHAKE_DONE before the handshake is complete',
      )
    }
    this.#confirm()
  }

  #localParameters(): TransportParameters {
    const { settings, localIds, originalDestinationConnectionId, isServer, retry } = this.#connection
    const first = localIds.active[0]
    const random = new Uint8Array(16)
    this.#options.entropy.fill(random)
    return {
      ...defaultTransportParameters(),
      maxIdleTimeout: settings.maxIdleTimeout,
      initialMaxData: settings.initialMaxData,
      initialMaxStreamDataBidiLocal: settings.initialMaxStreamDataBidiLocal,
      initialMaxStreamDataBidiRemote: settings.initialMaxStreamDataBidiRemote,
      initialMaxStreamDataUni: settings.initialMaxStreamDataUni,
      initialMaxStreamsBidi: settings.initialMaxStreamsBidi,
      initialMaxStreamsUni: settings.initialMaxStreamsUni,
      maxAckDelay: settings.maxAckDelay,
      minAckDelay: settings.ackFrequency ? Math.min(MIN_ACK_DELAY, settings.maxAckDelay) * 1_000 : -1,
      maxDatagramFrameSize: settings.maxDatagramFrameSize,
      disableActiveMigration: settings.disableActiveMigration,
      preferredAddress: preferredAddressOf(this.#options, () => localIds.issuePreferred()),
      greaseQuicBit: settings.greaseQuicBit,
      resetStreamAt: settings.resetStreamAt,
      activeConnectionIdLimit: settings.activeConnectionIdLimit,
      initialSourceConnectionId: first.bytes,
      originalDestinationConnectionId: isServer ? originalDestinationConnectionId : undefined,
      retrySourceConnectionId: isServer ? retry.sourceConnectionId : undefined,
      statelessResetToken: isServer ? first.statelessResetToken : undefined,
      versionInformation: this.#connection.versions.information,
      grease: greaseParameter(random),
    }
  }

  writeCrypto(level: number, bytes: Uint8Array): void {
    this.#connection.spaces[level].crypto.send.append(bytes)
    this.#connection.wake()
  }

  installKeys(level: number, direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void {
    const connection = this.#connection
    const keys = packetKeys(this.#options.backends, suite, secret, connection.version)
    const space = connection.spaces[level]
    if (direction === 'write') {
      space.writeKeys = keys
      if (level === Space.handshake) connection.recovery.setHandshakeKeysAvailable()
      else if (level === Space.application) connection.applicationKeys?.setWrite(keys)
    } else {
      space.readKeys = keys
      if (level === Space.application) {
        connection.applicationKeys = new ApplicationKeys(this.#options.backends, connection.version, keys)
        if (space.writeKeys !== undefined) connection.applicationKeys.setWrite(space.writeKeys)
      }
    }
    connection.wake()
  }

  installEarlyKeys(direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void {
    const connection = this.#connection
    const keys = packetKeys(this.#options.backends, suite, secret, connection.versions.original)
    if (direction === 'read') this.early.readKeys = keys
    else this.early.open(keys)
    connection.wake()
  }

  handleEarlyDataVerdict(isAccepted: boolean): void {
    this.early.settle(isAccepted)
  }

  handleSessionTicket(ticket: SessionTicket): void {
    this.#options.resumption?.onSession?.({ ticket, limits: rememberedLimits(this.peer!) })
  }

  rememberedTransportState(): Uint8Array {
    return encodeRememberedLimits(this.#connection.settings)
  }

  acceptsTransportState(state: Uint8Array): boolean {
    return keepsRememberedLimits(this.#connection.settings, state)
  }

  handlePeerTransportParameters(bytes: Uint8Array): void {
    const connection = this.#connection
    const peer = decodeTransportParameters(bytes, connection.isServer ? 'client' : 'server')
    connection.log?.parametersSet('remote', peer)
    this.#negotiateVersion(peer)
    this.#checkConnectionIds(peer)
    this.early.checkPeerLimits(peer, this.tls.alpn)
    this.peer = peer
    connection.applyPeerParameters(peer)
    if (peer.preferredAddress !== undefined) connection.peerIds.addPreferred(peer.preferredAddress)
  }

  /** RFC 9368 sections 2.3 and 4. Tickets belong to the negotiated version (RFC 9369 section 5). */
  #negotiateVersion(peer: TransportParameters): void {
    const { versions, isServer } = this.#connection
    const isMoved = versions.handlePeerInformation(this.#connection, peer.versionInformation)
    this.#tlsConfig.version = versions.current
    if (!isMoved) return
    this.#local.versionInformation = versions.information
    this.#tlsConfig.quicTransportParameters = encodeTransportParameters(
      this.#local,
      isServer ? 'server' : 'client',
    )
  }

  /** RFC 9000 section 7.3: the IDs in the parameters must be those of the packets. */
  #checkConnectionIds(peer: TransportParameters): void {
    const connection = this.#connection
    if (!same(peer.initialSourceConnectionId, connection.peerIds.current)) {
      throw mismatch('initial_source_connection_id')
    }
    if (connection.isServer) return
    if (!same(peer.originalDestinationConnectionId, connection.originalDestinationConnectionId)) {
      throw mismatch('original_destination_connection_id')
    }
    // Present if and only if there was a Retry: neither may an attacker add one, nor a server deny it.
    const { sourceConnectionId: retryId = NO_ID } = connection.retry
    const announced = peer.retrySourceConnectionId ?? NO_ID
    const isRetried = connection.retry.sourceConnectionId !== undefined
    if (isRetried !== (peer.retrySourceConnectionId !== undefined) || !same(announced, retryId)) {
      throw mismatch('retry_source_connection_id')
    }
  }

  handleHandshakeComplete(): void {
    const connection = this.#connection
    connection.actor.raise(ConnectionEvent.handshakeCompleted)
    connection.timers.clear(TimerKind.handshake)
    connection.localIds.setPeerLimit(this.peer!.activeConnectionIdLimit)
    if (connection.isServer) {
      // RFC 9001 section 4.1.2: for the server, completion is confirmation.
      connection.control.queueHandshakeDone()
      this.early.beginEnd()
      const token = this.#options.newToken?.(connection.remote, connection.version)
      if (token !== undefined) connection.control.queueNewToken(token)
      this.#confirm()
    }
    connection.guard(() => connection.application?.handleHandshakeComplete())
  }

  #confirm(): void {
    const connection = this.#connection
    connection.actor.raise(ConnectionEvent.handshakeConfirmed)
    connection.recovery.setHandshakeConfirmed(connection.now)
    connection.keyUpdates.handleConfirmed(connection.now)
    connection.lifetime.handleConfirmed(connection.now)
    // RFC 9001 section 4.9.2: "An endpoint MUST discard its Handshake keys when the TLS handshake is confirmed".
    connection.discardSpace(Space.handshake)
    this.#followPreferredAddress()
  }

  /** RFC 9000 section 9.6.2: "a client SHOULD ... use path validation" once the handshake is confirmed. */
  #followPreferredAddress(): void {
    const { paths, settings, isServer } = this.#connection
    const preferred = this.peer?.preferredAddress
    if (isServer || preferred === undefined || !settings.followPreferredAddress) return
    const { remote, local } = paths.active
    const address = remoteFrom(preferred, remote.family)
    if (address !== undefined) paths.move(local, address, () => {}, PREFERRED_SEQUENCE)
  }

  /** NEW_TOKEN, RFC 9000 section 8.1.3; the bytes are ours. */
  handleNewToken(token: Uint8Array): void {
    if (token.length <= MAX_TOKEN_LENGTH) this.#options.handleNewToken?.(token)
  }

  requestCertificateVerification(request: VerificationRequest): void {
    const verify = this.#options.verifyCertificate
    if (verify === undefined) {
      this.tls.provideCertificateVerdict(true)
      return
    }
    verify(request, (verdict) => this.#provideVerdict(verdict))
  }

  /** May run outside of packet processing: an alert must not reach the verifier's caller. */
  #provideVerdict(verdict: CertificateVerdict): void {
    const connection = this.#connection
    if (connection.isEnding) return
    connection.guard(() => {
      this.tls.provideCertificateVerdict(verdict)
      connection.receiver.replay()
    })
    connection.wake()
  }

  logKey(line: string): void {
    this.#options.keyLog?.(line)
  }
}

/** Sequence number of the ID in preferred_address, RFC 9000 section 5.1.1. */
const PREFERRED_SEQUENCE = 1
const NO_ID = new Uint8Array(0)

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index])
}

function mismatch(name: string): QuicError {
  return new QuicError(TransportErrorCode.TRANSPORT_PARAMETER_ERROR, `${name} does not match`)
}
