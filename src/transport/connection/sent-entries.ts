// What recovery reports about packets, passed on to those who put something into them (RFC 9000 section 13.3).
import type { RecoveryEvents, SentPacket } from '../recovery/index.ts'
import { EntryKind, type EntryTarget } from '../streams/index.ts'

export class SentEntries implements RecoveryEvents {
  handleAcked(_space: number, packet: SentPacket): void {
    for (let i = 0; i < packet.entryCount; i++) {
      const target = packet.targets[i] as EntryTarget
      target.handleAcked(packet.kinds[i], packet.starts[i], packet.ends[i])
    }
  }

  handleLost(_space: number, packet: SentPacket): void {
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
]

/** Queues again what a packet carried, without declaring it lost. */
export function repeatEntries(packet: SentPacket): void {
  for (let i = 0; i < packet.entryCount; i++) {
    const kind = packet.kinds[i]
    if (NOT_REPEATED.includes(kind)) continue
    const target = packet.targets[i] as EntryTarget
    target.handleLost(kind, packet.starts[i], packet.ends[i])
  }
}
