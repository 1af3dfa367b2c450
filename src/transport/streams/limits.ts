// Every cap of the streams room, with its reason. Units are bytes unless the name says otherwise.

/**
 * A writer is told to pause once this much waits to be sent on one stream. What is in flight does not count: the
 * congestion window and the peer's flow control bound it, and counting it would cap every stream at 256 KiB per
 * round trip. 100 slow readers hold no more than 25 MiB beyond their windows.
 */
export const SEND_HIGH_WATER_MARK = 262_144

/** A paused writer is called again below this, so that it refills before the path runs dry. */
export const SEND_LOW_WATER_MARK = 131_072

/**
 * Fragments one stream may hold out of order. A window of 1 MiB in full-sized packets makes at most 874;
 * more than this is an attack that pins bookkeeping instead of bytes (RFC 9000 section 21.6).
 */
export const MAX_RECEIVE_FRAGMENTS = 1_024

/** Held bytes that pay for one fragment more: windows of many MiB hold full-sized packets out of order as well. */
export const MIN_FRAGMENT_WORTH = 1_024

/** Neighbouring fragments are merged up to this size, so that one-byte frames do not cost an object each. */
export const FRAGMENT_MERGE_SIZE = 4_096

/** CRYPTO data one packet-number space may hold ahead of the read position (RFC 9000 section 7.5: at least 4096). */
export const MAX_CRYPTO_BUFFER = 65_536

/** A window whose half lasts fewer round trips than this is too small for the path. */
export const FAST_ROUND_TRIPS = 2

/** Receive window of a stream that grows by itself, at most: 500 Mbit/s at 100 ms. */
export const MAX_STREAM_WINDOW = 6_291_456

/** Receive window of a connection that grows by itself, at most; it bounds what all its unread streams hold together. */
export const MAX_CONNECTION_WINDOW = 15_728_640

/** Window of the connection per window of its fastest stream, so that one stream leaves room for others. */
export const CONNECTION_WINDOW_FACTOR = 1.5
