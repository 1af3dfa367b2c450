// The alphabet of the path machine, RFC 9000 sections 8.2 and 9.3, and the numbers by which transport/connection
// speaks it.

export const PATH_EVENTS = [
  'validation.start', // PATH_CHALLENGE is queued, section 8.2.1
  'recv.pathResponse', // the answer to one of our challenges, section 8.2.3
  'address.proved', // by the handshake or a token, section 8.1
  'timeout.validation', // three PTOs without an answer, section 8.2.4
  'path.abandon', // another path has taken its place, or the connection is over
] as const

export type PathEventType = (typeof PATH_EVENTS)[number]

/** Index of each path event in the path table. */
export const PathEvent = {
  validationStart: 0,
  recvPathResponse: 1,
  addressProved: 2,
  timeoutValidation: 3,
  abandon: 4,
} as const

/** The path's data plane does everything itself: the states are what it asks for. */
export const PATH_ACTIONS = [] as const

/** Phase of a path. */
export const PathPhase = {
  none: 0,
  unvalidated: 1,
  validating: 2,
  validated: 3,
  revalidating: 4,
  failed: 5,
  abandoned: 6,
} as const

/** Why a path ended. */
export type PathOutput = 'failed' | 'abandoned'
