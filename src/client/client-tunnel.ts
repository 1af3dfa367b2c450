// A CONNECT of the client, with or without a protocol (RFC 9114 section 4.4, RFC 9220): waits for the server's answer
// and makes a byte tunnel of the stream. Used by websocket.ts, connect-udp.ts and ClientSession.connectTunnel.
import {
  H3ErrorCode,
  h3ErrorName,
  type RequestStream,
  type RequestStreamEvents,
  usesCapsules,
} from '../http3/index.ts'
import { DatagramChannel } from '../supervisor/datagram-channel.ts'
import type { DatagramWatcher } from '../transport/connection/index.ts'
import { StreamTunnel } from '../tunnels/stream-tunnel.ts'
import { TunnelDatagrams } from '../tunnels/tunnel-datagrams.ts'
import { ClientError } from './client-error.ts'
import { firstField, type HeadersInput } from './fields.ts'
import { requestFields } from './request-input.ts'
import type { ClientSession } from './session.ts'

/** What a CONNECT asks for (RFC 9110 section 9.3.6, RFC 9220). */
export interface TunnelInput {
  /** Value of :protocol; without it a CONNECT to `authority`. */
  readonly protocol?: string | undefined
  /** Path with query; default "/". Not for a CONNECT without a protocol. */
  readonly path?: string | undefined
  /** Further request fields. */
  readonly headers?: HeadersInput | undefined
  /** Default: the authority the session was opened for. */
  readonly authority?: string | undefined
  /** The protocol is one of HTTP datagrams: those that come before the answer are kept. */
  readonly usesDatagrams?: boolean | undefined
  /** Gives up waiting, or breaks the open tunnel. */
  readonly signal?: AbortSignal | undefined
}

/** The server answered, but with another status than 2xx. */
export class TunnelRefusedError extends ClientError {
  /** Status of the answer. */
  readonly status: number
  /** Fields of the response: name, value, name, value ... */
  readonly headers: readonly string[]

  constructor(status: number, headers: readonly string[]) {
    super('refused', `the server answered CONNECT with status ${status}`)
    this.status = status
    this.headers = headers
  }

  /** First value of a field of the answer; `name` in lower case. */
  header(name: string): string | undefined {
    return firstField(this.headers, name)
  }
}

/** A tunnel that the server has accepted. */
export interface OpenTunnel {
  /** Its bytes, as a Duplex of Node's streams. */
  readonly stream: StreamTunnel
  /** Fields of the response: name, value, name, value ... */
  readonly headers: readonly string[]
  /** The server says that the tunnel carries capsules (RFC 9297 section 3.4). */
  readonly usesCapsules: boolean
  /** Turns the tunnel into one of HTTP datagrams: from now on its bytes are capsules (RFC 9297). */
  datagrams(): TunnelDatagrams
}

/**
 * Opens a tunnel as soon as the server's SETTINGS have come and it allows another stream.
 * @throws TunnelRefusedError, ClientError, TypeError for fields that HTTP does not allow, or the signal's reason
 */
export async function openTunnel(session: ClientSession, input: TunnelInput): Promise<OpenTunnel> {
  const { signal, protocol } = input
  signal?.throwIfAborted()
  if (protocol !== undefined && !(await session.settings).enableConnectProtocol) {
    // RFC 8441 section 3: only "upon receipt" of the setting.
    throw new ClientError('unsupported', 'the server does not offer extended CONNECT (RFC 9220)')
  }
  signal?.throwIfAborted()
  const fields = requestFields({ ...input, method: 'CONNECT' }, session.authority)
  const pending = new PendingTunnel(session, input)
  session.hold()
  session.openStream(fields, true, pending)
  return pending.opened.promise
}

class PendingTunnel implements RequestStreamEvents, OpenTunnel {
  readonly opened = Promise.withResolvers<OpenTunnel>()
  headers: readonly string[] = []
  readonly #session: ClientSession
  readonly #signal: AbortSignal | undefined
  #request: RequestStream | undefined
  #stream: StreamTunnel | undefined
  /** Datagrams that came before anybody asked for them. */
  readonly #early: DatagramChannel | undefined
  #datagrams: TunnelDatagrams | undefined
  #isOver = false

