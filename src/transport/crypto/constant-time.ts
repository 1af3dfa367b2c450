// Comparison of secrets in time that does not depend on their content. Called by TLS (Finished), by the
// connection (stateless reset tokens, Retry integrity) and by the backends (tags).
import { timingSafeEqual } from 'node:crypto'

/**
 * Whether two byte strings are equal. Takes time that depends on the lengths only, which are public.
 */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
