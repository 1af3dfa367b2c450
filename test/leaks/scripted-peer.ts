// A client that does on its streams exactly what a scenario says, and nothing else: raw HTTP/3 bytes on the streams
// of a real connection, in a simulated world. Used by test/leaks and test/faults.
import type { ConnectionSupervisor } from '../../src/supervisor/connection-supervisor.ts'
import type { SupervisedApplication } from '../../src/supervisor/supervision.ts'
import type { CloseInfo, QuicConnection, TransportSettings } from '../../src/transport/connection/index.ts'
import { QueueEntry, type QuicStream, type StreamApplication } from '../../src/transport/streams/index.ts'
import { SIM_SERVER_NAME } from '../sim/identity.ts'
import { SERVER_ADDRESS, type World } from '../sim/world.ts'
import { frame, headers } from '../unit/http3/session.ts'

/** One stream of the scripted client and all that happened on it. */
export class ScriptedStream implements StreamApplication {
  readonly stream: QuicStream
  readonly closed: Promise<void>
  readonly chunks: Buffer[] = []
  /** Bytes read so far. */
  received = 0
  isFinished = false
  resetCode: number | undefined
  stopCode: number | undefined
  outcome: 'closed' | 'reset' | undefined
  #isReading: boolean
  #resolveClosed!: () => void

  constructor(stream: QuicStream, isReading: boolean) {
    this.stream = stream
    this.#isReading = isReading
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    stream.application = this
  }

  /** Sends a piece of a request body in a DATA frame. */
  sendData(bytes: number): this {
    this.stream.write(frame(0x00, new Uint8Array(bytes)))
    return this
  }

  end(): this {
    this.stream.end()
    return this
  }

  reset(code = 0x10c): this {
    this.stream.reset(code)
    return this
  }

  stop(code = 0x10c): this {
    this.stream.stopSending(code)
    return this
  }

  /** Reads from now on, what has arrived included. */
  startReading(): void {
    this.#isReading = true
    this.handleReadable(this.stream)
  }

  handleReadable(stream: QuicStream): void {
    if (!this.#isReading) return
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read()) {
      this.received += chunk.length
      if (this.chunks.length < 4) this.chunks.push(Buffer.from(chunk))
    }
    if (stream.isReadComplete) this.isFinished = true
  }

  handleWritable(): void {}

  handleReset(_stream: QuicStream, code: number): void {
    this.resetCode = code
  }

  handleStopSending(_stream: QuicStream, code: number): void {
    this.stopCode = code
  }

  handleClosed(_stream: QuicStream, outcome: 'closed' | 'reset'): void {
    this.outcome = outcome
    this.#resolveClosed()
  }
}

/** Stands in the send queue in a stream's place, for one packet. */
class InjectedFrames extends QueueEntry {
  readonly id = 0
  #frames: Uint8Array | undefined

  constructor(frames: Uint8Array) {
    super()
    this.#frames = frames
  }

  hasOutput(): boolean {
    return this.#frames !== undefined
  }

  writeFrames(target: Uint8Array, offset: number, end: number): number {
    if (this.#frames === undefined || end - offset < this.#frames.length) return offset
    target.set(this.#frames, offset)
    const next = offset + this.#frames.length
    this.#frames = undefined
    return next
  }
}

const GET = headers([':method', 'GET', ':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', '/'])
const POST = headers([':method', 'POST', ':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', '/'])

export class ScriptedPeer implements SupervisedApplication {
  readonly world: World
  readonly supervisor: ConnectionSupervisor
  closing: CloseInfo | undefined
  isClosed = false
  isOpen = false

  constructor(world: World, transport: Partial<TransportSettings> = {}, client = world.client) {
    this.world = world
    this.supervisor = client.connect({
      remote: SERVER_ADDRESS,
      tls: { serverName: SIM_SERVER_NAME, alpn: ['h3'], verifyCertificate: false },
      transport,
      application: () => this,
    })
  }

  get connection(): QuicConnection {
    return this.supervisor.connection
  }

  /** Requests that the server's limit allows now. */
  get credit(): number {
    const { max, opened } = this.connection.host.table.local[0]
    return max - opened
  }

  /** A bidirectional stream without a byte on it. @throws Error when the server does not allow one */
  open(isReading = true): ScriptedStream {
    const stream = this.connection.openStream('bidi')
    if (stream === undefined)
      throw new Error(`no stream credit, or the connection ended: ${this.closing?.reason}`)
    return new ScriptedStream(stream, isReading)
  }

  /** A GET whose FIN has been sent. */
  get(path = '/', isReading = true): ScriptedStream {
    return this.begin('GET', path, isReading).end()
  }

  /** A request without its FIN. */
  begin(method = 'POST', path = '/', isReading = true): ScriptedStream {
    const request = this.open(isReading)
    request.stream.write(requestHead(method, path))
    return request
  }

  /** Sends one packet with these frames, whatever state the streams that they speak of are in. */
  inject(frames: Uint8Array): void {
    this.connection.host.queueSend(new InjectedFrames(frames) as unknown as QuicStream)
  }

  /** Waits in virtual time, ms. */
  sleep(time: number): Promise<void> {
    const { clock } = this.world
    return new Promise((resolve) => {
      clock.setTimer(clock.now() + time, resolve)
    })
  }

  handleHandshakeComplete(): void {
    this.isOpen = true
  }

  acceptStream(stream: QuicStream): StreamApplication {
    return new ScriptedStream(stream, true)
  }

  handleStreamCredit(): void {}

  handleClosing(close: CloseInfo): void {
    this.closing = close
  }

  handleClosed(): void {
    this.isClosed = true
  }
}

function requestHead(method: string, path: string): Buffer {
  if (path === '/' && method === 'GET') return Buffer.from(GET)
  if (path === '/' && method === 'POST') return Buffer.from(POST)
  return headers([':method', method, ':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', path])
}
