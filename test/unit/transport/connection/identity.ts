// A server identity with an Ed25519 key: signatures of constant length keep simulated packets reproducible.
import type { ServerIdentity } from '../../../../src/transport/tls/index.ts'
import { issue } from '../tls/certificates.ts'

const certificate = issue({ subject: 'localhost', key: 'ed25519', names: ['localhost'] })

export const ed25519Identity: ServerIdentity = {
  certificateChain: [certificate.der],
  privateKey: certificate.privateKey,
  names: ['localhost'],
}
