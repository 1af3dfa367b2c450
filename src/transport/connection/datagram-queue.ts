// Unreliable datagrams that wait for a packet, RFC 9221. They are sent once; what became of them is told to who asked.
// A part of QuicConnection.
import type { SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import { datagramHeaderLength, writeDatagramHeader } from '../wire/index.ts'
import { MAX_QUEUED_DATAGRAM_BYTES, MAX_QUEUED_DATAGRAMS } from './limits.ts'

/** `dropped`: it never left, because newer ones pushed it out of the queue or the connection ended. */
export type DatagramFate = 'sent' | 'acknowledged' | 'lost' | 'dropped'

/** Told what became of one datagram. What it throws is counted and goes no further. */
export interface DatagramWatcher {
  handleDatagramFate(fate: DatagramFate): void
}

interface QueuedDatagram {
  readonly bytes: Uint8Array
  readonly watcher: DatagramWatcher | undefined
}

/** Bytes of a 1-RTT packet around one DATAGRAM frame: first byte, longest ID, packet number, tag, type and length. */
const PACKET_OVERHEAD = 1 + 20 + 4 + 16 + 3

export class DatagramQueue {
  #queue: QueuedDatagram[] = []
  #bytes = 0
  /** max_datagram_frame_size of the peer, bytes; 0 when it takes none. */
  peerLimit = 0
  dropped = 0
  /** Watchers that threw. */
  watcherFaults = 0

  get hasOutput(): boolean {
    return this.#queue.length > 0
  }

  get queued(): number {
    return this.#queue.length
  }

  /** Largest payload that fits into one packet now, bytes; 0 when the peer takes no datagrams. */
  maxPayload(maxDatagramSize: number): number {
    return Math.max(0, Math.min(this.peerLimit - 3, maxDatagramSize - PACKET_OVERHEAD))
  }

  /** Queues a payload (kept by reference). The oldest ones are dropped when the queue is full. */
  push(bytes: Uint8Array, watcher: DatagramWatcher | undefined): void {
    this.#queue.push({ bytes, watcher })
    this.#bytes += bytes.length
    // RFC 9221 section 5: bytes and count are capped, so that empty datagrams cost something too.
    while (this.#queue.length > MAX_QUEUED_DATAGRAMS || this.#bytes > MAX_QUEUED_DATAGRAM_BYTES)
      this.#dropOldest()
  }

  #dropOldest(): void {
    const oldest = this.#take()
    this.dropped++
    this.#tell(oldest.watcher, 'dropped')
  }

  #tell(watcher: DatagramWatcher | undefined, fate: DatagramFate): void {
    try {
      watcher?.handleDatagramFate(fate)
    } catch {
      this.watcherFaults++
    }
  }

  #take(): QueuedDatagram {
    const first = this.#queue.shift()!
    this.#bytes -= first.bytes.length
    return first
  }

  /** Writes datagrams while they fit; returns the new offset. */
  writeFrames(target: Uint8Array, offset: number, end: number, packet: SentPacket): number {
    while (this.#queue.length > 0) {
      const { bytes, watcher } = this.#queue[0]
      if (end - offset < datagramHeaderLength(bytes.length, true) + bytes.length) return offset
      this.#take()
      offset = writeDatagramHeader(target, offset, bytes.length, true)
      target.set(bytes, offset)
      offset += bytes.length
      if (watcher === undefined) continue
      packet.addEntry(EntryKind.datagram, new WatchedDatagram((fate) => this.#tell(watcher, fate)))
      this.#tell(watcher, 'sent')
    }
    return offset
  }

  /** The path has come to carry less. @param limit largest payload that still fits, bytes */
  discardLarger(limit: number): void {
    for (let left = this.#queue.length; left > 0; left--) {
      const next = this.#take()
      if (next.bytes.length <= limit) {
        this.#queue.push(next)
        this.#bytes += next.bytes.length
        continue
      }
      this.dropped++
      next.watcher?.handleDatagramFate('dropped')
    }
  }

  /** The connection ends: nothing queued will leave. */
  discard(): void {
    while (this.#queue.length > 0) this.#dropOldest()
  }
}

class WatchedDatagram implements EntryTarget {
  readonly #tell: (fate: DatagramFate) => void

  constructor(tell: (fate: DatagramFate) => void) {
    this.#tell = tell
  }

  handleAcked(): void {
    this.#tell('acknowledged')
  }

  handleLost(): void {
    this.#tell('lost')
  }
}
