// The memory of used tickets that all workers of a server share, so that early data with a ticket is accepted once,
// whichever of them the kernel gives it to (RFC 8446 section 8.1). A claim is a file that must not exist before: the
// system makes that exclusive among processes, and a claim survives the worker that made it. Whatever fails, fails
// closed. Only early data costs this, some 20 us each. Made by run-worker.ts; the server sweeps what is old.
//
//   windows of REPLAY_WINDOW    |     n     |    n + 1    |    n + 2    |
//   a claim within n            is a file in n and in n + 1: known for at least one whole window, and at the border of
//                               two windows each of two claimants meets the file of the other in n + 1
import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AntiReplay } from '../../transport/tls/index.ts'
import { MAX_REMEMBERED_TICKETS, REPLAY_WINDOW } from '../../transport/tls/limits.ts'

const PREFIX = 'used-'

export class SharedReplayMemory implements AntiReplay {
  readonly id: Uint8Array
  readonly #directory: string
  readonly #capacity: number
  #window = Number.NEGATIVE_INFINITY
  #claimed = 0
  #isFailing = false

  /**
   * @param directory that only this user can enter, the same for all workers
   * @param id the same for all workers
   * @param workers they share the room
   */
  constructor(directory: string, id: Uint8Array, workers: number) {
    this.#directory = directory
    this.id = id
    this.#capacity = Math.floor(MAX_REMEMBERED_TICKETS / workers)
  }

  claim(ticket: Uint8Array, now: number): boolean {
    const window = Math.floor(now / REPLAY_WINDOW)
    if (window !== this.#window) this.#enter(window)
    if (this.#isFailing || this.#claimed >= this.#capacity) return false
    this.#claimed++
    const name = Buffer.from(ticket).toString('hex')
    return this.#mark(window, name) && this.#mark(window + 1, name)
  }

  #enter(window: number): void {
    this.#window = window
    this.#claimed = 0
    this.#isFailing = !this.#makeFolder(window) || !this.#makeFolder(window + 1)
  }

  #makeFolder(window: number): boolean {
    try {
      mkdirSync(this.#folder(window), { mode: 0o700 })
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST'
    }
  }

  /** True when nobody did it before. */
  #mark(window: number, name: string): boolean {
    try {
      closeSync(openSync(join(this.#folder(window), name), 'wx', 0o600))
      return true
    } catch {
      return false
    }
  }

  #folder(window: number): string {
    return join(this.#directory, `${PREFIX}${window}`)
  }
}

/** Removes the windows that are over. @param now wall-clock time, ms */
export async function sweepReplayMemory(directory: string, now: number): Promise<void> {
  const window = Math.floor(now / REPLAY_WINDOW)
  const over = readdirSync(directory).filter((name) => {
    return name.startsWith(PREFIX) && Number(name.slice(PREFIX.length)) < window
  })
  await Promise.all(over.map((name) => rm(join(directory, name), { recursive: true, force: true })))
}

/** Removes a server's folder with all that is in it. */
export function removeFolder(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
