// Exit codes of `quactor get`: curl's, so that scripts need to learn no others. Used by get.ts.
import { ClientError } from '../client/client-error.ts'
import { UsageError } from './usage-error.ts'

export const ExitCode = {
  done: 0,
  /** Nothing that has a code of its own. */
  failed: 1,
  usage: 2,
  hostNotFound: 6,
  noConnection: 7,
  /** The response's status is 400 or above. */
  httpError: 22,
  writeFailed: 23,
  readFailed: 26,
  timeout: 28,
  tls: 35,
  /** The connection or the stream broke after the request was sent. */
  receiveFailed: 56,
  certificate: 60,
} as const

/** A file that could not be read or written. */
export class FileError extends Error {
  readonly code: number

  constructor(code: number, path: string, cause: unknown) {
    super(
      `cannot ${code === ExitCode.readFailed ? 'read' : 'write'} ${path}: ${(cause as NodeJS.ErrnoException).code}`,
    )
    this.code = code
  }
}

/** First code of the TLS alerts (RFC 9001 section 4.8), and those of RFC 8446 section 6.2 about certificates. */
const FIRST_ALERT = 0x100
const CERTIFICATE_ALERTS = new Set([42, 43, 44, 45, 46, 48])

/** What OpenSSL and Node.js call the same. */
const CERTIFICATE_ERROR = /CERT|UNABLE_TO|SELF_SIGNED|ALTNAME/

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return ExitCode.usage
  if (error instanceof FileError) return error.code
  if (!(error instanceof ClientError)) return ExitCode.failed
  switch (error.kind) {
    case 'connect':
      return connectCode(error)
    case 'timeout':
      return ExitCode.timeout
    case 'closed':
    case 'reset':
    case 'rejected':
      return ExitCode.receiveFailed
    default:
      return ExitCode.failed
  }
}

function connectCode({ code, cause }: ClientError): number {
  const alert = (code ?? 0) - FIRST_ALERT
  if (CERTIFICATE_ALERTS.has(alert)) return ExitCode.certificate
  if (alert >= 0 && alert < 256) return ExitCode.tls
  const system = String((cause as NodeJS.ErrnoException | undefined)?.code)
  if (CERTIFICATE_ERROR.test(system)) return ExitCode.certificate
  if (system === 'ENOTFOUND' || system === 'EAI_AGAIN') return ExitCode.hostNotFound
  return ExitCode.noConnection
}
