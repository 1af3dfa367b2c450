// Calls between the benchmark's processes over Node's IPC channel: the conductor (run.ts) asks, servers and load
// generators answer. One call at a time per child is all that is needed.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

type Answerer = (params: never) => unknown

interface Call {
  id: number
  name: string
  params: unknown
}

interface Answer {
  id: number
  result?: unknown
  error?: string
}

/** Serves calls from the parent until the channel closes, then lets the process end. */
export function answerCalls(answerers: Record<string, Answerer>): void {
  process.on('message', async (call: Call) => {
    const answer: Answer = { id: call.id }
    try {
      answer.result = await answerers[call.name]!(call.params as never)
    } catch (error) {
      answer.error = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    process.send?.(answer)
  })
  process.on('disconnect', () => process.exit(0))
}

/** CPU and memory of this process since it started. */
export interface Usage {
  /** User and system time of all threads, s. */
  cpuSeconds: number
  /** Resident set, bytes. */
  rss: number
}

export function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss() }
}

/** A child process that answers calls. */
export class Child {
  readonly #process: ChildProcess
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (reason: Error) => void }
  >()
  #lastId = 0

  /**
   * @param file name of a script in this folder
   * @param options.execArgv options of Node itself
   */
  constructor(file: string, args: string[] = [], options: { readonly execArgv?: string[] } = {}) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    this.#process = fork(path, args, { serialization: 'advanced', ...options })
    this.#process.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.error !== undefined) waiting?.reject(new Error(`${file}: ${answer.error}`))
      else waiting?.resolve(answer.result)
    })
    this.#process.on('exit', (code, signal) => {
      const error = new Error(`${file} ended early (${signal ?? `exit code ${code}`})`)
      for (const waiting of this.#waiting.values()) waiting.reject(error)
      this.#waiting.clear()
    })
  }

  call<T>(name: string, params?: unknown): Promise<T> {
    const id = ++this.#lastId
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id, name, params } satisfies Call)
    })
  }

  end(): void {
    this.#process.kill()
  }
}
