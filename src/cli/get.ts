// quactor get URL: one request over HTTP/3, or over TCP where there is none; body to standard output or a file. Dispatched
// by cli/main.ts.

import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { setTimeout as timeout } from 'node:timers/promises'
import { ClientError } from '../client/client-error.ts'
import type { ClientResponse } from '../client/client-response.ts'
import { type ConnectOptions, connect } from '../client/connect.ts'
import { HttpClient } from '../client/http-client.ts'
import type { RequestBody } from '../client/request-body.ts'
import type { RequestInput } from '../client/request-input.ts'
import { parseTarget } from '../client/request-target.ts'
import { MemorySessionStore, type SessionStore } from '../client/session-store.ts'
import { GET } from './command-tables.ts'
import { ExitCode, exitCodeOf, FileError } from './exit-codes.ts'
import { appendKeyLog } from './key-log.ts'
import { helpText, parseCommandLine } from './option-table.ts'
import { downloadText, ProgressLine } from './progress-line.ts'
import { qlogFolder } from './qlog-folder.ts'
import { positiveNumber, UsageError } from './usage-error.ts'
import { versionNames } from './version-names.ts'

/** Head start of HTTP/3 over TCP, ms: who calls this command wants HTTP/3. */
const HEAD_START = 3_000

/** How long the first connection of --0rtt waits for a ticket, ms: it comes with the server's answer to our Finished. */
const TICKET_WAIT = 2_000

type GetOptions = ReturnType<typeof parseCommandLine<typeof GET.options>>['values']

/**
 * Runs the command.
 * @param args what follows `get` on the command line
 * @returns exit code, see exit-codes.ts
 */
export async function runGet(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseCommandLine(GET, args)
    if (values.help === true) {
      process.stdout.write(helpText(GET))
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
  const progress = file === undefined || options.silent === true ? undefined : downloadProgress(response)
  try {
    if (file !== undefined) await once(file, 'open')
    for await (const chunk of response) {
      bytes += chunk.length
      progress?.update(bytes)
      if (isDropped) continue
      if (!target.write(chunk)) await once(target, 'drain')
      if (file === undefined && outputFailure !== undefined) throw outputFailure
    }
    if (file !== undefined) {
      file.end()
      await once(file, 'finish')
    }
    progress?.finish(bytes)
  } catch (error) {
    const isWriting = (error as NodeJS.ErrnoException).syscall !== undefined
    throw isWriting ? new FileError(ExitCode.writeFailed, path ?? 'standard output', error) : error
  } finally {
    progress?.clear()
  }
  return bytes
}

/** A line on the terminal about the body that goes to a file; undefined where nobody would see it. */
function downloadProgress({ fields }: ClientResponse) {
  const line = new ProgressLine(process.stderr, () => performance.now())
  if (!line.isVisible) return undefined
  const at = fields.indexOf('content-length')
  const total = at < 0 || at % 2 > 0 ? undefined : Number(fields[at + 1])
  const began = performance.now()
  return {
    update: (bytes: number) => line.update(() => downloadText(bytes, total, performance.now() - began)),
    finish: (bytes: number) => line.finish(downloadText(bytes, undefined, performance.now() - began)),
    clear: () => line.clear(),
  }
}
