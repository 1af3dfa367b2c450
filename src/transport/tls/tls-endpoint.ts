// What server and client have in common: cutting CRYPTO bytes into messages, asking the handshake machine whether a
// message may come now, the transcript, installing keys, waiting for a certificate verdict, key log and exporter.
// RFC 9001 section 4. The connection owns one TlsServer or TlsClient and calls handleCrypto; see README.md.

import {
  type ActorOwner,
  type ActorSubject,
  ClientHandshakePhase,
  type CompiledMachine,
  createLifeActor,
  HandshakeAction,
  HandshakeEvent,
  type LifeActor,
} from '../../machines/index.ts'
import { equalSecret } from '../crypto/constant-time.ts'
import type { Entropy } from '../crypto/entropy.ts'
import { sign, verify } from '../crypto/signatures.ts'
import type { CipherSuite } from '../crypto/suites.ts'
import { QuicError, TransportErrorCode } from '../wire/errors.ts'
import { Alert, alertError, transportError } from './alerts.ts'
import { EncryptionLevel } from './encryption-level.ts'
import { HandshakeType } from './handshake-type.ts'
import type { PreparedIdentity } from './identity.ts'
import type { ApplicationStage, HandshakeStage } from './key-schedule-stages.ts'
import {
  MAX_HANDSHAKE_BYTES,
  MAX_HANDSHAKE_MESSAGE_BYTES,
  MAX_POST_HANDSHAKE_BYTES,
  MAX_POST_HANDSHAKE_MESSAGE_BYTES,
} from './limits.ts'
import { MessageAssembler } from './message-assembler.ts'
import { encodeCertificateVerify, parseCertificateVerify, signedContent } from './messages/certificate.ts'
import { encodeFinished, parseFinished } from './messages/finished.ts'
import { type PeerKey, peerKeyOf } from './peer-key.ts'
import type { CertificateVerdict, TlsOutput } from './tls-output.ts'
import { Transcript } from './transcript.ts'

export type Role = 'client' | 'server'

/** The phases that both charts have; their codes are the same in both. */
const Phase = ClientHandshakePhase

export abstract class TlsEndpoint implements ActorSubject {
  /** Runs the handshake machine: its state says which message may come. */
  readonly actor: LifeActor
  /** The application protocol, once negotiated (RFC 7301). */
  alpn: string | undefined
  /** What server_name said: lower case at the server, as configured at the client. */
  serverName: string | undefined
  cipherSuite: CipherSuite | undefined
  /** The handshake rests on a ticket: no certificate is shown (RFC 8446 section 2.2). */
  isResumed = false
  /** Server: what it made of the client's early data; undefined where none was offered. */
  earlyData: 'accepted' | 'rejected' | undefined
  /** The peer's chain, DER, leaf first; empty when it showed none. Believe it only when the handshake is complete. */
  peerCertificates: readonly Uint8Array[] = []

  protected readonly output: TlsOutput
  protected readonly entropy: Entropy
  protected readonly transcript = new Transcript()
  protected handshakeStage: HandshakeStage | undefined
  protected applicationStage: ApplicationStage | undefined
  protected clientRandom: Uint8Array | undefined

  readonly #role: Role
  readonly #table: CompiledMachine
  readonly #keyLog: boolean
  readonly #assembler = new MessageAssembler()
  #readLevel: number = EncryptionLevel.initial
  #receivedBytes = 0
  #peerKey: PeerKey | undefined
  #verdict: CertificateVerdict | undefined
  #isWorking = false
  #discarded = false

  constructor(
    role: Role,
    table: CompiledMachine,
    output: TlsOutput,
    entropy: Entropy,
    owner: ActorOwner,
    keyLog: boolean,
  ) {
    this.#role = role
    this.#table = table
    this.#keyLog = keyLog
    this.output = output
    this.entropy = entropy
    this.actor = createLifeActor(table, `${role}Handshake`, owner, this)
    this.actor.start()
  }

