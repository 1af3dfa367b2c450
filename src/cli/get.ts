// quactor get URL: one request over HTTP/3, or over TCP where there is none; body to standard output or a file. Dispatched
// by cli/main.ts.

import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { setTimeout as timeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ClientError } from '../client/client-error.ts'
import type { ClientResponse } from '../client/client-response.ts'
import { type ConnectOptions, connect } from '../client/connect.ts'
import { HttpClient } from '../client/http-client.ts'
import type { RequestBody } from '../client/request-body.ts'
import type { RequestInput } from '../client/request-input.ts'
import { parseTarget } from '../client/request-target.ts'
import { MemorySessionStore, type SessionStore } from '../client/session-store.ts'
import { ExitCode, exitCodeOf, FileError } from './exit-codes.ts'
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
      --http3-only      fail where HTTP/3 cannot be reached, instead of going by TCP
      --insecure        accept any certificate
      --ca FILE         trust this certificate (PEM) instead of the system's
      --keylog FILE     append TLS secrets for Wireshark
      --qlog DIR        write a qlog file of the connection to DIR, for https://qvis.quictools.info
      --versions LIST   QUIC versions in order of preference, default v1,v2
      --0rtt            connect twice: first for a session ticket, then with the request as early data
  -v, --verbose         say on standard error what was sent and how the handshake went
      --timeout SECONDS for everything; default 60

