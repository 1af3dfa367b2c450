// The secret of an endpoint, from which a key per purpose is derived: stateless resets, Retry tokens, tokens of
// NEW_TOKEN frames. Used by arrivals.ts and serve().
import type { Entropy } from '../transport/crypto/index.ts'
import { MIN_SECRET_LENGTH } from './limits.ts'

/** @throws RangeError for a secret that anybody could guess */
export function checkSecret(secret: Uint8Array): void {
  if (secret.length < MIN_SECRET_LENGTH || secret.every((byte) => byte === 0)) {
    throw new RangeError(`secret needs at least ${MIN_SECRET_LENGTH} random bytes`)
  }
}

/**
 * The given secret, or a random one.
 * @throws RangeError for a secret that anybody could guess
 */
export function secretOf(given: Uint8Array | undefined, entropy: Entropy): Uint8Array {
  if (given !== undefined) {
    checkSecret(given)
    return given
  }
  const secret = new Uint8Array(MIN_SECRET_LENGTH)
  entropy.fill(secret)
  return secret
}
