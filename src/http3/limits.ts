// Every cap of this room in one place, each with its reason. Enforced in the function that would grow the thing.

/**
 * Decoded size of one field section in bytes, counted as RFC 9114 section 4.2.2 does (name + value + 32 per field).
 * Announced as SETTINGS_MAX_FIELD_SECTION_SIZE. Also caps the encoded size: no sane encoding is longer.
 */
export const MAX_FIELD_SECTION_SIZE = 32_768

/** Field lines in one section: a static-table reference costs the peer one byte, so bytes alone are no limit. */
export const MAX_FIELD_COUNT = 256

/** Bytes charged for each field on top of its text (RFC 9114 section 4.2.2). */
export const FIELD_OVERHEAD = 32

/** Payload of SETTINGS in bytes; about 30 parameters, three times what browsers send. */
export const MAX_SETTINGS_PAYLOAD = 256

/** Payload of a control frame that carries one varint (GOAWAY, MAX_PUSH_ID, CANCEL_PUSH): 8 bytes is the longest. */
export const MAX_IDENTIFIER_PAYLOAD = 8

/** Payload of PRIORITY_UPDATE in bytes (RFC 9218 section 7): an identifier and a short structured field. */
export const MAX_PRIORITY_UPDATE_PAYLOAD = 256

/** Payload of ORIGIN in bytes (RFC 9412): some 200 origins; a client skips longer frames. */
export const MAX_ORIGIN_PAYLOAD = 8_192

/** Longest origin in characters: scheme, a name of 253 (RFC 1035 section 2.3.4) and a port. */
export const MAX_ORIGIN_LENGTH = 268

/** Origins of one connection that a client remembers. */
export const MAX_ORIGINS = 256

/** Priorities kept for requests that are not open yet; a client may open as many at once by default, and 28 more. */
export const MAX_EARLY_PRIORITIES = 128

/** How long a request may be without a complete head before it is answered with 408, ms: as long as a handler may take. */
export const HEAD_DEADLINE = 20_000

/** First allocation for a HEADERS payload that arrives in pieces; grows with what arrived, never with what was declared. */
export const FIRST_REASSEMBLY_BYTES = 2_048

/** QPACK integers: 2^53-1 in at most 10 bytes, so that zero continuation bytes cannot go on for ever. */
export const MAX_INTEGER_BYTES = 10

/**
 * Points that a connection may lose by traffic that costs us work and brings nothing (empty or unknown frames,
 * resets of requests, malformed requests, ignored streams) before it is closed with H3_EXCESSIVE_LOAD.
 */
export const GLITCH_BUDGET = 1_000

/** Points that a completely answered request gives back: twice the price of a cancelled one. */
export const GLITCH_REFUND_PER_REQUEST = 2

/** Payload bytes of unknown frames that cost one further point. */
export const UNKNOWN_FRAME_BYTES_PER_GLITCH = 16_384

/** A body chunk up to this size is copied behind its frame header, so that the stream gets one chunk, not two. */
export const COALESCED_BODY_BYTES = 4_096

/** Shared output block in bytes: small heads are cut from it. Small, because one unacknowledged piece keeps it alive. */
export const OUTPUT_BLOCK_BYTES = 16_384

/** Heads whose upper bound is larger get memory of their own. */
export const LARGEST_SHARED_OUTPUT = 8_192

/** String literals that the decoder of one connection remembers, a power of two; allocated with its second request. */
export const LITERAL_CACHE_SLOTS = 128

/** Their encoded bytes together; a browser's request has about 450, most of them the same every time. */
export const LITERAL_CACHE_BYTES = 4_096

/** Longest literal that is remembered in encoded bytes: the usual user agents, accept lists and cookies. */
export const LONGEST_CACHED_LITERAL = 256

/** Encoded field values kept per generation in the whole process; dates and content types are few. */
export const VALUE_CACHE_ENTRIES = 256

/** Longest value that is kept, in characters. */
export const VALUE_CACHE_LENGTH = 64

/** HTTP datagrams kept that arrived before the head of their request: a round trip of a fast sender. */
export const MAX_EARLY_DATAGRAMS = 16

/** Larger ones are not kept: no packet of a usual path carries them. */
export const MAX_EARLY_DATAGRAM_BYTES = 1_500

/** First allocation for a capsule's value that arrives in pieces; grows with what arrived, never with what was declared. */
export const FIRST_CAPSULE_BYTES = 256

/**
 * Dynamic table that a peer may fill, bytes (RFC 9204 section 3.2.3): HTTP/2's default, in which every field that a
 * browser repeats fits beside a large cookie. It is what an idle connection costs.
 */
export const MAX_TABLE_CAPACITY = 4_096

/**
 * Streams that may wait for the dynamic table (RFC 9204 section 2.1.2). Each may hold one section of
 * MAX_FIELD_SECTION_SIZE bytes, so 16 are half a MiB; a page's first burst of requests rarely risks more.
 */
export const MAX_BLOCKED_STREAMS = 16

/** Largest table that a user may allow, bytes: an unfinished instruction can be four times as long (Huffman). */
export const LARGEST_TABLE_CAPACITY = 65_536

/** Most blocked streams that a user may allow: 32 MiB of sections that wait. */
export const MOST_BLOCKED_STREAMS = 1_024

/** Bytes of encoder stream without a section that makes use of the table: 32 times the table. */
export const MAX_UNUSED_ENCODER_BYTES = 131_072

/** Bytes of our decoder stream that the peer has not acknowledged: a few thousand requests in flight. */
export const MAX_DECODER_STREAM_BACKLOG = 16_384

/** Stream Cancellations that free nothing, for one point: a request that is cancelled has been paid for by its reset. */
export const IDLE_CANCELLATIONS_PER_GLITCH = 8

/** Bytes of the peer's dynamic table that we use: the fields that one site's responses repeat. */
export const ENCODER_TABLE_CAPACITY = 4_096

/** Unacknowledged bytes of our encoder stream, above which sections are encoded without insertions. */
export const MAX_ENCODER_STREAM_BACKLOG = 8_192

/** Our streams that may be blocked at a peer, whatever it allows; each acknowledgment looks at all of them. */
export const MAX_RISKED_STREAMS = 100

/**
 * Sections with references that a peer has not acknowledged; beyond, sections do without the table. A peer that never
 * acknowledges costs us these records only.
 */
export const MAX_OUTSTANDING_SECTIONS = 1_000

/** Heads that a connection's writer remembers as encoded: those that a handler repeats. A power of two. */
export const REPEATED_HEADS = 4

/** Largest head that is remembered, in characters of its names and values. */
export const REPEATED_HEAD_CHARACTERS = 1_024