Exit codes are curl's: 0 done, 2 wrong usage, 6 host not found, 7 no connection, 22 status 400 or above, 23 and 26 a file
that cannot be written or read, 28 timeout, 35 TLS, 56 connection broken, 60 certificate not accepted, 1 anything else.
`

const OPTIONS = {
  method: { type: 'string', short: 'X' },
  header: { type: 'string', short: 'H', multiple: true },
  data: { type: 'string', short: 'd' },
  output: { type: 'string', short: 'o' },
  include: { type: 'boolean', short: 'i' },
  head: { type: 'boolean', short: 'I' },
  json: { type: 'boolean' },
  'http3-only': { type: 'boolean' },
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

/** Head start of HTTP/3 over TCP, ms: who calls this command wants HTTP/3. */
const HEAD_START = 3_000

/** How long the first connection of --0rtt waits for a ticket, ms: it comes with the server's answer to our Finished. */
const TICKET_WAIT = 2_000

type GetOptions = ReturnType<typeof parseGetArgs>['values']

/**
 * Runs the command.
 * @param args what follows `get` on the command line
 * @returns exit code, see HELP
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
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`quactor get: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`)
    return exitCodeOf(error)
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
  const settings = connectOptions(options)
  const client = new HttpClient({
    ...settings,
    sessions: options['0rtt'] === true ? await firstSession(url, settings, signal) : undefined,
    earlyData: options['0rtt'],
    http3: options['http3-only'] === true || options['0rtt'] === true ? 'only' : 'prefer',
    headStart: HEAD_START,
  })
  const started = performance.now()
  try {
    const response = await client.request(url, { ...input, signal })
    const headMs = performance.now() - started
    if (options.verbose === true) printRequest(url, input)
    if ((options.include === true || options.head === true) && options.json !== true) printHead(response)
    const bytes = await writeBody(response, options)
    if (options.verbose === true) printHandshake(response)
    if (options.json === true)
      printJson(url, response, { bytes, headMs, totalMs: performance.now() - started })
    return response.status < 400 ? ExitCode.done : ExitCode.httpError
  } catch (error) {
    throw signal.aborted
      ? new ClientError('timeout', `no complete response within ${options.timeout} s`)
      : error
  } finally {
    await client.close()
  }
}

/** A connection that only waits for a session ticket (RFC 8446 section 4.6.1). */
async function firstSession(
  url: string,
  settings: ConnectOptions,
  signal: AbortSignal,
): Promise<SessionStore> {
  const sessions = new MemorySessionStore()
  const session = await connect(url, { ...settings, sessions, signal })
  await Promise.race([session.resumable, timeout(TICKET_WAIT, undefined, { ref: false })])
  await session.end()
  return sessions
}

function connectOptions(options: GetOptions): ConnectOptions {
  return {
    versions: options.versions === undefined ? undefined : versionNames(options.versions),
    insecure: options.insecure,
    ca: options.ca === undefined ? undefined : readFile(options.ca),
    keyLog: options.keylog === undefined ? undefined : appendKeyLog(options.keylog),
    qlogDirectory: options.qlog === undefined ? undefined : qlogFolder(options.qlog),
  }
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
  return data === '@-' ? process.stdin : fileBody(data.slice(1))
}

async function* fileBody(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>
  } catch (error) {
    throw new FileError(ExitCode.readFailed, path, error)
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  }
}

function printRequest(url: string, { method, body, headers }: RequestInput): void {
  const { authority, path } = parseTarget(url)
  const lines = [`${method ?? (body === undefined ? 'GET' : 'POST')} ${path}`, `host: ${authority}`]
  for (const [name, value] of (headers ?? []) as Iterable<readonly [string, string]>)
    lines.push(`${name}: ${value}`)
  process.stderr.write(lines.map((line) => `> ${line}\n`).join(''))
}

function printHandshake({ session, protocol, status, fields }: ClientResponse): void {
  const lines = [`< ${protocol === 'h3' ? 'HTTP/3' : 'HTTP/1.1'} ${status}`]
  for (let i = 0; i < fields.length; i += 2) lines.push(`< ${fields[i]}: ${fields[i + 1]}`)
  if (session === undefined) lines.push('* no HTTP/3: over TCP')
  else {
    const { isResumed, earlyData, connection } = session
    const early = earlyData === undefined ? 'no early data' : `early data ${earlyData}`
    const kind = isResumed ? 'resumed' : 'full'
    lines.push(`* ${kind} handshake, ${connection.tls.cipherSuite?.name}, ${early}`)
  }
  process.stderr.write(`${lines.join('\n')}\n`)
}

function printJson(url: string, response: ClientResponse, measured: Record<string, number>): void {
  const { status, fields, protocol, session, trailers = [] } = response
  const handshake = { isResumed: session?.isResumed ?? false, earlyData: session?.earlyData ?? null }
  const report = { url, protocol, status, fields, trailers, ...handshake, ...measured }
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

function printHead({ status, fields, protocol }: ClientResponse): void {
  const lines = [`${protocol === 'h3' ? 'HTTP/3' : 'HTTP/1.1'} ${status}`]
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i]}: ${fields[i + 1]}`)
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

/** Standard output is one for the whole process: what went wrong with it first, e.g. EPIPE when its reader has left. */
let outputFailure: Error | undefined
let isOutputWatched = false

function watchOutput(): void {
  if (isOutputWatched) return
  isOutputWatched = true
  process.stdout.on('error', (error) => {
    outputFailure ??= error
  })
}

/** Writes the body where the options say, no faster than that takes it; returns its length in bytes. */
async function writeBody(response: ClientResponse, options: GetOptions): Promise<number> {
  const isDropped = options.json === true && options.output === undefined
  const path = options.output
  const file = path === undefined ? undefined : createWriteStream(path)
  const target = file ?? process.stdout
  watchOutput()
  let bytes = 0
  try {
    if (file !== undefined) await once(file, 'open')
    for await (const chunk of response) {
      bytes += chunk.length
      if (isDropped) continue
      if (!target.write(chunk)) await once(target, 'drain')
      if (file === undefined && outputFailure !== undefined) throw outputFailure
    }
    if (file !== undefined) {
      file.end()
      await once(file, 'finish')
    }
  } catch (error) {
    const isWriting = (error as NodeJS.ErrnoException).syscall !== undefined
    throw isWriting ? new FileError(ExitCode.writeFailed, path ?? 'standard output', error) : error
  }
  return bytes
}
