// HTTP datagrams of an accepted CONNECT with the capsule protocol (RFC 9297): DATAGRAM frames where both sides have
// them, DATAGRAM capsules on the tunnel where not, and over TCP (section 3.5). What arrives either way is one sequence
// for its owner. Made by exchanges and by the client.
import type { Duplex } from 'node:stream'
import {
  CapsuleReader,
  type CapsuleSink,
  CapsuleType,
  encodeCapsule,
  UNKNOWN_CAPSULE,
} from '../http3/index.ts'
import { DatagramChannel } from '../supervisor/datagram-channel.ts'
import { DatagramReader } from '../supervisor/datagram-reader.ts'
import type { DatagramWatcher } from '../transport/connection/index.ts'
import { MAX_CAPSULE_DATAGRAM, MAX_QUEUED_CAPSULE_BYTES, SKIPPED_CAPSULE_BYTES_PER_GLITCH } from './limits.ts'

/** The unreliable way; absent over TCP. */
export interface DatagramFrames {
  /** Largest payload that fits now, bytes; 0 where the peer takes no DATAGRAM frames. */
  readonly maxPayload: number
  send(payload: Uint8Array, watcher?: DatagramWatcher): void
}

export interface TunnelDatagramsOptions {
  readonly tunnel: Duplex
  readonly frames?: DatagramFrames | undefined
  /** Where datagrams wait for `next()`; default one of its own. */
  readonly channel?: DatagramChannel | undefined
  /** The peer broke the capsule protocol: the message is malformed (RFC 9297 section 3.3). */
  readonly fail: (error: Error) => void
  /** Skipped capsules cost the peer so many points. */
  readonly charge?: ((points: number) => void) | undefined
}

export class TunnelDatagrams implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array>, CapsuleSink {
  /** Resolves when the peer has ended its direction, or the tunnel is gone. */
  readonly gone: Promise<void>
  /** Datagrams of ours that nobody got: too many of them wait for the peer to read. */
  dropped = 0
  readonly #tunnel: Duplex
  readonly #frames: DatagramFrames | undefined
  readonly #channel: DatagramChannel
  readonly #options: TunnelDatagramsOptions
  readonly #reader: CapsuleReader
  readonly #datagrams: DatagramReader
  #onDatagram: ((payload: Uint8Array) => void) | undefined
  #isGone = false

  constructor(options: TunnelDatagramsOptions) {
    const { tunnel } = options
    this.#options = options
    this.#tunnel = tunnel
    this.#frames = options.frames
    this.#channel = options.channel ?? new DatagramChannel()
    this.#reader = new CapsuleReader(this)
    this.#datagrams = new DatagramReader(this.#channel)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.gone = promise
    const finish = (): void => {
      this.#isGone = true
      this.#reader.stop()
      this.#datagrams.finish()
      resolve()
    }
    tunnel.on('data', this.#read)
    tunnel.on('end', () => {
      this.#parse(() => this.#reader.finish())
      finish()
    })
    tunnel.on('close', finish)
    tunnel.on('error', () => {})
  }

  /** Called with each datagram, borrowed for the call, instead of iterating. */
  get onDatagram(): ((payload: Uint8Array) => void) | undefined {
    return this.#onDatagram
  }

  set onDatagram(listener: ((payload: Uint8Array) => void) | undefined) {
    this.#onDatagram = listener
    if (listener === undefined) return
    for (let payload = this.#channel.take(); payload !== undefined; payload = this.#channel.take()) {
      listener(payload)
    }
  }

  /** Largest payload that `send` takes now, bytes; 0 once the tunnel is gone. */
  get maxPayload(): number {
    if (!this.#tunnel.writable) return 0
    return this.#frames === undefined || this.#frames.maxPayload === 0
      ? MAX_CAPSULE_DATAGRAM
      : this.#frames.maxPayload
  }

  /**
   * Sends a datagram; the payload is copied.
   * @throws RangeError when it is larger than maxPayload
   */
  send(payload: Uint8Array, watcher?: DatagramWatcher): void {
    const frames = this.#frames
    if (!this.#tunnel.writable) watcher?.handleDatagramFate('dropped')
    else if (frames !== undefined && frames.maxPayload > 0) frames.send(payload, watcher)
    else this.#sendCapsule(payload, watcher)
  }

  #sendCapsule(payload: Uint8Array, watcher: DatagramWatcher | undefined): void {
    if (payload.length > MAX_CAPSULE_DATAGRAM) throw new RangeError('the datagram is too large for a capsule')
    // A datagram that has to wait long is worth less than the one that comes after it.
    const isFull = this.#tunnel.writableLength + payload.length > MAX_QUEUED_CAPSULE_BYTES
    if (isFull) this.dropped++
    else this.#tunnel.write(encodeCapsule(CapsuleType.datagram, payload))
    watcher?.handleDatagramFate(isFull ? 'dropped' : 'sent')
  }

  /** Ends our direction. */
  end(): void {
    this.#tunnel.end()
  }

  /** Ends both directions at once. */
  destroy(): void {
    this.#tunnel.destroy()
  }

  /** A datagram has come, in a frame or in a capsule; borrowed. */
  receive(payload: Uint8Array): void {
    if (this.#isGone) return
    if (this.#onDatagram === undefined) this.#channel.push(payload)
    else this.#onDatagram(payload)
  }

  // --- the capsule protocol

  maxLength(type: number): number {
    return type === CapsuleType.datagram ? MAX_CAPSULE_DATAGRAM : UNKNOWN_CAPSULE
  }

  handleCapsule(_type: number, value: Uint8Array): void {
    this.receive(value)
  }

  handleSkipped(_type: number, length: number): void {
    this.#options.charge?.(1 + Math.floor(length / SKIPPED_CAPSULE_BYTES_PER_GLITCH))
  }

  #read = (chunk: Uint8Array): void => {
    this.#parse(() => this.#reader.push(chunk))
  }

  #parse(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.fail(error as Error)
    }
  }

  // --- iteration

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return this.#datagrams.next()
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    return this.#datagrams.return()
  }
}
