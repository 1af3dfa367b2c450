// Sizes and times of the handlers room, each with its reason. A cap is enforced where it would be exceeded.

/** Bytes of request body given to a handler at once: fewer, larger chunks, without holding a whole window. */
export const READ_CHUNK = 65_536

/** Bytes read from a file, and written to a stream, at once. */
export const FILE_CHUNK = 65_536

/** Body that text(), json() and the like collect before they refuse, bytes. */
export const MAX_COLLECTED_BODY = 67_108_864

/** Longest path that is looked up in the file system; no file system has longer ones. */
export const MAX_FILE_PATH = 4_096

/** Largest body of the demo route /bytes/N: a terabyte, well inside of exact numbers. */
export const MAX_DEMO_BYTES = 1_099_511_627_776

/** Longest pause of the demo route /slow/MS, ms. */
export const MAX_DEMO_PAUSE = 600_000

/** Between two events of the demo route /sse, ms. */
export const SSE_INTERVAL = 500

/** HTTP/1.1 and HTTP/2 connections without a request end after this, ms. */
export const TCP_IDLE_TIMEOUT = 60_000

/** Open TCP connections: the fallback shares its process with HTTP/3. */
export const MAX_TCP_CONNECTIONS = 1_000

/** How long browsers remember that there is HTTP/3 here (RFC 7838 section 3.1), seconds. */
export const ALT_SVC_MAX_AGE = 86_400

/** Points that a connection's glitch budget gets back per sweep, once a second: the rate of nghttp3's default. */
export const GLITCH_REFUND_PER_SWEEP = 33

/** Life of a self-signed certificate, days: browsers accept a certificate by its hash only up to 14. */
export const SELF_SIGNED_DAYS = 13

/** Attempts to find a port number that is free for UDP and TCP on both IP versions. */
export const SERVER_PORT_ATTEMPTS = 8

/** Largest DATAGRAM frame that a server takes, bytes: whatever fits into a packet (RFC 9221 section 3). */
export const MAX_DATAGRAM_FRAME_SIZE = 65_535

/** Changes of state without an event from outside before a service's machine counts as looping. */
export const MAX_SERVICE_MICROSTEPS = 1_000

/** A TCP connection that has become a tunnel asks so often whether the client is still there, ms (TCP keep-alive). */
export const TUNNEL_KEEP_ALIVE = 60_000

/** Largest head that a listener of node:http is given, bytes: what HTTP/3 lets through, and what HTTP/1.1 adds to it. */
export const MAX_LISTENER_HEADER_SIZE = 81_920

/** UDP sockets that one client connection may have open through CONNECT-UDP. */
export const MAX_UDP_SOCKETS_PER_CONNECTION = 16

/** UDP sockets of CONNECT-UDP in all: each is a file descriptor, and a port towards the world. */
export const MAX_UDP_SOCKETS = 256

/**
 * A tunnel without a datagram in either direction ends after this, ms. RFC 9298 section 3.1 wants
 * no less than two minutes (RFC 4787 section 4.3).
 */
export const UDP_IDLE_TIMEOUT = 120_000

/** How long the name of a CONNECT-UDP target is looked up, ms. */
export const DNS_TIMEOUT = 5_000

/** Longest name of a CONNECT-UDP target, bytes (RFC 1035 section 2.3.4). */
export const MAX_TARGET_HOST = 253
