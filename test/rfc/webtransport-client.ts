// A WebTransport client byte by byte, in a simulated world: settings, CONNECT requests, streams and capsules as a test
// wants them. Used by the tests of draft-ietf-webtrans-http3 in this folder.
import type {
  WebTransportServerSession,
  WebTransportService,
} from '../../src/handlers/webtransport-session.ts'
import { encodeCapsule } from '../../src/http3/index.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { ScriptedPeer, ScriptedStream } from '../leaks/scripted-peer.ts'
import { SIM_SERVER_NAME } from '../sim/identity.ts'
import { WebTransportWorld } from '../sim/webtransport-world.ts'
import { frame, headers, varint } from '../unit/http3/session.ts'

export const H3_DATAGRAM = [0x33, 1]
export const DRAFT_02 = [0x2b603742, 1]
export const CURRENT = [0x2c7cf000, 1, 0x2b64, 10, 0x2b65, 10, 0x2b61, 1_000]
export const WITHOUT_CREDIT = [0x2c7cf000, 1]

export const MESSAGE_ERROR = 0x10e
export const REQUEST_REJECTED = 0x10b
export const ID_ERROR = 0x108

/** A client with a control stream and settings of its own, and one server session per path. */
export class Client {
  readonly world: WebTransportWorld
  readonly peer: ScriptedPeer
  /** Sessions as the server's handler got them. */
  readonly sessions: WebTransportServerSession[] = []
  readonly ends: unknown[] = []
  /** Streams that the server opened, its control stream first. */
  readonly accepted: ScriptedStream[] = []

  constructor(
    service: Partial<WebTransportService> = {},
    transport: Partial<TransportSettings> = {},
    both: Partial<TransportSettings> = {},
  ) {
    const handler = service.handler ?? ((session) => void this.#take(session))
    this.world = new WebTransportWorld({ webtransport: { ...service, handler }, transport: both })
    this.peer = new ScriptedPeer(this.world, transport)
    this.peer.acceptStream = (stream) => {
      const accepted = new ScriptedStream(stream, true)
      this.accepted.push(accepted)
      return accepted
    }
  }

  #take(session: WebTransportServerSession): void {
    this.sessions.push(session)
    session.closed.then(
      (info) => this.ends.push(info),
      (error) => this.ends.push(error.message),
    )
    session.accept()
  }

  async open(settings: readonly number[] | undefined): Promise<this> {
    await this.world.pass(200)
    if (settings !== undefined) this.settings(settings)
    return this
  }

  settings(settings: readonly number[]): void {
    const stream = this.peer.connection.openStream('uni')!
    stream.write(Buffer.concat([varint(0), frame(0x04, Buffer.concat(settings.map(varint)))]))
  }

  /** A CONNECT request for a session. */
  connect(
    protocol = 'webtransport-h3',
    extra: readonly string[] = [],
    path = '/',
    isReading = true,
  ): ScriptedStream {
    const stream = this.peer.open(isReading)
    const target = [':scheme', 'https', ':authority', SIM_SERVER_NAME, ':path', path]
    stream.stream.write(headers([':method', 'CONNECT', ':protocol', protocol, ...target, ...extra]))
    return stream
  }

  /** Settings, a session, and time for the answer. */
  async session(settings: readonly number[] = [...H3_DATAGRAM, ...CURRENT]): Promise<ScriptedStream> {
    await this.open(settings)
    const stream = this.connect()
    await this.world.pass(100)
    return stream
  }

  /** A stream of the client that belongs to a session. */
  bidi(id: number, body = 'hello'): ScriptedStream {
    const stream = this.peer.open()
    stream.stream.write(Buffer.concat([varint(0x41), varint(id), Buffer.from(body)]))
    return stream
  }

  uni(id: number, body = 'hello'): ScriptedStreamLike {
    const stream = this.peer.connection.openStream('uni')!
    const application: ScriptedStreamLike = { stopCode: undefined, end: () => stream.end() }
    stream.application = {
      handleReadable() {},
      handleWritable() {},
      handleReset() {},
      handleStopSending(_stream, code) {
        application.stopCode = code
      },
      handleClosed() {},
    }
    stream.write(Buffer.concat([varint(0x54), varint(id), Buffer.from(body)]))
    return application
  }

  pass(time = 100): Promise<void> {
    return this.world.pass(time)
  }

  /** Error code with which the server closed the connection. */
  get error(): number | undefined {
    return this.peer.closing?.code
  }
}

export interface ScriptedStreamLike {
  stopCode: number | undefined
  end(): void
}

export function capsule(type: number, value: Uint8Array = new Uint8Array(0)): Buffer {
  return frame(0, encodeCapsule(type, value))
}

/** RFC 9204 appendix A: static table entries of :status. */
const STATUS = new Map([
  [25, 200],
  [27, 404],
  [67, 400],
  [68, 403],
  [70, 425],
  [71, 500],
])

/** Status of the answer on a CONNECT stream; 0 for none. */
export function statusOf(stream: ScriptedStream): number {
  const head = Buffer.concat(stream.chunks)
  if (head.length === 0) return 0
  // Type, length, and the two bytes of the section's prefix come first.
  const [line, next] = head.subarray(head[1]! < 0x40 ? 4 : 5)
  if ((line! & 0xc0) === 0xc0) return STATUS.get(line === 0xff ? 63 + next! : line! & 0x3f) ?? -1
  return Number(/[345]\d\d/.exec(head.toString('latin1'))?.[0] ?? -2)
}

export const close = (code: number, reason: string): Buffer => {
  const value = Buffer.alloc(4 + Buffer.byteLength(reason))
  value.writeUInt32BE(code)
  value.write(reason, 4)
  return capsule(0x2843, value)
}
