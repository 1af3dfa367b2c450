// Caps of the inspector's server side, each with its reason. What the page has to know as well stands in protocol.ts.

/** Pages and other tools that look at once: a few people. */
export const MAX_VIEWERS = 8

/** Users' machines that a feed tells of: more than a program has charts. */
export const MACHINES_CAP = 500

/** Configurations of one user's machine that are told apart: a chart that people can look at has fewer. */
export const STATES_CAP = 250

/** Bytes that may wait for a page before ticks are left out for it. */
export const VIEWER_BACKLOG = 1_048_576

/** A tick that takes longer, ms, is followed by pauses: the feed uses at most a tenth of a core. */
export const TICK_COST = 10

/** Ticks in a row that are left out for that reason at most. */
export const MOST_SKIPPED = 9

/** Stuck actors that are told of one by one. */
export const STUCK_ROWS = 200

/** Ticks between two looks at what is stuck: half a second. */
export const STUCK_EVERY = 5

/** Ticks between two totals. */
export const TOTALS_EVERY = 10

/** Wrong tokens that a viewer may send before it is disconnected: nobody guesses 128 bits, and nobody shall try. */
export const WRONG_TOKENS = 3

/** Characters of a text that a row shows: method and path. */
export const ROW_TEXT = 200

/** Characters of an event's detail. */
export const DETAIL_TEXT = 2_000

/** Bytes of a qlog file that is exported: what qvis still opens. */
export const QLOG_EXPORT = 33_554_432

/** ms that the layout of a chart may take. */
export const LAYOUT_TIME = 10_000

/** Actors that a door for other tools tells of: more than such a tool can show. */
export const DOOR_ACTORS = 200

/** Streams that are gone whose events are kept for those who have them selected. */
export const KEPT_GONE = 64

/** Events of a handler or of a user's machine that are kept for an export, once somebody has selected it. */
export const LOG_LENGTH = 500
