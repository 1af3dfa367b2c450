// Every cap and default of the connection room, with its reason. Bytes and milliseconds unless the name says else.

/** RFC 9000 section 14: the datagram size that every path must carry; used until path MTU discovery says more. */
export const MIN_DATAGRAM_SIZE = 1_200

/** RFC 9000 section 8.1: bytes sent to an unvalidated address per byte received from it. */
export const AMPLIFICATION_FACTOR = 3

/** A handshake that takes longer is abandoned by default: four probe timeouts of a path that answers nothing. */
export const HANDSHAKE_TIMEOUT = 10_000

/**
 * Times that the handshake's bytes are sent again before their probe timeout, because the peer repeats itself (RFC 9002
 * section 6.2.3 wants it limited): at 30 % loss each way, once in a thousand handshakes needs more.
 */
export const MAX_HANDSHAKE_REPEATS = 8

/** Datagrams one connection hands out per call: a turn of the loop belongs to all connections. */
export const MAX_DATAGRAMS_PER_POLL = 32

/** Packets kept that arrived before their keys (RFC 9001 section 5.7): a first flight of a large client. */
export const MAX_UNDECRYPTABLE_PACKETS = 10

/** Bytes of them: ten full-sized ones; nobody who has no keys yet makes us keep 64 KiB datagrams. */
export const MAX_UNDECRYPTABLE_BYTES = 16_384

/** Connection IDs we keep issued at a time; the peer's limit may lower it. */
export const MAX_ISSUED_CONNECTION_IDS = 4

/** active_connection_id_limit that we advertise (RFC 9000 section 18.2): enough for rotation and a second path. */
export const ACTIVE_CONNECTION_ID_LIMIT = 4

/** RETIRE_CONNECTION_ID frames waiting or unacknowledged; a peer that forces more is attacking (section 5.1.2). */
export const MAX_PENDING_RETIREMENTS = 50

/** PATH_RESPONSE frames waiting; older challenges are worthless (section 8.2.2). */
export const MAX_PENDING_PATH_RESPONSES = 4

/**
 * Paths kept at a time: the active one, the last validated one, and two that the peer probes. The oldest that is not
 * validated makes room (section 9.3.1: a flood of addresses must not take memory).
 */
export const MAX_PATHS = 4

/** Challenges of one path that a response may still answer: with doubling intervals, more than one validation sends. */
export const MAX_OUTSTANDING_CHALLENGES = 8

/** Probe timeout of a path of which nothing is known, ms: 333 + 4 * 333 / 2 (RFC 9002 section 6.2.2). */
export const INITIAL_PROBE_TIMEOUT = 999

/** Datagrams we send in the closing state to one that arrives: every power of two of received ones (section 10.2.1). */
export const MAX_CLOSE_REPEATS = 16

/**
 * Longest token that a client takes or sends, bytes: with it, both IDs and the tag, a third of an Initial packet is
 * left for CRYPTO data. Servers use some 100.
 */
export const MAX_TOKEN_LENGTH = 768

/**
 * Packets short of the confidentiality limit at which keys are updated (RFC 9001 section 6.6): of the 2^23 of AES-GCM
 * an eighth, more than a gigabyte, is left for the peer to follow.
 */
export const KEY_UPDATE_MARGIN = 1_048_576

/** Packets short of the confidentiality limit at which the connection is closed: what the close itself may need. */
export const KEY_LIMIT_RESERVE = 1_024

/** Time over which a peer's key updates are counted, ms. */
export const KEY_UPDATE_WINDOW = 10_000

/** Key updates of a peer in that time: one per 3 PTO of 26 ms at least would be 128; each costs six HKDF steps. */
export const MAX_KEY_UPDATES_PER_WINDOW = 128

/** Datagrams waiting for a packet (RFC 9221 section 5): a tenth of a second of 1,000 per second; older ones are stale. */
export const MAX_QUEUED_DATAGRAMS = 128

/** Bytes of them: more than the initial congestion window holds ten times over. */
export const MAX_QUEUED_DATAGRAM_BYTES = 131_072

/** Bytes of a reason phrase we send or keep. */
export const MAX_REASON_LENGTH = 256

/** Probe timeouts that keys and closing states outlive (RFC 9001 section 6.5, RFC 9000 section 10.2). */
export const CLOSE_PTO_COUNT = 3

/** min_ack_delay that we announce, ms: the granularity of timers. */
export const MIN_ACK_DELAY = 1

/** Acknowledgements that a sender wants per window at least, so that losses are noticed in time. */
export const ACKS_PER_WINDOW = 4

/** Ack-eliciting packets that a peer is asked to collect at most: what one large read of a socket brings. */
export const MAX_ACK_THRESHOLD = 16

/** Longest acknowledgement delay that a peer is asked for, ms: the default of max_ack_delay. */
export const MAX_REQUESTED_ACK_DELAY = 25

/** Room for the smallest packet worth adding to a datagram: a long header, a few frame bytes and the tag. */
export const MIN_PACKET_ROOM = 80
