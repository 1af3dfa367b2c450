// Events that reached a machine where they are impossible. Each is a bug of ours: counted, and the latest are kept
// so that somebody can see which. Written by connection-supervisor.ts, read by the admin endpoint and by tests.
import type { CompiledMachine } from '../machines/compile.ts'
import { MISSED_RING } from './limits.ts'

export interface MissedTransition {
  readonly machine: string
  /** Identity of the actor, e.g. the stream ID. */
  readonly actor: string
  readonly state: string
  readonly event: string
}

/** The latest missed transitions, oldest first. */
export class MissedTransitions {
  #ring: MissedTransition[] = []

  record(table: CompiledMachine, actor: string, state: number, event: number): void {
    if (this.#ring.length === MISSED_RING) this.#ring.shift()
    this.#ring.push({
      machine: table.id,
      actor,
      state: table.name[state] ?? String(state),
      event: table.events[event] ?? String(event),
    })
  }

  list(): readonly MissedTransition[] {
    return this.#ring.slice()
  }
}
