// Every cap and time of the supervision, each with its reason. A cap is enforced in the function that would
// exceed it. Used inside supervisor/; serve() lets its caller change the times.

/** Connections of one endpoint: at some 30 kB of state each, the most that a small machine should hold. */
export const MAX_CONNECTIONS = 10_000

/** Connections whose handshake is not complete: each costs a signature, and addresses may be forged. */
export const MAX_HALF_OPEN = 1_000

/** Of one address, or one /64 of IPv6: half of them, so that nobody alone can keep all others out; NATs have many behind. */
export const MAX_HALF_OPEN_PER_SOURCE = 500

/** Datagrams of one connection that wait for its next turn, copied; what exceeds it counts as lost. */
export const MAX_BACKLOG = 256

/** Datagrams per connection and turn of the loop, each way, so that one peer cannot starve the others. */
export const DATAGRAMS_PER_TURN = 100

/** Calls into one connection per turn of the loop (a timer, a poll of output), for the same reason. */
export const OPERATIONS_PER_TURN = 16

/** How long output waits when the socket is full, ms. */
export const BLOCKED_SOCKET_DELAY = 1

/** Length of our connection IDs, bytes: six are the routing key, all eight are unpredictable. */
export const CONNECTION_ID_LENGTH = 8

/** Shortest connection ID that a client may choose for its first Initial (RFC 9000 section 7.2), bytes. */
export const MIN_FIRST_CONNECTION_ID = 8

/** Smallest datagram that may carry a client's Initial (RFC 9000 section 14.1), bytes. */
export const MIN_INITIAL_DATAGRAM = 1_200

/** Answers without a connection (version negotiation, stateless reset) per second: we are nobody's reflector. */
export const STATELESS_RATE = 100

/** Such answers that may come at once, after a restart for example. */
export const STATELESS_BURST = 200

/** Handshakes under way beyond which `retry: 'auto'` asks clients for proof of their address, as HAProxy does. */
export const RETRY_THRESHOLD = 100

/** Retry packets per second: each costs some 30 us, so that a flood takes at most a tenth of a core. */
export const RETRY_RATE = 3_000

/** Retry packets that may leave at once. */
export const RETRY_BURST = 1_000

/** How long a Retry token is good, ms: it comes back within a round trip (RFC 9000 section 8.1.4). */
export const RETRY_TOKEN_LIFETIME = 15_000

/** How long a token of a NEW_TOKEN frame is good, ms: a day. */
export const NEW_TOKEN_LIFETIME = 86_400_000

/** Difference between the clocks of processes that share their secret, and steps of one clock, ms. */
export const TOKEN_CLOCK_SKEW = 5_000

/** Retry tokens remembered as used per lifetime, some 40 bytes each: what the rate of Retry packets can hand out. */
export const MAX_REMEMBERED_RETRY_TOKENS = 65_536

/** Tokens of NEW_TOKEN frames remembered as used per day; beyond that they prove nothing until the next day. */
export const MAX_REMEMBERED_NEW_TOKENS = 131_072

/** Shortest endpoint secret, bytes. */
export const MIN_SECRET_LENGTH = 32

/**
 * Ports of services that answer anybody (RFC 9000 section 21.5, RFC 9308 section 8.1): a datagram from there that belongs
 * to no connection is somebody else's request, reflected, and gets no answer. Echo, quote, chargen, DNS, TFTP, portmap,
 * NTP, NetBIOS, SNMP, CLDAP, SSDP, WS-Discovery, mDNS, LLMNR, memcached.
 */
export const REFLECTION_PORTS: ReadonlySet<number> = new Set([
  0, 7, 17, 19, 53, 69, 111, 123, 137, 161, 389, 1_900, 3_702, 5_353, 5_355, 11_211,
])

/** Handler crashes within CRASH_WINDOW that a connection survives. */
export const CRASH_LIMIT = 10

/** Window of the crash intensity, ms. */
export const CRASH_WINDOW = 10_000

/**
 * Until a handler must have begun its response, ms; then its AbortSignal fires. Shorter than the idle timeout of
 * 30 s, so that a silent client learns of the reset instead of losing its connection.
 */
export const HANDLER_DEADLINE = 20_000

/** From the AbortSignal to the reset of the stream, ms. */
export const HANDLER_GRACE = 1_000

/** Between two looks at everything that has a deadline, ms. */
export const SWEEP_INTERVAL = 1_000

/** Shortest time between the two GOAWAYs, ms: requests on their way still get in (RFC 9114 section 5.2). */
export const GOAWAY_DELAY = 1_000

/** What requests get after the second GOAWAY, ms. */
export const DRAIN_DEADLINE = 10_000

/** After that everything that is left is cut, ms from the start of the drain. */
export const HARD_STOP = 30_000

/** Stuck actors that are listed at once; the number of all of them is counted. */
export const STUCK_LIST = 1_000

/** Connections that /connections lists, and per process where there are several workers, whose reports come each second. */
export const CONNECTION_LIST = 100
export const CONNECTION_LIST_PER_WORKER = 20

/** Datagrams of one request that wait for its handler: a burst of 64; a handler that is slower wants the newest. */
export const DATAGRAM_CHANNEL_LENGTH = 64

/** Bytes of them: 64 of the largest that a path usually carries. */
export const DATAGRAM_CHANNEL_BYTES = 98_304

/** Latest broken invariants that are kept to be looked at; the number of all of them is counted. */
export const VIOLATION_RING = 64

/** Latest faults of handlers that are kept to be looked at; the number of all of them is counted. */
export const FAULT_RING = 64

/** Latest missed transitions that are kept to be looked at; the number of all of them is counted. */
export const MISSED_RING = 64

/** Open connections of the admin port: a person and a scraper. */
export const ADMIN_CONNECTIONS = 32

/** Until a request to the admin port must have arrived, ms. */
export const ADMIN_TIMEOUT = 10_000

/** Connections whose 0-RTT packets may wait for their Initial packet at a time: reordering is rare and brief. */
export const MAX_EARLY_CONNECTIONS = 32

/** Datagrams that wait per such connection: a first flight under the initial congestion window. */
export const MAX_EARLY_DATAGRAMS = 10

/** Bytes of one of them: what Ethernet carries. */
export const MAX_EARLY_DATAGRAM_BYTES = 1_500

/** How long they wait, ms: the Initial packet was sent first and is at most reordered. */
export const EARLY_PACKET_TIME = 100
