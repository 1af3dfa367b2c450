// A TLS server and client joined by queues of CRYPTO bytes, for tests: bytes are cut as a test wants, may be changed
// on the way, and everything that TLS asks of a connection is written down.
import type { ActorOwner, LifeActor } from '../../../../src/machines/index.ts'
import { type Entropy, selectBackends } from '../../../../src/transport/crypto/index.ts'
import {
  type CertificateVerdict,
  type ClientTlsConfig,
  loadIdentity,
  type ServerTlsConfig,
  type SessionTicket,
  TlsClient,
  type TlsOutput,
  TlsServer,
  type VerificationRequest,
} from '../../../../src/transport/tls/index.ts'
import { noteMissed } from '../../../supervision-faults.ts'
import { issue, keyPem } from './certificates.ts'

export const backends = selectBackends()

/** Bytes that look random and are the same for the same seed (xorshift32). */
export function seededEntropy(seed: number): Entropy {
  let state = seed || 1
  return {
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) {
        state ^= state << 13
        state ^= state >>> 17
        state ^= state << 5
        bytes[i] = state
      }
    },
  }
}

export class RecordingOwner implements ActorOwner {
  time = 0
  readonly inspector = undefined
  readonly finals: LifeActor[] = []
  readonly missed: string[] = []
  handleFinal(actor: LifeActor): void {
    this.finals.push(actor)
  }
  handleMissed(actor: LifeActor, state: number, event: number): void {
    noteMissed(actor.table.id, actor.id, actor.table.name[state], actor.table.events[event] ?? 'unknown')
    this.missed.push(`${actor.table.name[state]} x ${actor.table.events[event]}`)
  }
}

export interface Flight {
  level: number
  bytes: Uint8Array
}

export class RecordingOutput implements TlsOutput {
  readonly sent: Flight[] = []
  readonly secrets = new Map<string, string>()
  readonly keyLog: string[] = []
  readonly verifications: VerificationRequest[] = []
  readonly order: string[] = []
  readonly tickets: SessionTicket[] = []
  readonly earlyDataVerdicts: boolean[] = []
  /** Our transport limits as tickets remember them, and the judge of remembered ones. */
  transportState = Uint8Array.of(1, 2, 3)
  peerParameters: Uint8Array | undefined
  isComplete = false
  onVerification: (request: VerificationRequest) => void = () => {}

  writeCrypto(level: number, bytes: Uint8Array): void {
    this.sent.push({ level, bytes })
  }
  installKeys(level: number, direction: 'read' | 'write', _suite: unknown, secret: Uint8Array): void {
    this.order.push(`${direction}${level}`)
    this.secrets.set(`${direction}${level}`, Buffer.from(secret).toString('hex'))
  }
  installEarlyKeys(direction: 'read' | 'write', _suite: unknown, secret: Uint8Array): void {
    this.order.push(`${direction} early`)
    this.secrets.set(`${direction} early`, Buffer.from(secret).toString('hex'))
  }
  handleEarlyDataVerdict(isAccepted: boolean): void {
    this.earlyDataVerdicts.push(isAccepted)
  }
  handleSessionTicket(ticket: SessionTicket): void {
    this.tickets.push(ticket)
  }
  rememberedTransportState(): Uint8Array {
    return this.transportState
  }
  acceptsTransportState(state: Uint8Array): boolean {
    return Buffer.from(state).equals(this.transportState)
  }
  handlePeerTransportParameters(bytes: Uint8Array): void {
    this.peerParameters = bytes
  }
  handleHandshakeComplete(): void {
    this.order.push('complete')
    this.isComplete = true
  }
  requestCertificateVerification(request: VerificationRequest): void {
    this.verifications.push(request)
    this.onVerification(request)
  }
  logKey(line: string): void {
    this.keyLog.push(line)
  }
}

export interface PairOptions {
  server?: Partial<ServerTlsConfig>
  client?: Partial<ClientTlsConfig>
  /** Answers at once; undefined leaves the question open. */
  verdict?: CertificateVerdict
  seed?: number
}

const leaf = issue({ subject: 'server', names: ['server.test'] })
export const defaultIdentity = loadIdentity(leaf.pem, keyPem(leaf))

export const CLIENT_PARAMETERS = Uint8Array.of(0x0f, 0x01, 0xaa)
export const SERVER_PARAMETERS = Uint8Array.of(0x0f, 0x01, 0xbb)

export class Pair {
  readonly server: TlsServer
  readonly client: TlsClient
  readonly toClient = new RecordingOutput()
  readonly toServer = new RecordingOutput()
  readonly owner = new RecordingOwner()
  /** May replace a flight, or drop it by returning undefined. */
  tamper: (from: 'client' | 'server', flight: Flight) => Flight | undefined = (_from, flight) => flight
  /** Bytes per call of handleCrypto. */
  pieceLength = Number.POSITIVE_INFINITY

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1
    const shared = { alpn: ['h3'], backends }
    this.server = new TlsServer(
      {
        ...shared,
        identities: [defaultIdentity],
        quicTransportParameters: SERVER_PARAMETERS,
        ...options.server,
      },
      this.toClient,
      seededEntropy(seed * 7919),
      this.owner,
    )
    this.client = new TlsClient(
      {
        ...shared,
        serverName: 'server.test',
        quicTransportParameters: CLIENT_PARAMETERS,
        verifyCertificate: false,
        ...options.client,
      },
      this.toServer,
      seededEntropy(seed * 104_729),
      this.owner,
    )
    const { verdict } = options
    if (verdict !== undefined) {
      this.toServer.onVerification = () => this.client.provideCertificateVerdict(verdict)
      this.toClient.onVerification = () => this.server.provideCertificateVerdict(verdict)
    }
  }

  /** Runs until neither side has anything more to say. */
  run(): this {
    this.client.start(0)
    this.exchange()
    return this
  }

  exchange(): void {
    while (this.toServer.sent.length + this.toClient.sent.length > 0) {
      this.#deliver('client', this.toServer.sent.shift())
      this.#deliver('server', this.toClient.sent.shift())
    }
  }

  get isComplete(): boolean {
    return this.toServer.isComplete && this.toClient.isComplete
  }

  #deliver(from: 'client' | 'server', sent: Flight | undefined): void {
    const flight = sent && this.tamper(from, sent)
    if (flight === undefined) return
    const receiver = from === 'client' ? this.server : this.client
    const { bytes, level } = flight
    const length = Math.min(this.pieceLength, bytes.length)
    for (let start = 0; start < bytes.length; start += length) {
      // A copy that is overwritten afterwards: TLS must not keep what it only borrowed. A Buffer, as sockets give
      // them: its slice() does not copy.
      const piece = Buffer.from(bytes.subarray(start, start + length))
      receiver.handleCrypto(level, piece)
      piece.fill(0xee)
    }
  }
}

/** The connection error code of what `work` throws; anything but a QuicError is thrown on. */
export function codeOf(work: () => unknown): number | undefined {
  try {
    work()
  } catch (error) {
    const { name, code } = error as { name: string; code: number }
    if (name === 'QuicError') return code
    throw error
  }
  return undefined
}
