// The command line of `quactor serve`, checked as far as that goes without opening anything but the key files.
// Used by serve.ts.
import { statSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ServeOptions } from '../handlers/serve.ts'
import { MAX_WORKERS } from '../handlers/workers/limits.ts'
import { SERVE } from './command-tables.ts'
import { appendKeyLog } from './key-log.ts'
import { parseCommandLine } from './option-table.ts'
import { qlogFolder } from './qlog-folder.ts'
import { type TlsFiles, tlsOptions } from './tls-files.ts'
import { portNumber, UsageError } from './usage-error.ts'
import { versionNames } from './version-names.ts'

export interface ServeCommand {
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly serve: ServeOptions
  /** Reads the files of certificates and ticket keys again. @throws UsageError; nothing has changed then */
  readonly reload: TlsFiles['reload']
}

/** @throws UsageError with one line that says what to change */
export function parseServeOptions(args: string[]): ServeCommand {
  const { values, positionals } = parseCommandLine(SERVE, args)
  if (positionals.length > 1) throw new UsageError('only one folder can be served')
  if (positionals.length === 1 && values.root !== undefined)
    throw new UsageError('give the folder once: DIR or --root')
  const root = positionals[0] ?? values.root
  if (root !== undefined) requireFolder(root)
  const { reload, ...tls } = tlsOptions(values)
  const serve: ServeOptions = {
    port: portNumber('--port', values.port),
    inspector: values.inspector === 'off' ? false : { port: portNumber('--inspector', values.inspector) },
    retry: retryMode(values.retry),
    ...(values.workers === undefined ? {} : { workers: workerNumber(values.workers) }),
    ...(values.preferred === undefined ? {} : { preferredAddress: preferredAddress(values.preferred) }),
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(root === undefined ? {} : { root }),
    ...tls,
    ...(values['access-log'] !== undefined && { accessLog: { format: logFormat(values['access-log']) } }),
    ...(values.versions === undefined ? {} : { versions: versionNames(values.versions) }),
    ...(values['early-data'] === true && { earlyData: true }),
    ...(values.keylog === undefined ? {} : { keyLog: openKeyLog(values.keylog) }),
    ...(values.qlog === undefined ? {} : { qlogDirectory: qlogFolder(values.qlog) }),
  }
  return { isHelp: values.help === true, isJson: values.json === true, serve, reload }
}

function preferredAddress(text: string): NonNullable<ServeOptions['preferredAddress']> {
  const [, bracketed, plain, portText = ''] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  const family = isIP(address)
  const isRight = (family === 6 && bracketed !== undefined) || (family === 4 && plain !== undefined)
  if (!isRight) throw new UsageError(`--preferred needs ADDRESS:PORT or [IPV6]:PORT, not "${text}"`)
  const port = portNumber('--preferred', portText)
  return family === 4 ? { ipv4: { address, port, family } } : { ipv6: { address, port, family: 6 } }
}

function workerNumber(text: string): NonNullable<ServeOptions['workers']> {
  if (text === 'auto') return 'auto'
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (workers >= 1 && workers <= MAX_WORKERS) return workers
  throw new UsageError(`--workers needs a number from 1 to ${MAX_WORKERS}, or auto, not "${text}"`)
}

function retryMode(text: string): NonNullable<ServeOptions['retry']> {
  if (text === 'always' || text === 'never' || text === 'auto') return text
  throw new UsageError(`--retry is always, never or auto, not "${text}"`)
}

function requireFolder(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`"${root}" is not a folder`)
  }
}

function logFormat(text: string): 'json' | 'text' {
  if (text === 'json' || text === 'text') return text
  throw new UsageError(`--access-log is json or text, not "${text}"`)
}

function openKeyLog(path: string): (line: string) => void {
  const append = appendKeyLog(path)
  try {
    append('# quactor')
  } catch (error) {
    throw new UsageError(`--keylog: cannot write ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  return append
}
