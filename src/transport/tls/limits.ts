// Caps of this room: how much a peer may make us keep or compute before it is authenticated. Each is enforced in
// the function that would store or compute the thing.

/** Largest handshake message, bytes without its header. A certificate chain needs a few KiB; 2^24-1 could be declared. */
export const MAX_HANDSHAKE_MESSAGE_BYTES = 65_535

/** Largest message after the handshake, bytes: a NewSessionTicket is far below this. */
export const MAX_POST_HANDSHAKE_MESSAGE_BYTES = 16_384

/** All messages after the handshake together, bytes: they cost work and earn nothing, so they end somewhere. */
export const MAX_POST_HANDSHAKE_BYTES = 262_144

/** Handshake bytes accepted in all before completion: two hellos with post-quantum shares and a chain fit thrice. */
export const MAX_HANDSHAKE_BYTES = 196_608

/** Extensions read from one block: every registered one and some GREASE fit; each costs a slot in a linear search. */
export const MAX_EXTENSIONS = 64

/** Key shares looked at in one ClientHello: browsers send two and a GREASE one. */
export const MAX_KEY_SHARES = 16

/** Certificates accepted in one chain: real chains have two to five; each costs a parse. */
export const MAX_CHAIN_LENGTH = 10

/** Signatures checked for one chain: bounds path building against crafted cross-signing. */
export const MAX_CHAIN_SIGNATURES = 100

/** Longest host name in server_name, bytes: no DNS name is longer (RFC 1035 section 2.3.4). */
export const MAX_SERVER_NAME_BYTES = 255

/** How long a session ticket can be used, seconds: a day; RFC 8446 section 4.6.1 allows seven. */
export const TICKET_LIFETIME = 86_400

/** Longest lifetime that a ticket may claim, seconds (RFC 8446 section 4.6.1). */
export const MAX_TICKET_LIFETIME = 604_800

/** How long one key seals new tickets, ms: half of a ticket's life, so that three keys open all that are alive. */
export const TICKET_KEY_PERIOD = 43_200_000

/** Keys of our own that are kept: the current one and those whose tickets may still come. */
export const KEPT_TICKET_KEYS = 3

/** Keys that a ring from outside may have: each costs a comparison per ticket. */
export const MAX_TICKET_KEYS = 16

/** Shortest secret for a ticket key, bytes. */
export const MIN_TICKET_SECRET = 32

/** Tickets sent after a full handshake: one to use, one for a connection opened meanwhile (RFC 8446 appendix C.4). */
export const TICKETS_PER_HANDSHAKE = 2

/** Tickets sent after a resumed handshake: the one that was used is replaced. */
export const TICKETS_PER_RESUMPTION = 1

/** Identities accepted in one pre_shared_key: clients offer one or two. */
export const MAX_PSK_IDENTITIES = 16

/** Identities of one ClientHello that are decrypted: bounds the work of a hello full of tickets. */
export const MAX_TICKETS_TRIED = 4

/** Tickets larger than this are not kept, bytes: ours have some 250, those with a chain inside a few thousand. */
export const MAX_KEPT_TICKET_BYTES = 8_192

/** Tickets that one connection of a client takes: servers send one to four; later ones are ignored. */
export const MAX_TICKETS_TAKEN = 8

/**
 * Largest difference between the age that a client gives its ticket and the age we know, ms, for early data (RFC 8446
 * section 8.3): clocks of a day's drift and a slow round trip fit.
 */
export const EARLY_DATA_FRESHNESS = 10_000

/**
 * How long a used ticket is remembered at least, ms: a ClientHello is fresh for this long at most, so that a later
 * replay fails by its age (RFC 8446 section 8.2).
 */
export const REPLAY_WINDOW = 2 * EARLY_DATA_FRESHNESS

/** Tickets remembered per window, some 100 bytes each; when it is full, early data is refused (fail closed). */
export const MAX_REMEMBERED_TICKETS = 65_536
