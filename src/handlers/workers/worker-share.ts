// What a worker has in common with the other workers of its server. Made by run-worker.ts, used where a server is put
// together.
import type { WorkerRole } from '../../supervisor/hand-over.ts'
import type { AntiReplay } from '../../transport/tls/index.ts'
import type { CertificateAndKey, ServeOptions } from '../serve.ts'
import type { ServerCertificate } from '../server-certificate.ts'

export interface WorkerShare {
  readonly port: number
  readonly certificate: ServerCertificate
  readonly secret: Uint8Array
  /** In place of the option of this name, where the workers' common keys are not the program's own. */
  readonly tickets: Pick<ServeOptions, 'ticketKeys'>
  /** The memory of used tickets of all workers. */
  readonly antiReplay: AntiReplay
  readonly role: WorkerRole
  /** Has all workers show other certificates, this one too. */
  replaceCertificates(chains: readonly CertificateAndKey[]): void
  /** Has the whole server closed, this worker too; `timeout` in ms. */
  closeAll(timeout: number): void
}
