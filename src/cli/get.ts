// quactor get URL: one request over HTTP/3, body to standard output or a file. Dispatched by cli/main.ts.

import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { setTimeout as timeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ClientError } from '../client/client-error.ts'
import type { ClientResponse } from '../client/client-response.ts'
import { connect } from '../client/connect.ts'
import type { RequestBody } from '../client/request-body.ts'
import type { RequestInput } from '../client/request-input.ts'
import { parseTarget } from '../client/request-target.ts'
import type { ClientSession } from '../client/session.ts'
import { MemorySessionStore, type SessionStore } from '../client/session-store.ts'
import { appendKeyLog } from './key-log.ts'
import { qlogFolder } from './qlog-folder.ts'
import { positiveNumber, UsageError } from './usage-error.ts'
import { versionNames } from './version-names.ts'

const HELP = `Usage: quactor get URL [options]

  -X, --method METHOD   default GET, or POST with -d
  -H, --header LINE     "name: value"; may be repeated
  -d, --data TEXT       request body; @FILE sends a file, @- standard input
  -o, --output FILE     write the body there instead of to standard output
  -i, --include         print status and header fields before the body
  -I, --head            request HEAD and print the header fields
      --json            print status, header fields, timing and body size as JSON; the body only with -o
      --insecure        accept any certificate
      --ca FILE         trust this certificate (PEM) instead of the system's
      --keylog FILE     append TLS secrets for Wireshark
      --qlog DIR        write a qlog file of the connection to DIR, for https://qvis.quictools.info
      --versions LIST   QUIC versions in order of preference, default v1,v2
      --0rtt        connect twice: first for a session ticket, then with the request as early data
  -v, --verbose     say on standard error how the handshake went
      --timeout SECONDS for everything; default 60
`

const OPTIONS = {
  method: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  output: { type: 'string', short: 'o' },
  include: { type: 'boolean', short: 'i' },
  head: { type: 'boolean', short: 'I' },
  json: { type: 'boolean' },
  insecure: { type: 'boolean' },
  ca: { type: 'string' },
  keylog: { type: 'string' },
  qlog: { type: 'string' },
  versions: { type: 'string' },
  '0rtt': { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  timeout: { type: 'string', default: '60' },
  help: { type: 'boolean', short: 'h' },
} as const

/** How long the first connection of --0rtt waits for a ticket, ms: it comes with the server's answer to our Finished. */
const TICKET_WAIT = 2_000

type GetOptions = ReturnType<typeof parseGetArgs>['values']

/**
 * Runs the command.
 * @param args what follows `get` on the command line
 * @returns exit code: 0 with a response below 400, 1 without one or with an error status, 2 for wrong usage
 */
export async function runGet(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseGetArgs(args)
    if (values.help === true) {
      process.stdout.write(HELP)
      return 0
    }
    const url = positionals[0]
    if (url === undefined || positionals.length > 1) throw new UsageError('quactor get needs exactly one URL')
    return await get(url, values)
  } catch (error) {
    process.stderr.write(`quactor get: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

function parseGetArgs(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function get(url: string, options: GetOptions): Promise<number> {
  const input = requestInput(url, options)
  const signal = AbortSignal.timeout(positiveNumber('--timeout', options.timeout) * 1000)
  const started = performance.now()
  const sessions = options['0rtt'] === true ? await firstSession(url, options, signal) : undefined
  const session = await open(url, options, signal, sessions)
  const connected = performance.now()
  try {
    const response = await session.request({ ...input, signal })
    const headAt = performance.now()
    if ((options.include === true || options.head === true) && options.json !== true) printHead(response)
    const bytes = await writeBody(response, options)
    if (options.verbose === true) printHandshake(session)
    if (options.json === true) {
      const timing = {
        connectMs: connected - started,
        headMs: headAt - started,
        totalMs: performance.now() - started,
      }
      const { status, fields } = response
      const { isResumed, earlyData = null } = session
      const handshake = { isResumed, earlyData }
      process.stdout.write(`${JSON.stringify({ url, status, fields, bytes, ...handshake, ...timing })}\n`)
    }
    return response.status < 400 ? 0 : 1
  } catch (error) {
    throw signal.aborted
      ? new ClientError('timeout', `no complete response within ${options.timeout} s`)
      : error
  } finally {
    await session.end()
  }
}

/** A connection that only waits for a session ticket (RFC 8446 section 4.6.1). */
async function firstSession(url: string, options: GetOptions, signal: AbortSignal): Promise<SessionStore> {
  const sessions = new MemorySessionStore()
  const session = await open(url, options, signal, sessions)
  await Promise.race([session.resumable, timeout(TICKET_WAIT, undefined, { ref: false })])
  await session.end()
  return sessions
}

function open(
  url: string,
  options: GetOptions,
  signal: AbortSignal,
  sessions?: SessionStore,
): Promise<ClientSession> {
  return connect(url, {
    sessions,
    earlyData: options['0rtt'],
    versions: options.versions === undefined ? undefined : versionNames(options.versions),
    insecure: options.insecure,
    ca: options.ca === undefined ? undefined : readFile(options.ca),
    keyLog: options.keylog === undefined ? undefined : appendKeyLog(options.keylog),
    qlogDirectory: options.qlog === undefined ? undefined : qlogFolder(options.qlog),
    signal,
  })
}

function requestInput(url: string, options: GetOptions): RequestInput {
  let path: string
  try {
    path = parseTarget(url).path
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const headers = (options.header ?? []).map((line): [string, string] => {
    const colon = line.indexOf(':')
    if (colon <= 0) throw new UsageError(`a header needs the form "name: value", not "${line}"`)
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const method = options.method ?? (options.head === true ? 'HEAD' : undefined)
  return { method, path, headers, body: requestBody(options.data) }
}

function requestBody(data: string | undefined): RequestBody | undefined {
  if (data === undefined || !data.startsWith('@')) return data
  return data === '@-' ? process.stdin : createReadStream(data.slice(1))
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  }
}

function printHandshake({ isResumed, earlyData, connection }: ClientSession): void {
  const early = earlyData === undefined ? 'no early data' : `early data ${earlyData}`
  const kind = isResumed ? 'resumed' : 'full'
  process.stderr.write(`* ${kind} handshake, ${connection.tls.cipherSuite?.name}, ${early}\n`)
}

function printHead({ status, fields }: ClientResponse): void {
  const lines = [`HTTP/3 ${status}`]
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i]}: ${fields[i + 1]}`)
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

/** Writes the body where the options say, no faster than that takes it; returns its length in bytes. */
async function writeBody(response: ClientResponse, options: GetOptions): Promise<number> {
  const isDropped = options.json === true && options.output === undefined
  const file = options.output === undefined ? undefined : createWriteStream(options.output)
  const target = file ?? process.stdout
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (!isDropped && !target.write(chunk)) await once(target, 'drain')
  }
  if (file !== undefined) {
    file.end()
    await once(file, 'finish')
  }
  return bytes
}
