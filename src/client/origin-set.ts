// The origins that a server is ready to answer for on one connection, RFC 9412 and RFC 8336 section 2.3. A hint: whoever
// uses the connection for another origin has to see that the certificate is good for it. Kept by session.ts.
import { MAX_ORIGINS } from '../http3/limits.ts'

/**
 * Adds what an ORIGIN frame names.
 * @param known undefined before the first frame: the set begins with the origin that the connection was made for
 * @param authority host and port of that origin
 */
export function extendOrigins(
  known: Set<string> | undefined,
  authority: string,
  named: readonly string[],
): Set<string> {
  const origins = known ?? new Set([new URL(`https://${authority}`).origin])
  for (const origin of named) if (origins.size < MAX_ORIGINS) origins.add(origin)
  return origins
}
