// Every cap of WebTransport in one place, each with its reason. Enforced in the function that would grow the thing.

/** Sessions at a time on one connection: a page with its workers and frames, and room. */
export const MAX_SESSIONS = 16

/** Streams of one connection that wait for the CONNECT request of their session, draft-ietf-webtrans-http3 section 4.6. */
export const MAX_EARLY_STREAMS = 16

/** Streams of one session and kind that wait for the application to take them: what QUIC lets a peer open by default. */
export const MAX_INCOMING_STREAMS = 100

/** Streams of each kind that the peer may have open in a session. */
export const SESSION_STREAM_WINDOW = 100

/** Bytes that the peer may send in a session ahead of the application: half of what a connection's window grows to. */
export const SESSION_DATA_WINDOW = 7_864_320

/** Largest number of streams that a capsule may allow, draft-ietf-webtrans-http3 section 5.6.2. */
export const MAX_STREAMS_VALUE = 2 ** 60

/** Message of a close, bytes of UTF-8 (draft-ietf-webtrans-http3 section 6). */
export const MAX_CLOSE_MESSAGE = 1_024

/** Value of a flow control capsule: one variable-length integer. */
export const MAX_INTEGER_CAPSULE = 8

/** Datagram in a capsule, bytes: larger ones fit into no packet either. */
export const MAX_DATAGRAM_CAPSULE = 16_384

/** Bytes of capsules that wait for a peer that does not read its CONNECT stream, before the session is given up. */
export const MAX_CAPSULE_BACKLOG = 65_536

/** Bytes of skipped capsules that cost one point of the connection's budget. */
export const SKIPPED_BYTES_PER_GLITCH = 16_384

/** How long a closed session waits for the peer's end of the CONNECT stream, ms; then the stream is reset. */
export const CLOSE_TIMEOUT = 10_000

/** Application protocols that a client may offer in one request; more are not looked at. */
export const MAX_OFFERED_PROTOCOLS = 64
