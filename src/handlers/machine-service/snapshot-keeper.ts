// Stores a service's snapshots one after another. While one is being stored only the newest waits: it holds all that
// the older ones held. Made by service-run.ts.
import type { Snapshot } from 'xstate'

export class SnapshotKeeper {
  readonly #store: (snapshot: Snapshot<unknown>) => void | Promise<void>
  readonly #fail: (error: unknown) => void
  #waiting: Snapshot<unknown> | undefined
  #storing: Promise<void> | undefined

  constructor(store: (snapshot: Snapshot<unknown>) => void | Promise<void>, fail: (error: unknown) => void) {
    this.#store = store
    this.#fail = fail
  }

  /** Resolves when everything that was kept so far is stored. */
  get settled(): Promise<void> {
    return this.#storing ?? Promise.resolve()
  }

  keep(snapshot: Snapshot<unknown>): void {
    this.#waiting = snapshot
    if (this.#storing === undefined) this.#next()
  }

  #next(): void {
    try {
      while (this.#waiting !== undefined) {
        const snapshot = this.#waiting
        this.#waiting = undefined
        const stored = this.#store(snapshot)
        if (stored === undefined) continue
        this.#storing = this.#await(stored)
        return
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  async #await(stored: Promise<void>): Promise<void> {
    try {
      await stored
      while (this.#waiting !== undefined) {
        const snapshot = this.#waiting
        this.#waiting = undefined
        await this.#store(snapshot)
      }
    } catch (error) {
      this.#waiting = undefined
      this.#fail(error)
    } finally {
      this.#storing = undefined
    }
  }
}
