// Events of one actor of a user's machine, by XState's own inspection, for as long as somebody has it selected. Made by
// selection.ts.
import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent } from 'xstate'
import type { MachineCatalogue } from './machine-catalogue.ts'
import { eventName } from './machine-definition.ts'
import { type ActorEvent, EventOutcome } from './protocol.ts'
import { eventDetail } from './redact.ts'
import type { Track } from './track.ts'

export class ServiceWatch {
  readonly #track: Track
  readonly #actor: AnyActorRef
  readonly #catalogue: MachineCatalogue
  readonly #take: (event: ActorEvent) => void
  readonly #now: () => number
  readonly #isRevealed: () => boolean
  readonly #end: () => void
  #state: number
  #isTaken = false
  #actions: string[] = []

  constructor(
    track: Track,
    catalogue: MachineCatalogue,
    take: (event: ActorEvent) => void,
    now: () => number,
    isRevealed: () => boolean,
  ) {
    this.#track = track
    this.#actor = track.actor as AnyActorRef
    this.#catalogue = catalogue
    this.#take = take
    this.#now = now
    this.#isRevealed = isRevealed
    this.#state = track.state
    const { unsubscribe } = this.#actor.system.inspect((event) => this.#handle(event))
    this.#end = unsubscribe
  }

  stop(): void {
    this.#end()
  }

  #handle(event: InspectionEvent): void {
    if (event.actorRef !== this.#actor) return
    if (event.type === '@xstate.microstep') {
      // Absent where the logic is no machine.
      this.#isTaken ||= (event as { _transitions?: readonly unknown[] })._transitions?.length !== 0
    } else if (event.type === '@xstate.action') this.#actions.push(event.action.type)
    else if (event.type === '@xstate.snapshot') this.#note(event.event, event.snapshot as AnyMachineSnapshot)
  }

  #note(event: { readonly type: string }, snapshot: AnyMachineSnapshot): void {
    const from = this.#state
    const to = this.#catalogue.serviceState(this.#actor, snapshot)
    const isTaken = this.#isTaken || from !== to
    const detail = eventDetail(event, this.#isRevealed())
    this.#state = to
    this.#take({
      uid: this.#track.uid,
      time: this.#now(),
      outcome: isTaken ? EventOutcome.transition : EventOutcome.ignored,
      event: eventName(event.type),
      from,
      to,
      ...(this.#actions.length === 0 ? {} : { actions: this.#actions }),
      ...(detail === undefined ? {} : { detail }),
    })
    this.#isTaken = false
    this.#actions = []
  }
}
