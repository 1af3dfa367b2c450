// Caps and constants of recovery, each with its reason or its RFC section.

/** Packet numbers tracked per space: 1 Gbit/s at 300 ms round trip. Sending data stops shortly before. */
export const MAX_TRACKED_PACKETS = 32_768

/** Numbers kept free below MAX_TRACKED_PACKETS, so that acknowledgements and probes always find room. */
export const TRACKED_PACKETS_RESERVE = 1_024

/** First size of a ring of sent packets; most connections never need more. A power of two. */
export const INITIAL_RING_SIZE = 64

/** ACK-only packets remembered per space: nobody must acknowledge them, so they would pile up for ever. */
export const MAX_TRACKED_ACK_ONLY = 64

/** Idle SentPacket objects kept for reuse: the burst of a fast connection; more go to the collector. */
export const MAX_POOLED_PACKETS = 4_096

/** Ranges of packet numbers declared lost, kept to notice when they are acknowledged after all. */
export const MAX_REMEMBERED_LOST_RANGES = 32

/** Skipped packet numbers remembered to expose acknowledgements of packets never sent. */
export const MAX_REMEMBERED_SKIPS = 32

/** Ranges of received packet numbers kept and acknowledged: the newest 64 (RFC 9000 section 13.2.3). */
export const MAX_RECEIVED_RANGES = 64

/** kPacketThreshold of RFC 9002 section 6.1.1, packets. */
export const PACKET_THRESHOLD = 3

/** kTimeThreshold of RFC 9002 section 6.1.2. */
export const TIME_THRESHOLD = 9 / 8

/** kGranularity of RFC 9002 section 6.1.2, ms. */
export const GRANULARITY = 1

/** kInitialRtt of RFC 9002 section 6.2.2, ms. */
export const INITIAL_RTT = 333

/** kPersistentCongestionThreshold of RFC 9002 section 7.6.1. */
export const PERSISTENT_CONGESTION_THRESHOLD = 3

/** Doublings of the probe timeout after which it grows no more: days, but never past exact integers. */
export const MAX_PTO_BACKOFF = 20

/** Datagrams that may leave at once (RFC 9002 section 7.7). */
export const BURST_PACKETS = 10

/** RFC 9000 section 14: BASE_PLPMTU and MIN_PLPMTU of RFC 8899, bytes of UDP payload. */
export const BASE_DATAGRAM_SIZE = 1_200

/**
 * MAX_PROBES of RFC 8899 section 5.1.2 for one size. Two: each costs a round trip, and the search below a size that
 * failed by chance still comes within MTU_SEARCH_STEP of it.
 */
export const MAX_MTU_PROBES = 2

/** The search ends when the next size would gain less, bytes: 1.5 %. */
export const MTU_SEARCH_STEP = 20

/** PMTU_RAISE_TIMER of RFC 8899 section 5.1.1, ms. */
export const MTU_RAISE_TIME = 600_000

/** Datagrams of full size that a connection sends before probing pays: 16 KiB. Short exchanges never probe. */
export const FULL_DATAGRAMS_BEFORE_PROBING = 16

/** Separate losses of large packets alone that make a black hole; one or two are congestion (RFC 8899 section 4.3). */
export const BLACK_HOLE_BURSTS = 3

/** Probe timeouts in a row that make one: nothing large has arrived for three PTOs. */
export const BLACK_HOLE_PROBE_TIMEOUTS = 2

/** Marked packets that test a path for ECN (RFC 9000 appendix A.4). */
export const ECN_TESTING_PACKETS = 10
