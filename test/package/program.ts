/** A server that a user wrote, as a process of its own. Used by run.ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const START_TIMEOUT = 30_000
const STOP_TIMEOUT = 15_000

export interface Program {
  /** The first https URL that it printed. */
  readonly url: string
  /** Ends it by SIGTERM; its exit code, null when it has no listener for that signal. */
  stop(): Promise<number | null>
}

/** Starts a script and waits until it says where it listens. */
export async function startProgram(
  parameters: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Program> {
  const child = spawn(process.execPath, [...parameters], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (): void => reject(new Error(`it said nothing of a URL:\n${output}`))
    const timer = setTimeout(fail, START_TIMEOUT)
    const take = (text: string): void => {
      output += text
      const [found] = /https:\/\/[\w.:[\]-]+/.exec(output) ?? []
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.once('exit', fail)
  }).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit') as Promise<[number | null]>
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT)
      const [code] = await ended
      clearTimeout(timer)
      return code
    },
  }
}
