// Caps of the wire codecs, each with its reason.

/** ACK ranges taken from one ACK frame; the older rest is read and ignored. We send at most 64 ourselves. */
export const MAX_ACK_RANGES_PARSED = 256

/** ACK ranges written into one frame: 63 additional ranges keep the range count in one byte. */
export const MAX_ACK_RANGES_WRITTEN = 64

/** Bytes of reason phrase taken and sent: enough for a sentence, and a close always fits a small packet. */
export const MAX_REASON_LENGTH = 256

/** Transport parameters in one extension; TLS bounds the bytes, this bounds the duplicate check. */
export const MAX_TRANSPORT_PARAMETERS = 128
