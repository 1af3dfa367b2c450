// The way of datagrams from one worker to another: a Unix-domain stream for each direction, opened when it is first
// needed, in a folder that only this user can enter. What a turn of the loop hands over leaves in one write. The queue to
// each worker is bounded; what does not fit counts as lost, as on any network. Made by run-worker.ts.
//
//   send() -> block of this turn -> at its end one write -> socket of the other worker -> FrameReader -> its endpoint
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { RemoteAddress } from '../../transport/connection/index.ts'
import type { Clock } from '../../transport/io/clock.ts'
import { FrameReader, type FrameReceiver, frameLength, writeFrame } from './hand-over-frames.ts'
import { HAND_OVER_BLOCK, HAND_OVER_QUEUE, LINK_RETRY } from './limits.ts'

function pathOf(directory: string, worker: number): string {
  return join(directory, String(worker))
}

/** The stream to one other worker. */
class OutgoingLink {
  readonly #path: string
  readonly #clock: Clock
  #socket: Socket | undefined
  #retryAt = Number.NEGATIVE_INFINITY
  #block: Buffer | undefined
  #used = 0

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /** False when it was dropped: the worker is gone, or too slow. The buffer is borrowed. */
  send(
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
  ): boolean {
    const stream = this.#socket ?? this.#open()
    if (stream === undefined) return false
    const length = frameLength(remote, end - start)
    if (stream.writableLength + this.#used + length > HAND_OVER_QUEUE) return false
    if (this.#used + length > HAND_OVER_BLOCK) this.#flush()
    if (this.#used === 0) this.#clock.immediate(this.#flush)
    this.#block ??= Buffer.allocUnsafeSlow(HAND_OVER_BLOCK)
    this.#used = writeFrame(this.#block, this.#used, socket, ecn, remote, buffer, start, end)
    return true
  }

  close(): void {
    this.#flush()
    this.#socket?.end()
    this.#retryAt = Number.POSITIVE_INFINITY
  }

  #open(): Socket | undefined {
    const now = this.#clock.now()
    if (now < this.#retryAt) return undefined
    const socket = connect(this.#path)
    const forget = (): void => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#used = 0
      this.#retryAt = Math.max(this.#retryAt, this.#clock.now() + LINK_RETRY)
    }
    socket.on('error', forget)
    socket.on('close', forget)
    // Nothing comes back this way; an unread end would keep it half open.
    socket.resume()
    this.#socket = socket
    return socket
  }

  #flush = (): void => {
    if (this.#used === 0) return
    this.#socket?.write(Buffer.from(this.#block!.subarray(0, this.#used)))
    this.#used = 0
  }
}

export class WorkerLinks {
  readonly #outgoing: readonly OutgoingLink[]
  readonly #path: string
  readonly #receive: FrameReceiver
  readonly #incoming = new Set<Socket>()
  #server: Server | undefined

  /**
   * @param directory that only this user can enter
   * @param worker number of this one
   * @param receive takes what others hand over
   */
  constructor(directory: string, worker: number, count: number, clock: Clock, receive: FrameReceiver) {
    this.#path = pathOf(directory, worker)
    this.#receive = receive
    this.#outgoing = Array.from({ length: count }, (_, to) => new OutgoingLink(pathOf(directory, to), clock))
  }

  /** Begins to take what others hand over; rejects with the system's error. */
  listen(): Promise<void> {
    // A forerunner that was killed has left it behind.
    rmSync(this.#path, { force: true })
    const server = createServer((socket) => this.#accept(socket))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#path, () => {
        server.removeListener('error', reject)
        server.on('error', ignore)
        resolve()
      })
    })
  }

  /** Hands a datagram over; false when it was dropped. The buffer is borrowed. */
  send(
    worker: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
  ): boolean {
    return this.#outgoing[worker].send(buffer, start, end, remote, socket, ecn)
  }

  close(): void {
    this.#server?.close()
    for (const link of this.#outgoing) link.close()
    for (const socket of this.#incoming) socket.destroy()
  }

  #accept(socket: Socket): void {
    const reader = new FrameReader(this.#receive)
    this.#incoming.add(socket)
    socket.on('error', ignore)
    socket.on('close', () => this.#incoming.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) socket.destroy()
    })
  }
}

/** The other end notices too, and the datagrams in between are lost. */
function ignore(): void {}
