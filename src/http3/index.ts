// What the HTTP/3 room offers to the supervisor, the handlers and the client. Nothing else of it is imported.

export { usesCapsules } from './capsule-protocol.ts'
export {
  CapsuleReader,
  type CapsuleSink,
  CapsuleType,
  encodeCapsule,
  UNKNOWN_CAPSULE,
} from './capsules.ts'
export { H3Connection } from './connection.ts'
export type { H3ConnectionOptions, H3Events } from './connection-events.ts'
export { H3Error, H3ErrorCode, h3ErrorName } from './errors.ts'
export { DEFAULT_PRIORITY, type Priority, parsePriority, priorityOf, priorityText } from './priorities.ts'
export { qpackLimitsOf } from './qpack/announced-limits.ts'
export type { QpackLimits } from './qpack/decoder.ts'
export type { RequestStreamEvents, RespondOptions } from './request-events.ts'
export { RequestStream } from './request-stream.ts'
export type { H3Settings } from './settings.ts'
export * from './webtransport/index.ts'