  constructor(session: ClientSession, { signal, usesDatagrams }: TunnelInput) {
    this.#session = session
    this.#signal = signal
    this.#early = usesDatagrams === true ? new DatagramChannel() : undefined
    signal?.addEventListener('abort', this.#handleAbort, { once: true })
  }

  get stream(): StreamTunnel {
    return this.#stream!
  }

  get usesCapsules(): boolean {
    return usesCapsules(this.headers)
  }

  take(request: RequestStream): void {
    if (this.#isOver) {
      request.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
      return
    }
    this.#request = request
    request.events = this
  }

  refuse(reason: unknown): void {
    this.#finish(reason)
  }

  datagrams(): TunnelDatagrams {
    const request = this.#request!
    const { connection } = request
    const tunnel = this.stream
    this.#datagrams ??= new TunnelDatagrams({
      tunnel,
      channel: this.#early,
      frames: {
        get maxPayload(): number {
          const { settings, peerSettings } = connection
          return settings.h3Datagram && peerSettings.h3Datagram ? connection.datagrams.maxPayload(request) : 0
        },
        send: (payload: Uint8Array, watcher?: DatagramWatcher) =>
          connection.datagrams.send(request, payload, watcher),
      },
      fail: (error) => tunnel.abort(H3ErrorCode.H3_MESSAGE_ERROR, error),
      charge: (points) => connection.charge(points),
    })
    return this.#datagrams
  }

  handleHead(status: number, fields: string[]): void {
    const request = this.#request!
    this.headers = fields
    if (status < 200 || status > 299) {
      this.#finish(new TunnelRefusedError(status, fields))
      request.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
      return
    }
    this.#stream = new StreamTunnel(request, { contain: throwLater })
    void this.#stream.gone.then(() => this.#finish(undefined))
    this.opened.resolve(this)
  }

  handleBodyReadable(): void {
    this.#stream?.handleReadable()
  }

  handleBodyEnd(): void {
    this.#stream?.handleEnd()
  }

  handleWritable(): void {
    this.#stream?.handleWritable()
  }

  handleDatagram(payload: Uint8Array): void {
    if (this.#datagrams === undefined) this.#early?.push(payload)
    else this.#datagrams.receive(payload)
  }

  handleReset(code: number, isLocal: boolean): void {
    const who = isLocal ? 'what the server sent is not valid' : 'the server reset the stream'
    const kind = code === H3ErrorCode.H3_REQUEST_REJECTED ? 'rejected' : 'reset'
    this.#break(new ClientError(kind, `${who} (${h3ErrorName(code)})`, code))
  }

  handleStopSending(code: number): void {
    this.#break(new ClientError('reset', `the server takes no more (${h3ErrorName(code)})`, code))
  }

  handleClosed(outcome: 'closed' | 'reset'): void {
    // A stream that has ended well may still have bytes for its reader.
    if (this.#stream === undefined || outcome === 'reset') this.#break(this.#session.endReason())
  }

  #break(reason: ClientError): void {
    if (this.#stream === undefined) {
      this.#finish(reason)
      this.#request?.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
    } else this.#stream.destroy(reason)
  }

  #finish(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#handleAbort)
    this.#session.release()
    if (reason !== undefined) this.opened.reject(reason)
  }

  #handleAbort = (): void => {
    const reason: unknown = this.#signal?.reason
    if (this.#stream !== undefined) this.#stream.destroy(reason instanceof Error ? reason : undefined)
    else {
      this.#finish(reason)
      this.#request?.reset(H3ErrorCode.H3_REQUEST_CANCELLED)
    }
  }
}

/** What a listener throws ends the process as it would from any listener, but does not unwind the transport. */
function throwLater(run: () => void): void {
  try {
    run()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
