/** What the run needs of a browser: chromium.ts and firefox.ts are two. */
import type { ChildProcess } from 'node:child_process'
import { endGroup } from '../interop/bounded-process.ts'

/** What a browser has to know of the server before it starts. */
export interface Site {
  readonly port: number
  /** SHA-256 of the public key in the server's certificate, base64. */
  readonly spkiHash: string
  /** PEM of the authority that has issued the server's certificate. */
  readonly authority: string
  /** Goes to the site over QUIC at once; otherwise it has to learn about HTTP/3 from Alt-Svc. */
  readonly forceQuic: boolean
}

/** A tab. */
export interface Page {
  /** Resolves when the document is loaded. */
  goto(url: string): Promise<void>
  /** Value of an expression, awaited; it has to survive JSON. @throws Error with what the page threw */
  evaluate(expression: string): Promise<unknown>
  /** PNG of the viewport. */
  screenshot(): Promise<Buffer>
}

export interface Browser {
  readonly name: 'Chromium' | 'Firefox'
  readonly version: string
  readonly page: Page
  /** Asks it to end, and ends it. */
  close(): Promise<void>
  /** Ends it without a word to anybody. */
  kill(): void
}

export interface BrowserKind {
  readonly name: Browser['name']
  /** Why it cannot be started here; undefined: it can. */
  absence(): string | undefined
  /** @param folder empty, for its profile */
  start(site: Site, folder: string): Promise<Browser>
}

const START_TIMEOUT = 60_000
const END_TIMEOUT = 10_000

/** The URL that a browser prints when it is ready to be driven. */
export function announced(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = ''
    const timer = setTimeout(
      () => reject(new Error(`the browser is not ready: ${log.slice(-2000)}`)),
      START_TIMEOUT,
    )
    const collect = (chunk: Buffer): void => {
      if (log.length > 65_536) return
      log += chunk.toString('utf8')
      const match = pattern.exec(log)
      if (match === null) return
      clearTimeout(timer)
      resolve(match[1]!)
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.once('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`the browser ended with ${code}: ${log.slice(-2000)}`))
    })
  })
}

/** Waits for the end of a process that was asked to end, for a while. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, END_TIMEOUT)
      child.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
  endGroup(child, 'SIGKILL')
}
