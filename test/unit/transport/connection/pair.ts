// Two connections in one process, joined by a link that the test controls; no sockets, a virtual clock.
import {
  type ActorOwner,
  type ActorSubject,
  type CompiledMachine,
  createLifeActor,
  type LifeActor,
} from '../../../../src/machines/index.ts'
import {
  type CloseInfo,
  type ConnectionApplication,
  type ConnectionOptions,
  DatagramBatch,
  QuicConnection,
  type RemoteAddress,
  type TransportSettings,
} from '../../../../src/transport/connection/index.ts'
import { type Entropy, selectBackends } from '../../../../src/transport/crypto/index.ts'
import type {
  QuicStream,
  StreamApplication,
  StreamSupervision,
} from '../../../../src/transport/streams/index.ts'
import { noteMissed } from '../../../supervision-faults.ts'
import { ed25519Identity } from './identity.ts'

const backends = selectBackends()

/** Reproducible bytes: xorshift32. */
export class TestEntropy implements Entropy {
  #state: number

  constructor(seed: number) {
    this.#state = seed || 1
  }

  next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next() >>> 16
  }
}

/** Supervises the actors of one connection and remembers what must not happen. */
export class TestSupervisor implements StreamSupervision, ActorOwner {
  time = 0
  readonly inspector = undefined
  readonly live = new Map<LifeActor, QuicStream>()
  readonly missed: string[] = []
  connection!: QuicConnection
  started = 0
  stopped = 0

  startActor(table: CompiledMachine, stream: QuicStream, subject: ActorSubject): LifeActor {
    const actor = createLifeActor(table, stream.id, this, subject)
    this.live.set(actor, stream)
    this.started++
    actor.start()
    return actor
  }

  handleFinal(actor: LifeActor): void {
    const stream = this.live.get(actor)
    if (stream === undefined) return
    this.live.delete(actor)
    this.stopped++
    this.connection.releaseStream(stream.id)
  }

  handleMissed(actor: LifeActor, state: number, event: number): void {
    noteMissed(actor.table.id, actor.id, actor.table.name[state], actor.table.events[event] ?? 'unknown')
    this.missed.push(`${actor.id}: ${actor.table.name[state]} x ${actor.table.events[event]}`)
  }
}

/** Collects what arrives on streams. */
export class TestApplication implements ConnectionApplication, StreamApplication {
  readonly received = new Map<number, Buffer[]>()
  readonly finished = new Set<number>()
  readonly resets = new Map<number, number>()
  readonly stops = new Map<number, number>()
  readonly closedStreams = new Map<number, string>()
  readonly accepted: QuicStream[] = []
  closing: CloseInfo | undefined
  isClosed = false
  isComplete = false
  reads = true
  onStream: ((stream: QuicStream) => void) | undefined
  onReadable: ((stream: QuicStream) => void) | undefined
  onDatagram: ((payload: Uint8Array) => void) | undefined
  writable = 0

  handleHandshakeComplete(): void {
    this.isComplete = true
  }

  acceptStream(stream: QuicStream): StreamApplication {
    this.accepted.push(stream)
    this.onStream?.(stream)
    return this
  }

  handleStreamCredit(): void {}

  handleDatagramFrame(payload: Uint8Array): void {
    this.onDatagram?.(payload)
  }

  handleClosing(info: CloseInfo): void {
    this.closing = info
  }

  handleClosed(): void
  handleClosed(stream: QuicStream, outcome: 'closed' | 'reset'): void
  handleClosed(stream?: QuicStream, outcome?: 'closed' | 'reset'): void {
    if (stream === undefined) this.isClosed = true
    else this.closedStreams.set(stream.id, outcome!)
  }

  handleReadable(stream: QuicStream): void {
    if (this.onReadable !== undefined) this.onReadable(stream)
    else if (this.reads) this.readAll(stream)
  }

  readAll(stream: QuicStream): void {
    const chunks = this.received.get(stream.id) ?? []
    this.received.set(stream.id, chunks)
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read())
      chunks.push(Buffer.from(chunk))
    if (stream.isReadComplete) this.finished.add(stream.id)
  }

  handleWritable(): void {
    this.writable++
  }

  handleReset(stream: QuicStream, code: number): void {
    this.resets.set(stream.id, code)
  }

  handleStopSending(stream: QuicStream, code: number): void {
    this.stops.set(stream.id, code)
  }

  bytes(id: number): Buffer {
    return Buffer.concat(this.received.get(id) ?? [])
  }
}

export class TestEnd {
  readonly supervisor = new TestSupervisor()
  readonly application = new TestApplication()
  readonly connection: QuicConnection
  readonly issued: Uint8Array[] = []

