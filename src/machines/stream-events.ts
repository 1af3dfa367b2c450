// The alphabet that the three stream machines share, RFC 9000 section 3, and the numbers by which the data
// plane (transport/streams) speaks it. One fixed order, so that an index means the same in every table.

/** Facts about the sending part. The data plane raises each when it becomes true, never per packet. */
export const SENDING_EVENTS = [
  'send.stream', // the first byte has been queued
  'send.fin', // the final size has been sent: a STREAM frame with FIN, or RESET_STREAM_AT
  'send.allAcked', // every byte and the FIN are acknowledged
  'app.reset', // the application gives the sending part up
  'recv.stopSending', // STOP_SENDING has arrived
  'send.resetStream', // RESET_STREAM has been sent
  'send.resetAcked', // RESET_STREAM is acknowledged; or RESET_STREAM_AT, and all that it promised
] as const

/** Facts about the receiving part. */
export const RECEIVING_EVENTS = [
  'recv.fin', // the final size is known from a STREAM frame, or from RESET_STREAM_AT
  'recv.allData', // every byte that is to be delivered is here: up to the final, or the reliable size
  'app.readAll', // the application has read the last byte
  'recv.resetStream', // RESET_STREAM has arrived
  'app.readReset', // the application has been told of the reset
  'app.stop', // the application does not want the rest
] as const

export const STREAM_EVENTS = [...SENDING_EVENTS, ...RECEIVING_EVENTS, 'connection.closed'] as const

export type SendingEvent = (typeof SENDING_EVENTS)[number]
export type ReceivingEvent = (typeof RECEIVING_EVENTS)[number]
export type StreamEventType = (typeof STREAM_EVENTS)[number]

/** Index of each stream event in every stream table. */
export const StreamEvent = {
  sendStream: 0,
  sendFin: 1,
  sendAllAcked: 2,
  appReset: 3,
  recvStopSending: 4,
  sendResetStream: 5,
  sendResetAcked: 6,
  recvFin: 7,
  recvAllData: 8,
  appReadAll: 9,
  recvResetStream: 10,
  appReadReset: 11,
  appStop: 12,
  connectionClosed: 13,
} as const

export const STREAM_ACTIONS = [
  'queueResetStream',
  'discardSendBuffer',
  'queueStopSending',
  'discardReceiveBuffer',
] as const

export type StreamActionType = (typeof STREAM_ACTIONS)[number]

/** Index of each stream action, as ActorSubject.perform receives it. */
export const StreamAction = {
  queueResetStream: 0,
  discardSendBuffer: 1,
  queueStopSending: 2,
  discardReceiveBuffer: 3,
} as const

/** Phase of the sending part; none = the stream has no sending part. */
export const SendPhase = {
  none: 0,
  ready: 1,
  send: 2,
  dataSent: 3,
  dataRecvd: 4,
  resetQueued: 5,
  resetSent: 6,
  resetRecvd: 7,
  connectionClosed: 8,
} as const

/** Phase of the receiving part; none = the stream has no receiving part. */
export const ReceivePhase = {
  none: 0,
  recv: 1,
  sizeKnown: 2,
  dataRecvd: 3,
  dataRead: 4,
  resetRecvd: 5,
  resetRead: 6,
  stopped: 7,
  connectionClosed: 8,
} as const

/** How a stream's life ended. */
export type StreamOutput = 'closed' | 'reset'
