// Sizes and times of a server with several workers, each with its reason. A cap is enforced where it would be exceeded.

/** Workers of a server: more than there are cores only costs memory, some 80 MB each. */
export const MAX_WORKERS = 64

/** Longest frame between workers, without its length field, bytes: the largest datagram, and its address. */
export const MAX_FRAME_LENGTH = 65_800

/** Bytes of handed-over datagrams that are written to another worker at once: what a turn of the loop brings. */
export const HAND_OVER_BLOCK = 131_072

/** Bytes that may wait for another worker; what exceeds them counts as lost: some 800 datagrams of a slow worker. */
export const HAND_OVER_QUEUE = 1_048_576

/** Until a link that failed is tried again, ms: a worker is back within half a second. */
export const LINK_RETRY = 100

/** From the start of a process until its sockets are bound, ms. */
export const WORKER_START_TIMEOUT = 30_000

/** Crashes of one worker within WORKER_CRASH_WINDOW after which it is not started again at once. */
export const WORKER_CRASH_LIMIT = 5

/** Window of the crashes, ms. */
export const WORKER_CRASH_WINDOW = 30_000

/** Pause of a worker that crashes too often, ms; the others go on. */
export const WORKER_PAUSE = 30_000

/** What a process gets to end by itself when its sockets are closed, ms; then it is killed. */
export const WORKER_EXIT_GRACE = 2_000

/** Beyond the hard stop of its drain a closing process gets this much, ms; then it is killed. */
export const WORKER_CLOSE_MARGIN = 5_000

/** Between two reports of a worker, ms: what status() of the server is late by at most. */
export const REPORT_INTERVAL = 500

/** Until a worker must have answered for /status, ms; then its latest report counts. */
export const ASK_TIMEOUT = 1_000

/** Name of the memory of used tickets, bytes. */
export const REPLAY_ID_LENGTH = 8

/** What a worker whose server has died gives its connections, ms. */
export const ORPHAN_TIMEOUT = 1_000
