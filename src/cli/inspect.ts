// quactor inspect [URL]: finds the admin port of a running server, prints its address and opens it. Dispatched by main.ts.
import { spawn } from 'node:child_process'
import { INSPECT } from './command-tables.ts'
import { helpText, parseCommandLine } from './option-table.ts'
import { portNumber, UsageError } from './usage-error.ts'

/** An admin port on this machine answers at once or not at all, ms. */
const ANSWER_WAIT = 3_000
/** The admin port listens on loopback only. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** What decides whether, and how, a page is opened. */
export interface Desktop {
  readonly platform: NodeJS.Platform
  readonly environment: NodeJS.ProcessEnv
  /** Whether somebody reads what is printed. */
  readonly isTerminal: boolean
}

/**
 * Runs the command.
 * @param args what follows `inspect` on the command line
 * @returns exit code: 0 when a server answered, 1 when none did, 2 for wrong usage
 */
export async function runInspect(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseCommandLine(INSPECT, args)
    if (values.help === true) {
      process.stdout.write(helpText(INSPECT))
      return 0
    }
    if (positionals.length > 1) throw new UsageError('quactor inspect needs one URL or none')
    const address = adminAddress(positionals[0], portNumber('--inspector', values.inspector))
    const problem = await findServer(address)
    if (problem !== undefined) {
      process.stderr.write(`quactor inspect: ${problem}\n`)
      return 1
    }
    // A token in the URL, as the server prints it, lets the page act on the server.
    const page = `${address}/${positionals[0]?.match(/\?[^#]*/)?.[0] ?? ''}`
    process.stdout.write(`${page}\n`)
    const desktop = {
      platform: process.platform,
      environment: process.env,
      isTerminal: process.stdout.isTTY === true,
    }
    const opener = values.print === true ? undefined : openerFor(desktop)
    if (opener !== undefined) await open(opener, page)
    return 0
  } catch (error) {
    process.stderr.write(`quactor inspect: ${(error as Error).message}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

/**
 * The address of the admin port that is meant.
 * @param text a port, the admin port's own URL, or the https URL of the server; undefined for the default
 * @param port the admin port of the server whose URL was given
 * @throws UsageError for what is none of them, or not on this machine
 */
export function adminAddress(text: string | undefined, port: number): string {
  if (text === undefined) return `http://127.0.0.1:${port}`
  if (/^\d+$/.test(text)) return `http://127.0.0.1:${portNumber('quactor inspect', text)}`
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new UsageError(`"${text}" is no URL of http or https, and no port`)
  if (!LOOPBACK.has(url.hostname)) {
    throw new UsageError(
      `admin ports are on loopback: ssh -L ${port}:127.0.0.1:${port} ${url.hostname}, then quactor inspect ${port}`,
    )
  }
  return url.protocol === 'http:' ? url.origin : `http://127.0.0.1:${port}`
}

/** What is wrong with that address; undefined when a server of ours answers there. */
async function findServer(address: string): Promise<string | undefined> {
  const advice = 'start one with quactor serve, or name its port: quactor inspect PORT'
  try {
    const response = await globalThis.fetch(`${address}/status`, { signal: AbortSignal.timeout(ANSWER_WAIT) })
    const status: unknown = await response.json()
    if (typeof status === 'object' && status !== null && 'connections' in status) return undefined
  } catch (error) {
    const isRefused = error instanceof TypeError
    if (isRefused) return `nothing answers at ${address}; ${advice}`
  }
  return `what answers at ${address} is not a quactor server; ${advice}`
}

/** The program that opens a page, where somebody is there to see it. */
export function openerFor({ platform, environment, isTerminal }: Desktop): readonly string[] | undefined {
  if (!isTerminal) return undefined
  if (platform === 'darwin') return ['open']
  // The empty word is the window's title.
  if (platform === 'win32') return ['cmd', '/c', 'start', '']
  const hasDisplay = Boolean(environment.DISPLAY) || Boolean(environment.WAYLAND_DISPLAY)
  return hasDisplay ? ['xdg-open'] : undefined
}

/** The address stands on the terminal already: an opener that does not work is no failure. */
function open([program, ...words]: readonly string[], address: string): Promise<void> {
  const child = spawn(program!, [...words, address], { detached: true, stdio: 'ignore' })
  child.unref()
  return new Promise((resolve) => {
    child.once('spawn', resolve)
    child.once('error', () => resolve())
  })
}
