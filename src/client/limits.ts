// Caps and times of the client, each enforced in the function that enqueues or waits. Used inside src/client.

/** Requests that may wait for stream credit on one session; more than any sane caller has in flight. */
export const MAX_WAITING_REQUESTS = 100_000

/** Life of a certificate that is accepted by its hash, days (W3C WebTransport section 5.9). */
export const MAX_HASHED_CERTIFICATE_DAYS = 14

/** Largest DATAGRAM frame that a WebTransport client takes, bytes: whatever fits into a packet (RFC 9221 section 3). */
export const MAX_DATAGRAM_FRAME_SIZE = 65_535

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

/** How long a body that expects 100 waits for it, ms (RFC 9110 section 10.1.1: not "an indefinite period"). */
export const CONTINUE_WAIT = 1_000

/** Redirects that one fetch() follows (Fetch standard, HTTP-redirect fetch). */
export const MAX_REDIRECTS = 20

/** Codings on one body that are undone; more of them serve nobody but an attacker. */
export const MAX_CONTENT_CODINGS = 5

/** Longest Alt-Svc field that is read, characters: a handful of alternatives. */
export const MAX_ALT_SVC_LENGTH = 4_096

/** Alternatives kept of one origin. */
export const MAX_ALTERNATIVES = 8

/** Origins whose alternatives a client keeps; the one that was heard of longest ago goes first. */
export const MAX_ALT_SVC_ORIGINS = 1_024

/** Alternatives that are remembered as broken; the one that broke longest ago goes first. */
export const MAX_BROKEN_ALTERNATIVES = 1_024

/** Longest time for which an alternative is believed, s: a year, whatever the server says. */
export const MAX_ALT_SVC_AGE = 31_536_000

/** How long an alternative that could not be reached is left alone, ms; doubled each time up to the second. */
export const BROKEN_BACKOFF = 300_000
export const MAX_BROKEN_BACKOFF = 172_800_000

/** Head start of HTTP/3 over TCP, ms: several round trips, and not yet a delay that a person notices. */
export const HTTP3_HEAD_START = 300

/** How long a connection without requests is kept, ms; less than the 30 s after which most servers end it. */
export const POOL_IDLE_TIMEOUT = 15_000

/** How often one request is sent in all, when servers refuse it unprocessed or connections break under it. */
export const MAX_ATTEMPTS = 3

/** TCP connections per origin; what is beyond waits in Node's queue. */
export const MAX_TCP_CONNECTIONS = 16
