// Sizes and times of the tunnels room, each with its reason. A cap is enforced where it would be exceeded.

/** Largest WebSocket message that is put together, bytes, unless the server or client says otherwise. */
export const MAX_WEBSOCKET_PAYLOAD = 1_048_576

/**
 * Bytes that may wait in a WebSocket for a peer that does not read, before the socket is dropped: also what a peer can
 * make us keep by sending pings without reading the pongs.
 */
export const MAX_WEBSOCKET_BUFFERED = 16_777_216

/** Pongs that wait to be written: whoever pings on without reading them loses the socket. */
export const MAX_PENDING_PONGS = 16

/** Frames of one message, and pieces of it that wait: so many that no honest sender notices. */
export const MAX_WEBSOCKET_FRAGMENTS = 16_384

/** `drained()` lets its caller go on below this many waiting bytes: about one window of a usual path. */
export const WEBSOCKET_LOW_WATER = 65_536

/** How long the closing handshake of a WebSocket may take before the stream is reset, ms. */
export const WEBSOCKET_CLOSE_TIMEOUT = 10_000

/** Subprotocols that a client may offer: more are ignored, the list is one short header field anyway. */
export const MAX_SUBPROTOCOLS = 32

/**
 * Largest HTTP datagram taken from a capsule, bytes: the largest UDP payload (RFC 768) and a context ID. What is longer
 * cannot be of use and is discarded without being kept (RFC 9297 section 3.5).
 */
export const MAX_CAPSULE_DATAGRAM = 65_536

/** Bytes of DATAGRAM capsules that wait for the peer to read, before new datagrams are dropped: half a default window. */
export const MAX_QUEUED_CAPSULE_BYTES = 131_072

/** Skipped capsules and their bytes that cost a point of the connection's glitch budget. */
export const SKIPPED_CAPSULE_BYTES_PER_GLITCH = 16_384
