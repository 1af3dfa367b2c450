// What an actor of this room asks of those around it, and what it keeps only when somebody needs it.
// ActorOwner is implemented by the supervisor, ActorSubject by streams, connections and TLS.
import type { AnyMachineSnapshot, Observer } from 'xstate'
import type { InspectionHub, InspectionSink } from './inspection.ts'
import type { LifeActor } from './life-actor.ts'

/** The supervisor of an actor. Its registry is the only strong reference to it. */
export interface ActorOwner {
  /** The actor is final or stopped: forget it. Called once, after the last action. */
  handleFinal(actor: LifeActor): void
  /** An event arrived where it is impossible. `event` is -1 for a type that is not in the alphabet. */
  handleMissed(actor: LifeActor, state: number, event: number): void
  /** The time of this turn in whole ms, read at every change of state: a stored number, never a system call. */
  readonly time: number
  /** Undefined while nobody inspects. */
  readonly inspector: InspectionSink | undefined
  /** Where `actor.system.inspect()` listens, when the owner offers that. */
  readonly inspection?: InspectionHub | undefined
}

/** What the actions of the table act on, e.g. a stream. */
export interface ActorSubject {
  /** Executes one action by its index. May raise again: that event is taken after the current one. */
  perform(action: number): void
}

export type LifeStatus = 'active' | 'done' | 'stopped'

/** Reasons why raise() must take the long way; the bits of an actor's `gate`. */
export const Gate = { unstarted: 1, busy: 2, over: 4, observed: 8, interpreted: 16 } as const

/** What most actors never need; made on first use. */
export class ActorExtra {
  sessionId: string | undefined = undefined
  observers: Set<Observer<AnyMachineSnapshot>> | undefined = undefined
  /** Events raised before the start or while another one was taken, oldest first. */
  readonly mailbox: number[] = []
  /** The state after everything in the mailbox. */
  ahead = 0
}
