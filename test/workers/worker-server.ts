// The server under test: `quactor serve --workers N` as a process of its own, and what can be asked of it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ServerStatus } from '../../src/index.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const READY_TIMEOUT = 50_000
const EXIT_TIMEOUT = 15_000

export interface Ready {
  readonly port: number
  readonly inspector: string
  readonly inspectorToken: string
  readonly pid: number
  readonly workers: readonly { readonly id: number; readonly pid: number }[]
}

export class WorkerServer {
  readonly ready: Ready
  /** Everything that was printed after the ready line, and on standard error. */
  readonly lines: readonly string[]
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>

  constructor(child: ChildProcess, ready: Ready, lines: readonly string[], exit: Promise<number | null>) {
    this.#child = child
    this.ready = ready
    this.lines = lines
    this.#exit = exit
  }

  get url(): string {
    return `https://127.0.0.1:${this.ready.port}`
  }

  async status(): Promise<ServerStatus> {
    return (await fetch(`${this.ready.inspector}/status`)).json() as Promise<ServerStatus>
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.ready.inspector}/metrics`)).text()
  }

  /** Asks until the answer is as wanted. */
  async statusWhen(isWanted: (status: ServerStatus) => boolean, timeout = 8_000): Promise<ServerStatus> {
    const end = performance.now() + timeout
    for (;;) {
      const status = await this.status()
      if (isWanted(status)) return status
      if (performance.now() > end) throw new Error(`not as wanted: ${JSON.stringify(status)}`)
      await delay(50)
    }
  }

  /** Sends a signal to the process that was started; resolves with its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
    const late = delay(EXIT_TIMEOUT, 'late' as const, { ref: false })
    const code = await Promise.race([this.#exit, late])
    if (code !== 'late') return code
    this.#child.kill('SIGKILL')
    throw new Error(`still running after ${signal}: ${this.lines.join('\n')}`)
  }
}

/** Whether a process of this ID exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Resolves when none of the processes exists any more. */
export async function whenGone(pids: readonly number[], timeout = 5_000): Promise<void> {
  const end = performance.now() + timeout
  while (pids.some(isAlive)) {
    if (performance.now() > end) throw new Error(`still there: ${pids.filter(isAlive).join(', ')}`)
    await delay(50)
  }
}

/** Starts a server on free ports. @param folder for temporary files of the server */
export async function startWorkers(
  workers: number,
  options: readonly string[] = [],
  folder?: string,
): Promise<WorkerServer> {
  const parameters = ['--host', '127.0.0.1', '--port', '0', '--inspector', '0', '--json', ...options]
  const child = spawn(
    process.execPath,
    ['src/cli/main.ts', 'serve', '--workers', String(workers), ...parameters],
    {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(folder === undefined ? {} : { TMPDIR: folder }) },
    },
  )
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  const lines: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Ready>()
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{"event":"ready"')) resolve(JSON.parse(line) as Ready)
    lines.push(line)
  })
  void exit.then((code) => reject(new Error(`ended with ${code}: ${lines.join('\n')}`)))
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(new Error(`no ready line: ${lines.join('\n')}`))
  }, READY_TIMEOUT)
  const ready = await promise.finally(() => clearTimeout(timer))
  return new WorkerServer(child, ready, lines, exit)
}
