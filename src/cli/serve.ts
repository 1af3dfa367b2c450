// quactor serve: the demo server, until it is told to stop. Dispatched by main.ts.
import { type QuactorServer, serve } from '../handlers/serve.ts'
import { isWorkerProcess } from '../handlers/workers/run-worker.ts'
import { IdentityError } from '../transport/tls/index.ts'
import { SERVE } from './command-tables.ts'
import { helpText } from './option-table.ts'
import { parseServeOptions, type ServeCommand } from './serve-options.ts'
import { UsageError } from './usage-error.ts'

/**
 * Runs the command.
 * @param args what follows `serve` on the command line
 * @returns exit code 2 when the server cannot start as asked, 0 after help; undefined while it runs
 */
export async function runServe(args: string[]): Promise<number | undefined> {
  try {
    const command = parseServeOptions(args)
    if (command.isHelp) {
      process.stdout.write(helpText(SERVE))
      return 0
    }
    const server = await serve(command.serve)
    // A worker: signals, and the ready line, are the business of the process that the user started.
    if (server.worker !== undefined) {
      process.on('SIGHUP', () => reload(undefined, command))
      return undefined
    }
    stopOnSignal(server)
    reloadOnSignal(server, command)
    if (command.serve.keyLog !== undefined) {
      process.stderr.write('warning: the key log holds the secrets of all connections\n')
    }
    process.stdout.write(`${readyLine(server, command)}\n`)
    return undefined
  } catch (error) {
    // The server learns of it, and says it once.
    if (isWorkerProcess()) return 2
    process.stderr.write(`quactor serve: ${explain(error)}\n`)
    return 2
  }
}

function readyLine(server: QuactorServer, { isJson }: ServeCommand): string {
  const { url, port, inspector, inspectorToken, certificate } = server
  const { workers } = server.status()
  if (isJson) {
    return JSON.stringify({
      event: 'ready',
      url,
      port,
      inspector: inspector ?? null,
      inspectorToken: inspectorToken ?? null,
      spkiHash: certificate?.spkiHash ?? null,
      certificateHash: certificate?.certificateHash ?? null,
      pid: process.pid,
      backends: server.status().backends,
      ...(workers !== undefined && { workers: workers.map(({ id, pid }) => ({ id, pid })) }),
    })
  }
  const parts = [`ready ${url} (HTTP/3 on UDP ${port}, HTTP/2 and HTTP/1.1 on TCP ${port})`]
  if (workers !== undefined) parts.push(`${workers.length} workers`)
  if (inspector !== undefined) parts.push(`inspector ${inspector}/?token=${inspectorToken}`)
  if (certificate !== undefined) {
    parts.push(
      `self-signed: SPKI hash ${certificate.spkiHash}, certificate hash ${certificate.certificateHash}`,
    )
  }
  return parts.join(', ')
}

/** SIGHUP reads certificates and ticket keys again. What cannot be used is said, and the old ones stay. */
function reloadOnSignal(server: QuactorServer, command: ServeCommand): void {
  process.on('SIGHUP', () => {
    reload(server, command)
    for (const { pid } of server.status().workers ?? []) if (pid !== null) process.kill(pid, 'SIGHUP')
  })
}

/** Certificates reach the workers through the server, ticket keys are read by each of them. */
function reload(server: QuactorServer | undefined, command: ServeCommand): void {
  try {
    command.reload(server)
    if (server !== undefined) process.stderr.write('certificates and ticket keys were read again\n')
  } catch (error) {
    process.stderr.write(`not reloaded: ${explain(error)}\n`)
  }
}

/** The first signal drains, the second stops at once. */
function stopOnSignal(server: QuactorServer): void {
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) process.exit(130)
    isStopping = true
    const { finished, cut } = await server.close()
    if (finished + cut > 0) process.stderr.write(`stopped: ${finished} requests finished, ${cut} cut off\n`)
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/** One line, whatever went wrong. */
function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof IdentityError) return error.message
  const { code, port, address, message } = error as NodeJS.ErrnoException & {
    port?: number
    address?: string
  }
  const where = `${address ?? 'the address'} port ${port ?? '?'}`
  if (code === 'EADDRINUSE') return `${where} is in use; choose another with --port or --inspector`
  if (code === 'EACCES') return `${where} needs rights that this user does not have`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${address ?? 'the address'} is not an address of this machine`
  return String(message ?? error).split('\n')[0]
}
