// An actor that runs a compiled table: one per stream, connection and handshake. Created by the supervisor,
// raised by the data plane, which reads `state` and the phases. As an actor reference (actor-reference.ts) it
// works with waitFor, toPromise, rxjs from() and inspectors.
//
// What a life costs is this object and nothing else: IDs, observers and the mailbox are made when somebody
// first needs them. One field, `gate`, is 0 exactly when raise() may take the short way.
import type { AnyEventObject } from 'xstate'
import { type ActorExtra, type ActorOwner, type ActorSubject, Gate } from './actor-contract.ts'
import { ActorReference, INIT } from './actor-reference.ts'
import { type CompiledMachine, Outcome } from './compile.ts'

const STOP: AnyEventObject = Object.freeze({ type: 'xstate.stop' })

export class LifeActor extends ActorReference {
  declare protected readonly subject: ActorSubject | undefined

  /**
   * @param table - the machine to run
   * @param id - e.g. the stream ID; becomes a string when somebody reads `id`
   * @param owner - told about the end and about missed transitions
   * @param subject - executes the actions; without one they are skipped
   * @param gate - further Gate bits of a subclass
   */
  constructor(
    table: CompiledMachine,
    id: string | number,
    owner: ActorOwner,
    subject?: ActorSubject,
    gate: number = 0,
  ) {
    super(table, id, owner, gate | Gate.unstarted)
    this.subject = subject
    if (this.isInspected) this.inspect({ type: '@xstate.actor' })
  }

  /** SendPhase of the stream; 0 when it has no sending part. */
  get sendPhase(): number {
    return this.table.sendPhase[this.state]!
  }

  /** ReceivePhase of the stream; 0 when it has no receiving part. */
  get receivePhase(): number {
    return this.table.receivePhase[this.state]!
  }

  /** ConnectionPhase, ServerHandshakePhase or ClientHandshakePhase; 0 for a stream. */
  get phase(): number {
    return this.table.phase[this.state]!
  }

  /**
   * Lets the machine take an event by its index.
   * @returns what the event did, as one of Outcome; for an event raised from inside an action, what it will do
   * @throws whatever the subject's perform throws; the state has changed then, and a final actor is reported
   */
  raise(event: number): number {
    if (this.gate !== 0 || this.owner.inspector !== undefined) return this.#raiseGuarded(event)
    const table = this.table
    const pair = this.state * table.width + event
    const outcome = table.outcome[pair]!
    if (outcome !== Outcome.transition) {
      if (outcome === Outcome.impossible) this.owner.handleMissed(this, this.state, event)
      return outcome
    }
    const next = table.next[pair]!
    this.state = next
    this.since = this.owner.time
    const actions = table.actionList[pair]
    if (actions !== undefined) this.#perform(actions, -1)
    else if (table.final[next] === 1) this.#finish()
    return outcome
  }

  /** XState's way in: an event object. An unknown type is a missed transition. */
  send(event: AnyEventObject): void {
    const index = this.table.eventIndex.get(event.type)
    if (index === undefined) this.owner.handleMissed(this, this.state, -1)
    else this.raise(index)
  }

  /** Takes what was raised before the start, and everything after it at once. Starting twice does nothing. */
  start(): this {
    if ((this.gate & (Gate.unstarted | Gate.over)) !== Gate.unstarted) return this
    this.gate &= ~Gate.unstarted
    this.begin()
    if (this.extra === undefined && this.owner.inspector === undefined) return this
    if (this.isInspected) {
      this.inspect({ type: '@xstate.event', sourceRef: undefined, event: INIT })
    }
    this.announce(INIT)
    if (this.extra !== undefined) this.#drain(this.extra)
    return this
  }

  /** Ends the actor from outside, without a transition. Supervisors end actors by events instead. */
  stop(): this {
    if ((this.gate & Gate.over) !== 0) return this
    const wasRunning = (this.gate & Gate.unstarted) === 0
    this.gate |= Gate.over
    if (this.extra !== undefined) this.extra.mailbox.length = 0
    if (wasRunning) this.announce(STOP)
    this.#complete()
    return this
  }

  /** What an interpreter does before the first event. */
  protected begin(): void {}

  /** What an interpreter does after the last event. */
  protected cease(): void {}

  /** Moves `state` by one event and returns the actions to perform. */
  protected step(event: number): readonly number[] | undefined {
    const pair = this.state * this.table.width + event
    this.state = this.table.next[pair]!
    return this.table.actionList[pair]
  }

  #raiseGuarded(event: number): number {
    const isOver = (this.gate & Gate.over) !== 0
    const mustWait = (this.gate & (Gate.busy | Gate.unstarted)) !== 0
    return mustWait && !isOver ? this.#enqueue(event) : this.#take(event)
  }

  #enqueue(event: number): number {
    const extra = this.needExtra()
    if (extra.mailbox.length === 0) extra.ahead = this.state
    const pair = extra.ahead * this.table.width + event
    extra.mailbox.push(event)
    extra.ahead = this.table.next[pair]!
    return this.table.outcome[pair]!
  }

  #take(event: number): number {
    const outcome = this.table.outcome[this.state * this.table.width + event]!
    if (this.isInspected) {
      this.inspect({ type: '@xstate.event', sourceRef: undefined, event: this.table.eventObjects[event]! })
    }
    if (outcome === Outcome.impossible) this.owner.handleMissed(this, this.state, event)
    const before = this.state
    const { since } = this
    const tap = this.owner.inspector?.tap
    if ((this.gate & Gate.over) !== 0) {
      tap?.handleTransition(this, event, outcome, before, since)
      return outcome
    }
    const actions = this.step(event)
    if (this.state !== before) this.since = this.owner.time
    tap?.handleTransition(this, event, outcome, before, since)
    if (actions !== undefined) this.#perform(actions, event)
    else this.#settle(event, false)
    return outcome
  }

  /** @param event - to be announced afterwards; -1 when nobody can have been looking */
  #perform(actions: readonly number[], event: number): void {
    const subject = this.subject
    let hasFailed = true
    this.gate |= Gate.busy
    try {
      for (let index = 0; index < actions.length; index++) {
        const action = actions[index]!
        if (this.isInspected) {
          this.inspect({
            type: '@xstate.action',
            action: { type: this.table.actions[action]!, params: undefined },
          })
        }
        subject?.perform(action)
      }
      hasFailed = false
    } finally {
      this.gate &= ~Gate.busy
      this.#settle(event, hasFailed)
    }
  }

  /** After the actions of one event: tell observers, end if final, then take what was raised meanwhile. */
  #settle(event: number, hasFailed: boolean): void {
    if (event >= 0) this.announce(this.table.eventObjects[event]!)
    if (this.table.final[this.state] === 1) this.#finish()
    const extra = this.extra
    if (extra === undefined || extra.mailbox.length === 0) return
    if (hasFailed) extra.mailbox.length = 0
    else this.#drain(extra)
  }

  #drain(extra: ActorExtra): void {
    while (extra.mailbox.length > 0 && (this.gate & Gate.busy) === 0) this.#take(extra.mailbox.shift()!)
  }

  #finish(): void {
    if ((this.gate & Gate.over) !== 0) return
    this.gate |= Gate.over
    this.#complete()
  }

  #complete(): void {
    this.cease()
    if (this.extra !== undefined) this.completeObservers()
    this.owner.handleFinal(this)
  }
}

/** The name by which streams call their actor. */
export { LifeActor as StreamActor }
