// The files of `quactor serve` that hold certificates and keys, and that are read again on SIGHUP. Used by
// serve-options.ts.
import { readFileSync } from 'node:fs'
import type { CertificateAndKey, QuactorServer, ServeOptions } from '../handlers/serve.ts'
import type { TicketSecrets } from '../transport/tls/index.ts'
import { UsageError } from './usage-error.ts'

/** What the command line says of them. */
interface TlsValues {
  readonly cert?: readonly string[] | undefined
  readonly key?: readonly string[] | undefined
  readonly 'client-ca'?: string | undefined
  readonly 'require-client-cert'?: boolean | undefined
  readonly 'ticket-keys'?: string | undefined
}

/** The options of serve() that come from files. */
export interface TlsFiles extends Pick<ServeOptions, 'tls' | 'clientCertificates' | 'ticketKeys'> {
  /** Reads the files again; the server, in a worker none, takes over what they hold now. @throws UsageError, IdentityError */
  readonly reload: (server: QuactorServer | undefined) => void
}

/** @throws UsageError for files that cannot be read, or options that do not go together */
export function tlsOptions(values: TlsValues): TlsFiles {
  const { cert = [], key = [], 'client-ca': ca, 'ticket-keys': ticketFile } = values
  if (cert.length !== key.length) throw new UsageError('--cert and --key belong together')
  if (values['require-client-cert'] === true && ca === undefined)
    throw new UsageError('--require-client-cert needs --client-ca')
  const readChains = (): CertificateAndKey[] =>
    cert.map((path, index) => ({ cert: readText('--cert', path), key: readText('--key', key[index]) }))
  const readSecrets = (): TicketSecrets => (ticketFile === undefined ? [] : ticketSecrets(ticketFile))
  let secrets = readSecrets()
  return {
    ...(cert.length > 0 && { tls: readChains() }),
    ...(ca !== undefined && {
      clientCertificates: {
        ca: readText('--client-ca', ca),
        require: values['require-client-cert'] === true,
      },
    }),
    ...(ticketFile !== undefined && { ticketKeys: () => secrets }),
    reload: (server) => {
      const fresh = readSecrets()
      if (cert.length > 0) server?.replaceCertificates(readChains())
      secrets = fresh
    },
  }
}

/** 32 bytes, as the tickets' keys want them. */
const SECRET = /^[0-9a-f]{64}$/i

function ticketSecrets(path: string): TicketSecrets {
  const lines = readText('--ticket-keys', path)
    .split('\n')
    .map((line) => line.trim())
  const secrets = lines.filter((line) => line !== '')
  if (secrets.length === 0 || !secrets.every((line) => SECRET.test(line)))
    throw new UsageError(`--ticket-keys: ${path} needs lines of 64 hexadecimal digits`)
  return secrets.map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}
