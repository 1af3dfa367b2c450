// The byte tunnel of an accepted CONNECT on a request stream (RFC 9114 section 4.4, RFC 9220) as a Duplex of Node, so
// that libraries which expect a socket run on it. Half-close is a FIN, destroy() a reset. Made by the exchange of a
// server and by the client when the other side has answered 2xx; both pass the stream's events on.
import { Duplex } from 'node:stream'
import { H3ErrorCode } from '../http3/index.ts'
import { COALESCED_BODY_BYTES } from '../http3/limits.ts'

/** What a tunnel needs of its stream; RequestStream has it. */
export interface TunnelStream {
  /** The peer's last byte was read. */
  readonly isBodyComplete: boolean
  /** Our direction was ended or reset. */
  readonly isEnded: boolean
  readonly isReset: boolean
  /** A borrowed view of what has come, undefined when nothing is there. */
  readBody(): Uint8Array | undefined
  /** Keeps large chunks by reference; false = wait for handleWritable. */
  write(chunk: Uint8Array): boolean
  end(): void
  reset(code?: number): void
}

/** Runs what may lead into code of the user; its errors must not come out again. */
export type Containment = (run: () => void) => void

export interface TunnelOptions {
  /** With which code destroy(error) resets the stream; default H3_REQUEST_CANCELLED. */
  readonly errorCode?: number
  readonly contain: Containment
}

export class StreamTunnel extends Duplex {
  /** Resolves when both directions are over, or the tunnel was destroyed. */
  readonly gone: Promise<void>
  readonly #stream: TunnelStream
  readonly #contain: Containment
  #errorCode: number
  #isWanted = false
  #hasEnded = false
  #flush: ((error?: Error) => void) | undefined

  constructor(stream: TunnelStream, options: TunnelOptions) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    this.#contain = options.contain
    this.#errorCode = options.errorCode ?? H3ErrorCode.H3_REQUEST_CANCELLED
    this.gone = new Promise((resolve) => this.once('close', resolve))
    // The peer may break off at any time: that is no error of this process.
    this.on('error', ignore)
  }

  /** Listeners are code of the user, and they are called from within the transport. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    let isHeard = false
    this.#contain(() => {
      isHeard = super.emit(event, ...values)
    })
    return isHeard
  }

  /** Resets both directions with a code of its own. */
  abort(code: number, error: Error): void {
    this.#errorCode = code
    this.destroy(error)
  }

  /** The stream has bytes. */
  handleReadable(): void {
    if (this.#isWanted) this.#pull()
  }

  /** The peer has ended its direction, and everything was read. */
  handleEnd(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.push(null)
  }

  /** The stream takes bytes again. */
  handleWritable(): void {
    const flush = this.#flush
    this.#flush = undefined
    flush?.()
  }

  override _read(): void {
    this.#isWanted = true
    this.#pull()
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    // The writer may use its buffer again after the callback, the stream keeps what is not acknowledged.
    this.#send(chunk.length <= COALESCED_BODY_BYTES ? chunk : new Uint8Array(chunk), callback)
  }

  override _writev(
    chunks: { chunk: Uint8Array; encoding: string }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback)
  }

  override _final(callback: () => void): void {
    this.#stream.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const stream = this.#stream
    this.#flush = undefined
    if (!stream.isEnded || stream.isReset || !stream.isBodyComplete) {
      stream.reset(error === null ? H3ErrorCode.H3_REQUEST_CANCELLED : this.#errorCode)
    }
    callback(error)
  }

  #send(bytes: Uint8Array, callback: (error?: Error) => void): void {
    if (this.#stream.isReset) callback(new Error('the tunnel was reset'))
    else if (this.#stream.write(bytes)) callback()
    else this.#flush = callback
  }

  #pull(): void {
    while (this.#isWanted && !this.destroyed) {
      const view = this.#stream.readBody()
      if (view === undefined) return
      this.#isWanted = this.push(Buffer.from(view))
    }
  }
}

function ignore(): void {}
