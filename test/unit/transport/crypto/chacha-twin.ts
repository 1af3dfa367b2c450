// The plain twin of the WebAssembly module: ChaCha20-Poly1305 as RFC 8439 writes it down, with no thought of
// speed or of timing.

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function quarterRound(s: Int32Array, a: number, b: number, c: number, d: number): void {
  s[a]! += s[b]!
  s[d] = rotateLeft(s[d]! ^ s[a]!, 16)
  s[c]! += s[d]!
  s[b] = rotateLeft(s[b]! ^ s[c]!, 12)
  s[a]! += s[b]!
  s[d] = rotateLeft(s[d]! ^ s[a]!, 8)
  s[c]! += s[d]!
  s[b] = rotateLeft(s[b]! ^ s[c]!, 7)
}

/** RFC 8439 section 2.3: one key stream block. */
export function chachaBlock(key: Uint8Array, counter: number, nonce: Uint8Array): Uint8Array {
  const state = new Uint8Array(64)
  state.set(Buffer.from('expand 32-byte k'))
  state.set(key, 16)
  state.set(nonce, 52)
  const start = new DataView(state.buffer)
  start.setUint32(48, counter, true)
  const words = Int32Array.from({ length: 16 }, (_, i) => start.getInt32(4 * i, true))
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarterRound(words, i, 4 + i, 8 + i, 12 + i)
    for (let i = 0; i < 4; i++) {
      quarterRound(words, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3))
    }
  }
  for (let at = 0; at < 64; at += 4) start.setInt32(at, words[at / 4]! + start.getInt32(at, true), true)
  return state
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

/** RFC 8439 section 2.5: the authenticator. */
export function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const r = toNumber(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  const prime = (1n << 130n) - 5n
  let h = 0n
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16)
    h = ((h + toNumber(block) + (1n << BigInt(8 * block.length))) * r) % prime
  }
  const tag = h + toNumber(key.subarray(16, 32))
  return Uint8Array.from({ length: 16 }, (_, i) => Number((tag >> BigInt(8 * i)) & 255n))
}

/** RFC 8439 section 2.8: ciphertext and tag. */
export function sealWithTwin(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const ciphertext = plaintext.map((byte, i) => byte ^ chachaBlock(key, 1 + (i >>> 6), nonce)[i & 63]!)
  const lengths = new Uint8Array(16)
  new DataView(lengths.buffer).setUint32(0, aad.length, true)
  new DataView(lengths.buffer).setUint32(8, ciphertext.length, true)
  const padding = (length: number) => new Uint8Array((16 - (length % 16)) % 16)
  const text = [aad, padding(aad.length), ciphertext, padding(ciphertext.length), lengths]
  return Buffer.concat([ciphertext, poly1305(chachaBlock(key, 0, nonce), Buffer.concat(text))])
}
