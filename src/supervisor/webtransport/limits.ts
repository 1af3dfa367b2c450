// Sizes of the W3C side of WebTransport, each with its reason. A cap is enforced where it would be exceeded.

/** Bytes of a stream handed to a reader at once: fewer, larger turns, without holding a whole window. */
export const READ_PIECE = 65_536

/** Bytes of exported keying material unless the caller wants another number: a key of any cipher. */
export const EXPORTED_LENGTH = 32

/** createBidirectionalStream() and createUnidirectionalStream() that wait for the peer's limit, per session. */
export const MAX_WAITING_STREAMS = 1_000

/** Our datagrams that the transport may hold at a time; the others wait here, where they can expire. */
export const DATAGRAMS_IN_TRANSPORT = 8

/** outgoingHighWaterMark of the W3C unless the application says otherwise: writes wait for the datagrams before. */
export const OUTGOING_HIGH_WATER_MARK = 8

/** Datagrams that wait to be sent, whatever the application sets: some 1.2 MB of the usual size. */
export const MAX_OUTGOING_DATAGRAMS = 1_024
