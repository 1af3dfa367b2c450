/**
 * Child processes that cannot outlive their time: every peer and the server run through here. Each gets
 * its own process group, so that a browser's or a package runner's children end with it.
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** How a process ended, and everything that it printed. */
export interface ProcessResult {
  readonly code: number | undefined
  readonly timedOut: boolean
  readonly output: string
}

/** What to run. `timeout` is in milliseconds. */
export interface ProcessRequest {
  readonly command: string
  readonly parameters: readonly string[]
  readonly timeout: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const MAX_OUTPUT_CHARACTERS = 16_777_216

/** Ends a process started by `start` together with its group. Does nothing when it has ended already. */
export function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Starts a process as the leader of a group of its own. */
export function start(request: Omit<ProcessRequest, 'timeout'>): ChildProcess {
  return spawn(request.command, request.parameters, {
    cwd: request.cwd,
    env: { ...process.env, ...request.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

/** Runs a process to its end or to its timeout, whichever comes first. Never rejects for an exit code. */
export function runBounded(request: ProcessRequest): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = start(request)
    let output = ''
    let timedOut = false
    const collect = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT_CHARACTERS) output += chunk.toString('utf8')
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    const timer = setTimeout(() => {
      timedOut = true
      endGroup(child, 'SIGKILL')
    }, request.timeout)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      endGroup(child, 'SIGKILL')
      resolve({ code: code ?? undefined, timedOut, output })
    })
  })
}
