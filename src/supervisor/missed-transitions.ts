// Events that reached a machine where they are impossible. Each is a bug of ours: counted by machine, state and
// event, and the latest are kept so that somebody can see whose they were. Written by connection-supervisor.ts, read
// by the admin port. On the diagnostics channel `quactor:missedTransition` too, by which every test run fails.
import { channel } from 'node:diagnostics_channel'
import type { LifeActor } from '../machines/index.ts'
import { LatestRing } from './latest-ring.ts'
import { MISSED_RING } from './limits.ts'

const missedChannel = channel('quactor:missedTransition')

/** An event that reached a machine in a state where it is impossible: a bug of quactor. */
export interface MissedTransition {
  /** Name of the connection, see StuckReport. */
  readonly connection: string
  /** Name of the machine. */
  readonly machine: string
  /** Identity of the actor, e.g. the stream ID. */
  readonly actor: string
  /** Name of its state. */
  readonly state: string
  /** `unknown` for a type that is not in the machine's alphabet. */
  readonly event: string
}

export interface MissedCount extends Pick<MissedTransition, 'machine' | 'state' | 'event'> {
  readonly count: number
}

export class MissedTransitions {
  readonly #latest = new LatestRing<MissedTransition>(MISSED_RING)
  /** By machine, state and event: as many entries as the tables have pairs, at most. */
  readonly #counts = new Map<string, MissedCount>()

  record(connection: string, actor: LifeActor, state: number, event: number): void {
    const { table } = actor
    const missed = {
      connection,
      machine: table.id,
      actor: actor.id,
      state: table.name[state],
      event: table.events[event] ?? 'unknown',
    }
    this.#latest.push(missed)
    this.#count(missed)
    missedChannel.publish(missed)
  }

  #count({ machine, state, event }: MissedTransition): void {
    const key = `${machine} ${state} ${event}`
    const count = (this.#counts.get(key)?.count ?? 0) + 1
    this.#counts.set(key, { machine, state, event, count })
  }

  /** The latest ones, oldest first. */
  list(): readonly MissedTransition[] {
    return this.#latest.list()
  }

  /** How many there were of each kind. */
  counts(): readonly MissedCount[] {
    return [...this.#counts.values()]
  }
}
