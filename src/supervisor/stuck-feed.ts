// Tells whoever wants to know that an actor has become stuck: once per actor and state. One per endpoint; serve()
// makes server.stuck$ of it. Also on the diagnostics channel `quactor:stuck`, for tools that do not hold the server.
import { channel } from 'node:diagnostics_channel'
import type { StuckReport } from './stuck-report.ts'

const stuckChannel = channel('quactor:stuck')

export class StuckFeed {
  readonly #listeners = new Set<(report: StuckReport) => void>()

  /** Returns how to stop listening. */
  subscribe(listener: (report: StuckReport) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(report: StuckReport): void {
    for (const listener of this.#listeners) listener(report)
    stuckChannel.publish(report)
  }
}
