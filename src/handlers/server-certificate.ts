// The certificates that a server shows: those it was given, or one that it makes for development. Used by
// start-server.ts and by supervise-workers.ts.
import { createSelfSigned, type SelfSigned } from '../transport/io/self-signed.ts'
import { SELF_SIGNED_DAYS } from './limits.ts'
import type { CertificateAndKey, ServeOptions } from './serve.ts'

export interface ServerCertificate {
  /** At least one; the first is for names that no other is for. */
  readonly chains: readonly CertificateAndKey[]
  readonly selfSigned?: SelfSigned
}

export async function certificateOf(options: ServeOptions): Promise<ServerCertificate> {
  const { tls = 'self-signed', host } = options
  if (tls !== 'self-signed') return { chains: chainsOf(tls) }
  const names = ['localhost', '127.0.0.1', '::1']
  const isSpecific = host !== undefined && host !== '0.0.0.0' && host !== '::' && !names.includes(host)
  if (isSpecific) names.push(host)
  const selfSigned = await createSelfSigned({ names, days: SELF_SIGNED_DAYS })
  return { chains: [{ cert: selfSigned.certPem, key: selfSigned.keyPem }], selfSigned }
}

/** One certificate, or several, as a list. */
export function chainsOf(
  tls: CertificateAndKey | readonly CertificateAndKey[],
): readonly CertificateAndKey[] {
  return 'cert' in tls ? [tls] : tls
}
