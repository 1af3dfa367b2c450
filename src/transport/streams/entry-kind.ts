// What a sent packet carried, as far as it must be sent again or released when the packet is lost or acknowledged
// (RFC 9000 section 13.3). Used by streams and connection; recovery carries the entries without looking at them.

/** Kinds of entries in a SentPacket. Frames without an entry are never repeated (PADDING, PING, PATH_*). */
export const EntryKind = {
  stream: 0,
  resetStream: 1,
  stopSending: 2,
  maxStreamData: 3,
  streamDataBlocked: 4,
  crypto: 5,
  ack: 6,
  maxData: 7,
  dataBlocked: 8,
  maxStreamsBidi: 9,
  maxStreamsUni: 10,
  streamsBlockedBidi: 11,
  streamsBlockedUni: 12,
  newConnectionId: 13,
  retireConnectionId: 14,
  handshakeDone: 15,
  datagram: 16,
  mtuProbe: 17,
  newToken: 18,
  ackFrequency: 19,
  resetStreamAt: 20,
} as const

/** The record of a packet under construction, as far as its contents are concerned; recovery's SentPacket is one. */
export interface PacketEntries {
  addEntry(kind: number, target: EntryTarget, start: number, end: number): void
}

/** Told what became of an entry it put into a packet. `start` and `end` mean what the kind says. */
export interface EntryTarget {
  handleAcked(kind: number, start: number, end: number): void
  handleLost(kind: number, start: number, end: number): void
}
