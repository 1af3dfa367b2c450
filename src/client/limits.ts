// Caps and times of the client, each enforced in the function that enqueues or waits. Used inside src/client.

/** Requests that may wait for stream credit on one session; more than any sane caller has in flight. */
export const MAX_WAITING_REQUESTS = 100_000

/** Points that a session's glitch budget gets back once a second, as on the server's side. */
export const GLITCH_REFUND_PER_SWEEP = 33

/** Longest wait for a handshake, ms; covers four probe timeouts of a lossy path with a second of round trip. */
export const CONNECT_TIMEOUT = 10_000

/** How long end() keeps the socket for repeating CONNECTION_CLOSE (RFC 9000 section 10.2.1), ms. */
export const CLOSE_TIMEOUT = 200

/** Bytes handed to the transport per write, so that a large body in memory is not all queued at once. */
export const BODY_PIECE = 65_536

/** Decoded body that text(), json() and bytes() collect before they refuse: what a Buffer can sensibly hold. */
export const MAX_COLLECTED_BODY = 1_073_741_824

/** Sessions that one HttpClient keeps open; the longest unused goes first. */
export const MAX_SESSIONS = 256

/** Servers whose tokens a client keeps; the one that gave its last token longest ago goes first. */
export const MAX_TOKEN_SERVERS = 1_024

/** Tokens kept per server: one to use, one for a connection opened meanwhile. */
export const MAX_TOKENS_PER_SERVER = 2

/** Head start of one address over the next, ms (RFC 8305 section 8 recommends 250). */
export const ADDRESS_HEAD_START = 250

/** Addresses of one name that are tried. */
export const MAX_ADDRESSES = 8

/** Origins whose sessions a client keeps for resumption; the one that was heard of longest ago goes first. */
export const MAX_SESSION_ORIGINS = 256

/** Sessions kept per origin: one for each connection that may be opened before the next ticket comes. */
export const MAX_SESSIONS_PER_ORIGIN = 4

/** Sockets that a session keeps of those it has moved to: the one in use and the one before. */
export const MAX_SESSION_SOCKETS = 2
