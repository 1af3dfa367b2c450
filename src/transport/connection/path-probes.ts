// Datagrams of PATH_CHALLENGE and PATH_RESPONSE, each on the path that it is about (RFC 9000 sections 8.2.1 and
// 8.2.2). Called by the transmitter before anything else, so that a challenge is the first that a new path carries.
import { FrameType, PATH_FRAME_LENGTH, writePathFrame } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import type { DatagramBatch } from './datagram-batch.ts'
import { MIN_DATAGRAM_SIZE } from './limits.ts'
import { Space } from './packet-space.ts'
import { PacketWriter } from './packet-writer.ts'
import type { Path } from './path.ts'

/** Header, one frame, the header-protection sample and the tag. */
const MIN_PROBE = 56
const CHALLENGE_LENGTH = 8

export class PathProbes {
  readonly #connection: QuicConnection
  readonly #writer: PacketWriter
  readonly #fill: (bytes: Uint8Array) => void

  /** @param fill with unpredictable bytes */
  constructor(connection: QuicConnection, fill: (bytes: Uint8Array) => void) {
    this.#connection = connection
    this.#fill = fill
    this.#writer = new PacketWriter(connection, connection.spaces[Space.application])
  }

  /** Appends what is due; returns how many datagrams. */
  send(batch: DatagramBatch, now: number): number {
    let sent = 0
    for (const path of this.#connection.paths.list) {
      if (batch.isFull) break
      if ((path.isChallengeDue || this.#mayRespond(path)) && this.#datagram(path, batch, now)) sent++
    }
    return sent
  }

  /** Section 8.2.2: responses are not delayed "unless constrained by congestion control". */
  #mayRespond(path: Path): boolean {
    if (path.responses.length === 0) return false
    const { paths, recovery } = this.#connection
    return path !== paths.active || !recovery.flight.isCongestionBlocked(MIN_DATAGRAM_SIZE)
  }

  #datagram(path: Path, batch: DatagramBatch, now: number): boolean {
    const connection = this.#connection
    const { recovery, paths, peerIds, applicationKeys } = connection
    const keys = applicationKeys?.write
    const isActive = path === paths.active
    const destination = isActive ? peerIds.currentId : path.destination
    // Sections 8.2.1 and 8.2.2: at least 1200 bytes, "unless the anti-amplification limit for the path does not permit".
    const size = Math.min(MIN_DATAGRAM_SIZE, path.sendAllowance)
    if (keys === undefined || destination === undefined || size < MIN_PROBE) return false
    if (!batch.accepts(path.local)) return false
    const { used: start } = batch
    const writer = this.#writer
    // Marks are for the path that is measured.
    recovery.ecn.mark = 0
    writer.begin(keys, batch.buffer, start, start + size, recovery.pool.acquire(), destination.bytes)
    this.#writeFrames(path, size)
    // A datagram that is too small anyway leaves something of the limit for the next challenge.
    if (size === MIN_DATAGRAM_SIZE) writer.padTo(start + size)
    writer.ackEliciting = isActive
    writer.packet.isOffPath = !isActive
    const length = writer.seal(now) - start
    if (isActive) connection.lifetime.handleAckElicitingSent(now)
    batch.commit(length, path.remote)
    path.bytesSent += length
    connection.stats.noteSent(length)
    return true
  }

  #writeFrames(path: Path, size: number): void {
    const writer = this.#writer
    if (path.isChallengeDue) {
      const data = new Uint8Array(CHALLENGE_LENGTH)
      this.#fill(data)
      path.noteChallenge(data, size < MIN_DATAGRAM_SIZE)
      writer.offset = writePathFrame(writer.buffer, writer.offset, FrameType.pathChallenge, data)
    }
    while (path.responses.length > 0 && writer.end - writer.offset >= PATH_FRAME_LENGTH) {
      const data = path.responses.shift()!
      writer.offset = writePathFrame(writer.buffer, writer.offset, FrameType.pathResponse, data)
    }
  }
}
