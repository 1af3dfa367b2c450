// The command line of `quactor serve`, checked as far as that goes without opening anything but the key files.
// Used by serve.ts.
import { statSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import type { ServeOptions } from '../handlers/serve.ts'
import { MAX_WORKERS } from '../handlers/workers/limits.ts'
import { appendKeyLog } from './key-log.ts'
import { qlogFolder } from './qlog-folder.ts'
import { type TlsFiles, tlsOptions } from './tls-files.ts'
import { UsageError } from './usage-error.ts'
import { versionNames } from './version-names.ts'

export const SERVE_HELP = `Usage: quactor serve [DIR] [options]

  --port PORT       UDP and TCP port, default 4433; 0 = any that is free
  --host ADDRESS    address to listen on; default: all, IPv4 and IPv6
  --root DIR        serve the files below DIR (the same as DIR)
  --cert FILE       certificate chain, PEM; needs --key. Default: self-signed for localhost.
                    Several --cert with as many --key: each for its own names. SIGHUP reads
                    the files again
  --key FILE        private key, PEM
  --client-ca FILE  ask clients for certificates of these authorities, PEM
  --require-client-cert
                    refuse clients without one
  --ticket-keys FILE
                    secrets of session tickets, 64 hexadecimal digits a line, newest first:
                    for servers that resume each other's sessions. SIGHUP reads it again
  --access-log FORMAT
                    one line per request on standard output: json (pino's) or text
  --inspector PORT  admin port on loopback, default 4434; off = none
  --workers N       serve with N processes, up to 64; auto = one per core. Default 1
  --retry MODE      have clients prove their address first: always, never, or auto (the
                    default) while more than 100 handshakes are under way
  --preferred ADDRESS:PORT
                    bind this UDP address too, and ask clients to move there; IPv6 in brackets
  --versions LIST   QUIC versions in order of preference, default v1,v2
  --early-data      take requests with the first packets of returning clients (0-RTT):
                    safe methods only, they may be replayed
  --keylog FILE     append TLS secrets for Wireshark; whoever has them reads everything
  --qlog DIR        write a qlog file per connection to DIR, for https://qvis.quictools.info
  --json            print the ready line as JSON
`

const OPTIONS = {
  port: { type: 'string', default: '4433' },
  host: { type: 'string' },
  root: { type: 'string' },
  cert: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
  'client-ca': { type: 'string' },
  'require-client-cert': { type: 'boolean' },
  'ticket-keys': { type: 'string' },
  'access-log': { type: 'string' },
  inspector: { type: 'string', default: '4434' },
  workers: { type: 'string' },
  retry: { type: 'string', default: 'auto' },
  preferred: { type: 'string' },
  versions: { type: 'string' },
  'early-data': { type: 'boolean' },
  keylog: { type: 'string' },
  qlog: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface ServeCommand {
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly serve: ServeOptions
  /** Reads the files of certificates and ticket keys again. @throws UsageError; nothing has changed then */
  readonly reload: TlsFiles['reload']
}

/** @throws UsageError with one line that says what to change */
export function parseServeOptions(args: string[]): ServeCommand {
  const { values, positionals } = parse(args)
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

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    // Node adds advice after the first sentence, and after the first line: one line is enough.
    throw new UsageError((error as Error).message.split(/\. |\.?\n/)[0])
  }
}

function portNumber(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`${option} needs a port from 0 to 65535, not "${text}"`)
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