  constructor(
    role: 'server' | 'client',
    originalId: Uint8Array | undefined,
    seed: number,
    transport: Partial<TransportSettings>,
    changes: Partial<ConnectionOptions> = {},
  ) {
    const entropy = new TestEntropy(seed)
    const connectionIds = {
      length: 8,
      issue: () => {
        const bytes = new Uint8Array(8)
        const statelessResetToken = new Uint8Array(16)
        entropy.fill(bytes)
        entropy.fill(statelessResetToken)
        this.issued.push(bytes)
        return { bytes, statelessResetToken }
      },
      retire: () => {},
    }
    const shared = { version: 1, now: 0, entropy, backends, connectionIds, transport, owner: this.supervisor }
    const alpn = ['test']
    this.connection = new QuicConnection({
      ...shared,
      role,
      remote: role === 'server' ? CLIENT_ADDRESS : SERVER_ADDRESS,
      supervision: this.supervisor,
      ...(originalId === undefined ? {} : { originalDestinationConnectionId: originalId }),
      tls:
        role === 'server'
          ? { alpn, identities: [ed25519Identity] }
          : { alpn, serverName: 'localhost', verifyCertificate: false },
      ...changes,
    })
    this.supervisor.connection = this.connection
    this.connection.application = this.application
  }
}

export const CLIENT_ADDRESS: RemoteAddress = { address: '10.0.0.1', port: 5000, family: 4 }
export const SERVER_ADDRESS: RemoteAddress = { address: '10.0.0.2', port: 443, family: 4 }

export interface Datagram {
  at: number
  to: TestEnd
  bytes: Uint8Array
  ecn: number
}

/** A link with a fixed delay; `drop` decides about each datagram by its number and direction. */
export class Pair {
  readonly client: TestEnd
  readonly server: TestEnd
  now = 0
  delay = 10
  drop: (index: number, toServer: boolean, bytes: Uint8Array, mark: number) => boolean = () => false
  /** What the link makes of the ECN field of a datagram. */
  remark: (ecn: number, index: number, toServer: boolean) => number = (ecn) => ecn
  readonly sent = { toServer: 0, toClient: 0 }
  readonly bytesSent = { toServer: 0, toClient: 0 }
  #flying: Datagram[] = []
  readonly #batch = new DatagramBatch()

  constructor(
    options: {
      seed?: number
      client?: Partial<TransportSettings>
      server?: Partial<TransportSettings>
      clientChanges?: Partial<ConnectionOptions>
      serverChanges?: Partial<ConnectionOptions>
    } = {},
  ) {
    const seed = options.seed ?? 1
    this.client = new TestEnd('client', undefined, seed, options.client ?? {}, options.clientChanges)
    const id = this.client.connection.originalDestinationConnectionId
    this.server = new TestEnd('server', id, seed + 1, options.server ?? {}, options.serverChanges)
  }

  /** Lets time pass until nothing is due before `until` (milliseconds), or `done` holds. */
  run(until: number, done: () => boolean = () => false): void {
    const end = this.now + until
    while (true) {
      this.flush(this.client)
      this.flush(this.server)
      if (done()) return
      const next = Math.min(this.#nextArrival(), this.nextDue(this.client), this.nextDue(this.server))
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.#deliver()
      for (const side of [this.client, this.server]) this.fire(side)
    }
    this.now = end
  }

  /** When something of this side is due by itself. */
  protected nextDue(end: TestEnd): number {
    return end.connection.nextTimeout()
  }

  /** Runs what is due. */
  protected fire({ connection }: TestEnd): void {
    if (connection.nextTimeout() <= this.now) connection.handleTimeout(this.now)
  }

  handshake(): this {
    this.run(5_000, () => this.client.application.isComplete && this.server.application.isComplete)
    this.run(500)
    return this
  }

  flush(end: TestEnd): void {
    const toServer = end === this.client
    const batch = this.#batch
    while (end.connection.pollTransmit(batch, this.now) > 0) {
      for (let i = 0; i < batch.count; i++) {
        const bytes = new Uint8Array(
          batch.buffer.subarray(batch.starts[i], batch.starts[i] + batch.lengths[i]),
        )
        this.carry(toServer, bytes, batch.ecn[i])
      }
      batch.reset()
    }
  }

  /** Lets a datagram fly, unless it is lost. */
  protected carry(toServer: boolean, bytes: Uint8Array, mark: number): void {
    const direction = toServer ? 'toServer' : 'toClient'
    this.bytesSent[direction] += bytes.length
    const index = this.sent[direction]++
    if (this.drop(index, toServer, bytes, mark)) return
    const ecn = this.remark(mark, index, toServer)
    this.#flying.push({ at: this.now + this.delay, to: toServer ? this.server : this.client, bytes, ecn })
  }

  /** Hands over bytes as if they came from the other side. */
  inject(to: TestEnd, bytes: Uint8Array, ecn = 0): void {
    const from = to === this.server ? CLIENT_ADDRESS : SERVER_ADDRESS
    to.connection.handleDatagram(bytes, 0, bytes.length, from, this.now, ecn)
  }

  #nextArrival(): number {
    return this.#flying.reduce((least, datagram) => Math.min(least, datagram.at), Number.POSITIVE_INFINITY)
  }

  #deliver(): void {
    const due = this.#flying.filter((datagram) => datagram.at <= this.now)
    this.#flying = this.#flying.filter((datagram) => datagram.at > this.now)
    for (const { to, bytes, ecn } of due) this.inject(to, bytes, ecn)
  }
}
