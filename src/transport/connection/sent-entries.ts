// What recovery reports about packets, passed on to those who put something into them (RFC 9000 section 13.3).
import type { PathMtu, RecoveryEvents, SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import type { QuicConnection } from './connection.ts'
import { MAX_HANDSHAKE_REPEATS, MIN_DATAGRAM_SIZE } from './limits.ts'
import { Space } from './packet-space.ts'

export class SentEntries implements RecoveryEvents {
  readonly #mtu: PathMtu

  constructor(mtu: PathMtu) {
    this.#mtu = mtu
  }

  handleAcked(_space: number, packet: SentPacket): void {
    if (packet.size > MIN_DATAGRAM_SIZE) this.#mtu.onLargePacketAcked(packet.packetNumber)
    for (let i = 0; i < packet.entryCount; i++) {
      const target = packet.targets[i] as EntryTarget
      target.handleAcked(packet.kinds[i], packet.starts[i], packet.ends[i])
    }
  }

  handleLost(_space: number, packet: SentPacket, now: number): void {
    if (packet.size > MIN_DATAGRAM_SIZE && !packet.isMtuProbe)
      this.#mtu.onLargePacketLost(packet.packetNumber, now)
    for (let i = 0; i < packet.entryCount; i++) {
      const target = packet.targets[i] as EntryTarget
      target.handleLost(packet.kinds[i], packet.starts[i], packet.ends[i])
    }
  }
}

/** Entries that a probe leaves alone: connection IDs are counted, and datagrams are never sent twice. */
const NOT_REPEATED: readonly number[] = [
  EntryKind.retireConnectionId,
  EntryKind.newConnectionId,
  EntryKind.datagram,
  EntryKind.mtuProbe,
]

/** RFC 9002 section 6.2.4: a probe carries new data, or else what the oldest packets carried; a PING if need be. */
export function prepareProbes(connection: QuicConnection, index: number, count: number): void {
  const { spaces, mtu, recovery } = connection
  mtu.onProbeTimeout(recovery.ptoCount)
  const space = spaces[index]
  if (space.isDiscarded || space.writeKeys === undefined) return
  prepareSpace(connection, index, count)
  // RFC 9002 section 6.2.4: "the sender SHOULD send ack-eliciting packets from other packet number spaces with
  // in-flight data". Handshake bytes that were lost may be all that the peer waits for, while responses to early data,
  // which it cannot open yet, fill the congestion window.
  for (const other of spaces) {
    if (other === space || other.writeKeys === undefined) continue
    if (other.crypto.hasOutput || recovery.hasAckElicitingInFlight(other.index)) {
      prepareSpace(connection, other.index, Math.max(other.probes, 1))
    }
  }
}

function prepareSpace({ spaces, recovery, host }: QuicConnection, index: number, count: number): void {
  const space = spaces[index]
  space.probes = count
  if (space.crypto.hasOutput || (index === Space.application && host.sendQueue.size > 0)) return
  for (let i = 0; i < count; i++) {
    const packet = recovery.outstandingAt(index, i)
    if (packet !== undefined) repeatEntries(packet)
  }
}

/** What a peer that repeats itself in the handshake seems to miss is sent again. */
const REPEATED_PACKETS = 2

/**
 * RFC 9002 section 6.2.3: a peer that sends again what has arrived already, or a PING in place of something new, has not
 * received all of the handshake. Waiting for a probe timeout would be waiting for nothing; after a few times the answer
 * may not be what is missing, and the timer alone decides.
 */
export class HandshakeRepeats {
  readonly #connection: QuicConnection
  #left = MAX_HANDSHAKE_REPEATS

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  /** An Initial or Handshake packet has brought a PING or CRYPTO bytes that were there. */
  handleRepetition(): void {
    const { spaces, recovery } = this.#connection
    if (this.#left === 0) return
    let isRepeated = false
    for (const { index, writeKeys, probes } of spaces) {
      if (index === Space.application || writeKeys === undefined || probes > 0) continue
      if (!recovery.hasAckElicitingInFlight(index)) continue
      prepareSpace(this.#connection, index, REPEATED_PACKETS)
      isRepeated = true
    }
    if (isRepeated) this.#left--
  }
}

/** Queues again what a packet carried, without declaring it lost. */
function repeatEntries(packet: SentPacket): void {
  for (let i = 0; i < packet.entryCount; i++) {
    const kind = packet.kinds[i]
    if (NOT_REPEATED.includes(kind)) continue
    const target = packet.targets[i] as EntryTarget
    target.handleLost(kind, packet.starts[i], packet.ends[i])
  }
}
