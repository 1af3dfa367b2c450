// Unreliable datagrams that wait for a packet, RFC 9221. They are sent once; what became of them is told to who asked.
// A part of QuicConnection.
import type { SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import { datagramHeaderLength, writeDatagramHeader } from '../wire/index.ts'
import { MAX_QUEUED_DATAGRAM_BYTES, MAX_QUEUED_DATAGRAMS } from './limits.ts'

/** Told what became of one datagram. `dropped`: it never left, because newer ones pushed it out of the queue. */
export interface DatagramWatcher {
  handleDatagramFate(fate: 'sent' | 'acknowledged' | 'lost' | 'dropped'): void
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
    oldest.watcher?.handleDatagramFate('dropped')
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
      packet.addEntry(EntryKind.datagram, new WatchedDatagram(watcher))
      watcher.handleDatagramFate('sent')
    }
    return offset
  }

  /** The connection ends: nothing queued will leave. */
  discard(): void {
    while (this.#queue.length > 0) this.#dropOldest()
  }
}

class WatchedDatagram implements EntryTarget {
  readonly #watcher: DatagramWatcher

  constructor(watcher: DatagramWatcher) {
    this.#watcher = watcher
  }

  handleAcked(): void {
    this.#watcher.handleDatagramFate('acknowledged')
  }

  handleLost(): void {
    this.#watcher.handleDatagramFate('lost')
  }
}
