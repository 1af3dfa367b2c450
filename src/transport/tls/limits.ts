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