  /** Machine event of a message; undefined for a type that this side knows nothing of. */
  protected abstract eventOf(message: Uint8Array): number | undefined
  /** Checks a message that may come now, raises its event, and answers it. */
  protected abstract handleMessage(type: number, message: Uint8Array): void
  /** Judges a message that comes after the handshake (RFC 8446 section 4.6). */
  protected abstract handleLateMessage(type: number, message: Uint8Array): void
  /** The machine waits for the verdict on the peer's chain: ask for it. */
  protected abstract requestVerification(): void

  /**
   * Takes in-order bytes of the CRYPTO stream of one level, split anywhere. They are borrowed until the call returns.
   * @param level EncryptionLevel at which they came
   * @throws QuicError CRYPTO_ERROR 0x0100 + alert, PROTOCOL_VIOLATION, CRYPTO_BUFFER_EXCEEDED
   */
  handleCrypto(level: number, bytes: Uint8Array): void {
    if (this.isOver || bytes.length === 0) return
    this.#guarded(() => {
      // RFC 9001 section 4.1.3: no new data in a level that TLS has left behind.
      if (level !== this.#readLevel) {
        throw transportError(TransportErrorCode.PROTOCOL_VIOLATION, 'CRYPTO data at a level not in use')
      }
      this.#countBytes(bytes.length)
      this.#assembler.lend(bytes)
      this.#readMessages()
    })
  }

  /**
   * Answers requestCertificateVerification. May be called at any time after it, also from within it.
   * @throws QuicError as handleCrypto does: the alert of a refusal, or what messages that waited bring about
   */
  provideCertificateVerdict(verdict: CertificateVerdict): void {
    if (this.isOver || this.#verdict !== undefined) return
    this.#verdict = verdict
    if (!this.#isWorking) this.#guarded(() => this.#readMessages())
  }

  /**
   * Keying material for the application, RFC 8446 section 7.5. Both sides get the same.
   * @param length bytes
   * @throws RangeError before the server's Finished
   */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    if (this.applicationStage === undefined) throw new RangeError('no keying material before the handshake')
    return this.applicationStage.exportKeyingMaterial(label, context, length)
  }

  /** Ends everything: later calls do nothing, secrets and buffers are let go. */
  discard(): void {
    if (this.#discarded) return
    this.#discarded = true
    this.applicationStage = undefined
    this.#assembler.clear()
    this.actor.raise(HandshakeEvent.connectionClosed)
  }

  /** What the machine's actions mean here. Called by the actor, from within raise. */
  perform(action: number): void {
    if (action === HandshakeAction.requestVerification) this.requestVerification()
    else if (action === HandshakeAction.completeHandshake) this.output.handleHandshakeComplete()
    if (action !== HandshakeAction.requestVerification) this.#forgetHandshake()
  }

  /** Tells the machine what has happened. A callback may have discarded us meanwhile: then it is over already. */
  protected raise(event: number): void {
    if (!this.#discarded) this.actor.raise(event)
  }

  /** Sends a message of ours: into the transcript and out. */
  protected send(level: number, message: Uint8Array): void {
    if (this.#discarded) return
    this.transcript.add(message)
    this.output.writeCrypto(level, message)
  }

  protected random32(): Uint8Array {
    const bytes = new Uint8Array(32)
    this.entropy.fill(bytes)
    return bytes
  }

  /**
   * RFC 9001 section 4.1.3: bytes left in a level when its successor's keys come are PROTOCOL_VIOLATION; a KeyUpdate
   * among them is 0x010a (section 6).
   */
  protected expectLevelEnd(): void {
    if (this.#assembler.pendingBytes === 0) return
    if (this.#assembler.pendingType === HandshakeType.keyUpdate) {
      throw alertError(Alert.unexpectedMessage, 'TLS KeyUpdate in QUIC')
    }
    throw transportError(TransportErrorCode.PROTOCOL_VIOLATION, 'CRYPTO data goes on past a change of keys')
  }

  protected enterLevel(level: number): void {
    this.#readLevel = level
    if (level === EncryptionLevel.application) this.#receivedBytes = 0
  }

  protected installHandshakeKeys(stage: HandshakeStage): void {
    const [ours, theirs] = this.#sides(stage.clientTraffic, stage.serverTraffic)
    this.handshakeStage = stage
    this.#log('CLIENT_HANDSHAKE_TRAFFIC_SECRET', stage.clientTraffic)
    this.#log('SERVER_HANDSHAKE_TRAFFIC_SECRET', stage.serverTraffic)
    this.#install(EncryptionLevel.handshake, 'write', ours)
    this.#install(EncryptionLevel.handshake, 'read', theirs)
  }

  /** Keys of 0-RTT packets: the client's to write with, the server's to read with. */
  protected installEarlyKeys(suite: CipherSuite, secret: Uint8Array): void {
    this.#log('CLIENT_EARLY_TRAFFIC_SECRET', secret)
    const direction = this.#role === 'client' ? 'write' : 'read'
    if (!this.#discarded) this.output.installEarlyKeys?.(direction, suite, secret)
  }

  /** Makes the application secrets from the transcript up to the server's Finished; installs our sending keys. */
  protected installApplicationWriteKeys(stage: ApplicationStage): void {
    const [ours] = this.#sides(stage.clientTraffic, stage.serverTraffic)
    this.applicationStage = stage
    this.#log('CLIENT_TRAFFIC_SECRET_0', stage.clientTraffic)
    this.#log('SERVER_TRAFFIC_SECRET_0', stage.serverTraffic)
    if (this.#keyLog) this.#log('EXPORTER_SECRET', stage.exporterSecret)
    this.#install(EncryptionLevel.application, 'write', ours)
  }

  /** RFC 9001 section 5.7: 1-RTT packets are not to be opened before the handshake is complete. */
  protected installApplicationReadKeys(): void {
    const stage = this.applicationStage!
    const [, theirs] = this.#sides(stage.clientTraffic, stage.serverTraffic)
    this.enterLevel(EncryptionLevel.application)
    this.#install(EncryptionLevel.application, 'read', theirs)
  }

  /** Checks the peer's Finished and adds it to the transcript. @throws decrypt_error, decode_error */
  protected verifyFinished(message: Uint8Array): void {
    const received = parseFinished(message, this.cipherSuite!.hashLength)
    const peer = this.#role === 'server' ? 'client' : 'server'
    if (!equalSecret(this.handshakeStage!.finishedData(peer, this.transcript.current()), received)) {
      throw alertError(Alert.decryptError, 'Finished does not verify')
    }
    this.transcript.add(message)
  }

  protected sendFinished(): void {
    const data = this.handshakeStage!.finishedData(this.#role, this.transcript.current())
    this.send(EncryptionLevel.handshake, encodeFinished(data))
  }

  /** Keeps the chain of a Certificate message that has one, and reads its key. @throws the alerts of peerKeyOf */
  protected acceptChain(chain: readonly Uint8Array[], message: Uint8Array): void {
    this.#peerKey = peerKeyOf(chain[0])
    this.peerCertificates = chain
    this.transcript.add(message)
  }

  /** Checks a CertificateVerify over the transcript so far. @throws illegal_parameter, decrypt_error, decode_error */
  protected verifyCertificateVerify(message: Uint8Array): void {
    const { scheme, signature } = parseCertificateVerify(message)
    const { key, schemes } = this.#peerKey!
    // RFC 8446 section 4.4.3: the scheme must have been offered and must fit the key. We offer every scheme that
    // can fit a key, and for certificates only some that fit none.
    if (!schemes.includes(scheme)) {
      throw alertError(Alert.illegalParameter, 'signature scheme was not offered or does not fit the key')
    }
    const signer = this.#role === 'server' ? 'client' : 'server'
    if (!verify(scheme, key, signedContent(signer, this.transcript.current()), signature)) {
      throw alertError(Alert.decryptError, 'CertificateVerify does not verify')
    }
    this.transcript.add(message)
  }

  /** Sends our Certificate and CertificateVerify. */
  protected sendCertificate({ identity, certificateMessage }: PreparedIdentity, scheme: number): void {
    this.send(EncryptionLevel.handshake, certificateMessage)
    const content = signedContent(this.#role, this.transcript.current())
    const signature = sign(scheme, identity.privateKey, content)
    this.send(EncryptionLevel.handshake, encodeCertificateVerify(scheme, signature))
  }

  /** After completion as after failure: what only the handshake needed is let go. */
  #forgetHandshake(): void {
    this.handshakeStage = undefined
    this.transcript.clear()
    this.#peerKey = undefined
  }

  /** Discarded or failed: whatever still comes is ignored. */
  protected get isOver(): boolean {
    return this.#discarded || this.actor.phase === Phase.failed
  }

  #sides(client: Uint8Array, server: Uint8Array): [ours: Uint8Array, theirs: Uint8Array] {
    return this.#role === 'client' ? [client, server] : [server, client]
  }

  #install(level: number, direction: 'read' | 'write', secret: Uint8Array): void {
    if (!this.#discarded) this.output.installKeys(level, direction, this.cipherSuite!, secret)
  }

  #countBytes(count: number): void {
    this.#receivedBytes += count
    const isAfter = this.#readLevel === EncryptionLevel.application
    // RFC 9000 section 7.5: an endpoint that cannot take more CRYPTO data closes with CRYPTO_BUFFER_EXCEEDED.
    if (this.#receivedBytes > (isAfter ? MAX_POST_HANDSHAKE_BYTES : MAX_HANDSHAKE_BYTES)) {
      throw transportError(TransportErrorCode.CRYPTO_BUFFER_EXCEEDED, 'too many handshake bytes')
    }
  }

  #readMessages(): void {
    while (!this.isOver) {
      if (this.actor.phase === Phase.waitVerified && !this.#applyVerdict()) return
      const isAfter = this.#readLevel === EncryptionLevel.application
      const message = this.#assembler.next(
        isAfter ? MAX_POST_HANDSHAKE_MESSAGE_BYTES : MAX_HANDSHAKE_MESSAGE_BYTES,
      )
      if (message === undefined) return
      if (this.actor.phase === Phase.connected) this.handleLateMessage(message[0], message)
      else this.#handleEarlyMessage(message)
    }
  }

  #handleEarlyMessage(message: Uint8Array): void {
    const event = this.eventOf(message)
    const { next, width } = this.#table
    // RFC 8446 section 4: a message that the state does not expect is unexpected_message.
    if (event === undefined || this.#table.phase[next[this.actor.state * width + event]] === Phase.failed) {
      this.actor.raise(event ?? HandshakeEvent.alert)
      throw alertError(Alert.unexpectedMessage, `handshake message ${message[0]} is not expected now`)
    }
    this.handleMessage(message[0], message)
  }

  /** False while there is no verdict: what follows waits. */
  #applyVerdict(): boolean {
    const verdict = this.#verdict
    if (verdict === undefined) return false
    this.actor.raise(
      verdict === true ? HandshakeEvent.certificateVerified : HandshakeEvent.certificateRejected,
    )
    if (verdict !== true) throw alertError(verdict.alert, verdict.reason)
    return true
  }

  /** Runs work on messages; whatever it throws leaves as a QuicError, with the machine at its end. */
  #guarded(work: () => void): void {
    this.#isWorking = true
    try {
      work()
    } catch (error) {
      // A callback has discarded us: there is nobody left to tell.
      if (this.#discarded) return
      this.actor.raise(HandshakeEvent.alert)
      if (error instanceof QuicError) throw error
      const wrapped = alertError(Alert.internalError, 'internal error')
      wrapped.cause = error
      throw wrapped
    } finally {
      this.#isWorking = false
      if (this.isOver) this.#assembler.clear()
      else this.#assembler.release()
    }
  }

  #log(label: string, secret: Uint8Array): void {
    if (!this.#keyLog) return
    this.output.logKey(`${label} ${hex(this.clientRandom!)} ${hex(secret)}`)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
