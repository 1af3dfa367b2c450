// What recovery reports about packets, passed on to those who put something into them (RFC 9000 section 13.3).
import type { PathMtu, RecoveryEvents, SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'
import type { QuicConnection } from './connection.ts'
import { MIN_DATAGRAM_SIZE } from './limits.ts'
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
  const { spaces, recovery, host, mtu } = connection
  mtu.onProbeTimeout(recovery.ptoCount)
  const space = spaces[index]
  if (space.isDiscarded || space.writeKeys === undefined) return
  space.probes = count
  // RFC 9002 section 6.2.4: other spaces take part. Handshake bytes that were lost may be all that the peer waits for,
  // while responses to early data, which it cannot open yet, fill the congestion window.
  for (const other of spaces) {
    if (other === space || other.index === Space.application || other.writeKeys === undefined) continue
    if (other.crypto.hasOutput) other.probes = Math.max(other.probes, 1)
  }
  if (space.crypto.hasOutput || (index === Space.application && host.sendQueue.size > 0)) return
  for (let i = 0; i < count; i++) {
    const packet = recovery.outstandingAt(index, i)
    if (packet !== undefined) repeatEntries(packet)
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
