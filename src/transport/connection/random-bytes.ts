// Bytes that the connection invents, such as a client's first destination connection ID (RFC 9000 section 7.2).
import type { Entropy } from '../crypto/index.ts'

/** @param length bytes */
export function inventBytes(entropy: Entropy, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  entropy.fill(bytes)
  return bytes
}
