// What the streams room offers to connection, and the stream surface that applications use.
export { EntryKind, type EntryTarget, type PacketEntries } from './entry-kind.ts'
export { ReceiveCredit, SendCredit } from './flow-control.ts'
export * from './limits.ts'
export { ReceiveBuffer } from './receive-buffer.ts'
export { SendBuffer } from './send-buffer.ts'
export {
  AGED_TURN,
  CRITICAL_URGENCY,
  DEFAULT_URGENCY,
  LOWEST_URGENCY,
  QueueEntry,
  SendQueue,
} from './send-queue.ts'
export { QuicStream, type StreamApplication, type StreamHost } from './stream.ts'
export {
  LocalStreamCredit,
  PeerStreamCredit,
  type StreamKind,
  type StreamLimits,
  type StreamSupervision,
  StreamTable,
} from './stream-table.ts'
