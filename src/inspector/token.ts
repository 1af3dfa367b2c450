// The secret in the address that the server prints: whoever has it may act and see payloads. Made once per server.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 128 bits, base64url. */
export function makeToken(): string {
  return randomBytes(16).toString('base64url')
}

/** In a time that tells nothing about the token. */
export function isToken(given: unknown, token: string): boolean {
  if (typeof given !== 'string') return false
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
