// A chain of nine certificates, each with twenty names of 250 characters, as the case amplificationlimit has it. Only
// the leaf has to be right, since simulated clients do not verify: the rest is there to be long.
import { loadIdentity, type ServerIdentity } from '../../../src/transport/tls/index.ts'
import { issue, keyPem, type TestCertificate } from '../../unit/transport/tls/certificates.ts'

const LENGTH = 9
const NAMES = 20
const NAME_LENGTH = 250

/** In labels that are no longer than DNS allows. */
function longName(index: number): string {
  const label = 'abcdefghij'.repeat(6)
  return `${String(index).padStart(6, '0')}.${[label, label, label, label].join('.')}`.slice(0, NAME_LENGTH)
}

/** Some 45 kB of certificates; Ed25519, so that their length is the same in each run. */
export function longChain(): ServerIdentity {
  const names = Array.from({ length: NAMES }, (_, index) => longName(index))
  const chain: TestCertificate[] = []
  for (let i = 0; i < LENGTH; i++) chain.push(issue({ subject: `link ${i}`, key: 'ed25519', names }))
  return loadIdentity(chain.map(({ pem }) => pem).join(''), keyPem(chain[0]!))
}
