// Takes the datagrams of a channel one after another, as an async iterator: one wait at a time. Made by what hands datagrams
// to user code: exchanges of HTTP/3, and tunnels.
import type { DatagramChannel } from './datagram-channel.ts'

const DONE: IteratorResult<Uint8Array> = { value: undefined, done: true }

export class DatagramReader implements AsyncIterator<Uint8Array> {
  readonly #channel: DatagramChannel
  #reading: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined
  #isFinished = false

  constructor(channel: DatagramChannel) {
    this.#channel = channel
    channel.onChange = () => this.#deliver()
  }

  /** Nothing comes any more; what waits is still handed out. */
  finish(): void {
    this.#isFinished = true
    this.#deliver()
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const result = this.#take()
    if (result !== undefined) return Promise.resolve(result)
    if (this.#reading !== undefined) return alreadyRead()
    this.#reading = Promise.withResolvers()
    return this.#reading.promise
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    return Promise.resolve(DONE)
  }

  #take(): IteratorResult<Uint8Array> | undefined {
    const value = this.#channel.take()
    if (value !== undefined) return { value, done: false }
    return this.#isFinished || this.#channel.isClosed ? DONE : undefined
  }

  #deliver(): void {
    const result = this.#reading === undefined ? undefined : this.#take()
    if (result === undefined) return
    const reading = this.#reading!
    this.#reading = undefined
    reading.resolve(result)
  }
}

/** Whoever does not wait for the answer of a second reader has no error to catch. */
function alreadyRead(): Promise<never> {
  const failed = Promise.reject(new Error('the datagrams are being read already'))
  failed.catch(() => {})
  return failed
}
