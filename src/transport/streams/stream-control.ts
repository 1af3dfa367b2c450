// Control frames that a stream has waiting for a packet, as bits. They are sent as current information, not as
// copies (RFC 9000 section 13.3), so one bit per kind is all the queue there is.

export const StreamControl = {
  resetStream: 1,
  stopSending: 2,
  maxStreamData: 4,
  streamDataBlocked: 8,
} as const
