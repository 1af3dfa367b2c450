// Frames as bytes, encoded here and not by the code under test, so that tests can also say what is forbidden
// (RFC 9000 section 19).

/** A variable-length integer in its shortest form, or in `length` bytes (RFC 9000 section 16). */
export function varint(value: number | bigint, length?: 1 | 2 | 4 | 8): Uint8Array {
  const number = BigInt(value)
  const size = length ?? (number < 64n ? 1 : number < 16_384n ? 2 : number < 1_073_741_824n ? 4 : 8)
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[size - 1 - i] = Number((number >> BigInt(8 * i)) & 0xffn)
  bytes[0] |= { 1: 0x00, 2: 0x40, 4: 0x80, 8: 0xc0 }[size]!
  return bytes
}

export function bytesOf(...parts: (number | bigint | Uint8Array | string)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part)
      return part instanceof Uint8Array ? part : varint(part)
    }),
  )
}

export const padding = (count: number): Uint8Array => new Uint8Array(count)
export const ping = (): Uint8Array => Uint8Array.of(0x01)

/** ACK of `largest` down to `largest - first`, then gap and length pairs. */
export function ack(
  largest: number,
  first = 0,
  delay = 0,
  ...pairs: [gap: number, length: number][]
): Uint8Array {
  return bytesOf(0x02, largest, delay, pairs.length, first, ...pairs.flat())
}

export function resetStream(id: number | bigint, code: number, finalSize: number | bigint): Uint8Array {
  return bytesOf(0x04, id, code, finalSize)
}

/** draft-ietf-quic-reliable-stream-reset section 4. */
export function resetStreamAt(id: number, code: number, finalSize: number, reliableSize: number): Uint8Array {
  return bytesOf(0x24, id, code, finalSize, reliableSize)
}

export function stopSending(id: number, code: number): Uint8Array {
  return bytesOf(0x05, id, code)
}

export function crypto(offset: number | bigint, data: Uint8Array): Uint8Array {
  return bytesOf(0x06, offset, data.length, data)
}

export function newToken(token: Uint8Array | string): Uint8Array {
  return bytesOf(0x07, token.length, token)
}

export function stream(
  id: number,
  offset: number | bigint,
  data: Uint8Array | string,
  fin = false,
): Uint8Array {
  return bytesOf(0x0e | (fin ? 1 : 0), id, offset, data.length, data)
}

export const maxData = (limit: number): Uint8Array => bytesOf(0x10, limit)
export const maxStreamData = (id: number, limit: number): Uint8Array => bytesOf(0x11, id, limit)
export const maxStreamsBidi = (limit: number | bigint): Uint8Array => bytesOf(0x12, limit)
export const maxStreamsUni = (limit: number | bigint): Uint8Array => bytesOf(0x13, limit)
export const dataBlocked = (limit: number): Uint8Array => bytesOf(0x14, limit)
export const streamDataBlocked = (id: number, limit: number): Uint8Array => bytesOf(0x15, id, limit)
export const streamsBlockedBidi = (limit: number | bigint): Uint8Array => bytesOf(0x16, limit)
export const streamsBlockedUni = (limit: number | bigint): Uint8Array => bytesOf(0x17, limit)

export function newConnectionId(
  sequence: number,
  retirePriorTo: number,
  id: Uint8Array = new Uint8Array(8).fill(sequence + 1),
  token: Uint8Array = new Uint8Array(16).fill(sequence + 1),
): Uint8Array {
  return bytesOf(0x18, sequence, retirePriorTo, Uint8Array.of(id.length), id, token)
}

export const retireConnectionId = (sequence: number): Uint8Array => bytesOf(0x19, sequence)
export const pathChallenge = (data = '01234567'): Uint8Array => bytesOf(0x1a, data)
export const pathResponse = (data = '01234567'): Uint8Array => bytesOf(0x1b, data)

export function connectionClose(code: number, frameType = 0, reason = ''): Uint8Array {
  return bytesOf(0x1c, code, frameType, reason.length, reason)
}

export function applicationClose(code: number, reason = ''): Uint8Array {
  return bytesOf(0x1d, code, reason.length, reason)
}

export const handshakeDone = (): Uint8Array => Uint8Array.of(0x1e)
