// An actor that runs a compiled table: one per stream, connection and handshake. It satisfies XState's
// actor-ref contract, so that waitFor, toPromise, rxjs from() and inspectors take it for an XState actor.
// Created by the supervisor, raised by the data plane, which reads `state` and the phases.
//
// What a life costs is this object and nothing else: IDs, observers and the mailbox are made when somebody
// first needs them. One field, `gate`, is 0 exactly when raise() may take the short way.
import {
  type ActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type InspectionEvent,
  type Observer,
  type Snapshot,
  type Subscription,
  toObserver,
} from 'xstate'
import { type CompiledMachine, Outcome } from './compile.ts'
import {
  actorSystem,
  type InspectionHub,
  type InspectionSink,
  type LifeSystem,
  nextSessionId,
} from './inspection.ts'

/** The supervisor of an actor. Its registry is the only strong reference to it. */
export interface ActorOwner {
  /** The actor is final or stopped: forget it. Called once, after the last action. */
  handleFinal(actor: LifeActor): void
  /** An event arrived where it is impossible. `event` is -1 for a type that is not in the alphabet. */
  handleMissed(actor: LifeActor, state: number, event: number): void
  /** Undefined while nobody inspects. */
  readonly inspector: InspectionSink | undefined
  /** Where `actor.system.inspect()` listens, when the owner offers that. */
  readonly inspection?: InspectionHub
}

/** What the actions of the table act on, e.g. a stream. */
export interface ActorSubject {
  /** Executes one action by its index. May raise again: that event is processed after the current one. */
  perform(action: number): void
}

/** Reasons why raise() must take the long way; the bits of `gate`. */
const Gate = { unstarted: 1, busy: 2, over: 4, observed: 8, interpreted: 16 } as const

/** Everything that most actors never need. */
class Extra {
  sessionId: string | undefined = undefined
  observers: Set<Observer<AnyMachineSnapshot>> | undefined = undefined
  /** Events raised while another is processed, oldest first, and the state after all of them. */
  mailbox: number[] = []
  ahead = 0
  error: unknown = undefined
}

export type LifeStatus = 'active' | 'done' | 'stopped' | 'error'

/** RxJS and XState look for this key; engines without Symbol.observable use the string. */
const symbolObservable: typeof Symbol.observable = (Symbol.observable ??
  '@@observable') as typeof Symbol.observable

const INIT: AnyEventObject = Object.freeze({ type: 'xstate.init' })
const STOP: AnyEventObject = Object.freeze({ type: 'xstate.stop' })

const systems = new WeakMap<ActorOwner, LifeSystem>()

export class LifeActor implements ActorRef<AnyMachineSnapshot, AnyEventObject> {
  declare readonly table: CompiledMachine
  /** Index of the current state in the table. */
  declare state: number
  declare protected gate: number
  declare protected readonly owner: ActorOwner
  declare protected readonly subject: ActorSubject | undefined
  declare private readonly key: string | number
  declare private extra: Extra | undefined

  /**
   * @param table - the machine to run
   * @param id - e.g. the stream ID; becomes a string when somebody reads `id`
   * @param owner - told about the end and about missed transitions
   * @param subject - executes the actions; without one they are skipped
   * @param isInterpreted - set by InterpretedActor, which steps through XState itself
   */
  constructor(
    table: CompiledMachine,
    id: string | number,
    owner: ActorOwner,
    subject?: ActorSubject,
    isInterpreted = false,
  ) {
    this.table = table
    this.state = table.initial
    this.gate = isInterpreted ? Gate.unstarted | Gate.interpreted : Gate.unstarted
    this.owner = owner
    this.subject = subject
    this.key = id
    this.extra = undefined
    if (owner.inspector !== undefined) this.#inspect({ type: '@xstate.actor' })
  }

  get id(): string {
    return String(this.key)
  }

  get sessionId(): string {
    const extra = this.#extra()
    extra.sessionId ??= nextSessionId()
    return extra.sessionId
  }

  get src(): AnyStateMachine {
    return this.table.machine
  }

  /** XState inspectors read the machine's definition from here. */
  get logic(): AnyStateMachine {
    return this.table.machine
  }

  get ref(): this {
    return this
  }

  get system(): LifeSystem {
    let system = systems.get(this.owner)
    if (system === undefined) {
      system = actorSystem(this.owner.inspection)
      systems.set(this.owner, system)
    }
    return system
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

  get status(): LifeStatus {
    if (this.extra?.error !== undefined) return 'error'
    if (this.table.final[this.state] === 1) return 'done'
    return (this.gate & Gate.over) !== 0 ? 'stopped' : 'active'
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
    const actions = table.actionList[pair]
    if (actions !== undefined) this.#perform(actions)
    else if (table.final[next] === 1) this.#finish()
    return outcome
  }

  /** XState's way in: an event object. An unknown type is a missed transition. */
  send(event: AnyEventObject): void {
    const index = this.table.eventIndex.get(event.type)
    if (index === undefined) this.owner.handleMissed(this, this.state, -1)
    else this.raise(index)
  }

  start(): this {
    if ((this.gate & (Gate.unstarted | Gate.over)) !== Gate.unstarted) return this
    this.gate &= ~Gate.unstarted
    this.begin()
    if (this.owner.inspector !== undefined) {
      this.#inspect({ type: '@xstate.event', sourceRef: undefined, event: INIT })
    }
    if (this.extra !== undefined || this.owner.inspector !== undefined) {
      this.#announce(INIT)
      if (this.extra !== undefined) this.#drain(this.extra)
    }
    return this
  }

  /** Ends the actor from outside, without a transition. Supervisors end actors by events instead. */
  stop(): this {
    if ((this.gate & Gate.over) !== 0) return this
    const started = (this.gate & Gate.unstarted) === 0
    this.gate |= Gate.over
    if (this.extra !== undefined) this.extra.mailbox.length = 0
    if (started) this.#announce(STOP)
    this.#complete()
    return this
  }

  getSnapshot(): AnyMachineSnapshot {
    const snapshot = this.table.snapshots[this.state]!
    const status = this.status
    if (status !== 'stopped' && status !== 'error') return snapshot
    const ended = { status, error: this.extra?.error, output: undefined }
    return Object.assign(
      Object.create(Object.getPrototypeOf(snapshot)),
      snapshot,
      ended,
    ) as AnyMachineSnapshot
  }

  getPersistedSnapshot(): Snapshot<unknown> {
    return this.table.machine.getPersistedSnapshot(this.getSnapshot())
  }

  subscribe(
    listener: Observer<AnyMachineSnapshot> | ((snapshot: AnyMachineSnapshot) => void) | undefined,
    onError?: (error: unknown) => void,
    onComplete?: () => void,
  ): Subscription {
    const observer = toObserver(listener as Observer<AnyMachineSnapshot>, onError, onComplete)
    if ((this.gate & Gate.over) !== 0) {
      if (this.status === 'error') observer.error?.(this.extra?.error)
      else if (this.status === 'done') observer.complete?.()
      return { unsubscribe: () => {} }
    }
    const extra = this.#extra()
    extra.observers ??= new Set()
    extra.observers.add(observer)
    this.gate |= Gate.observed
    return {
      unsubscribe: () => {
        extra.observers?.delete(observer)
        if (extra.observers?.size === 0) this.gate &= ~Gate.observed
      },
    }
  }

  /** Machines of this room emit no events, so there is never anything to call the handler with. */
  on(): Subscription {
    return { unsubscribe: () => {} }
  }

  select<TSelected>(
    selector: (snapshot: AnyMachineSnapshot) => TSelected,
    isEqual: (a: TSelected, b: TSelected) => boolean = Object.is,
  ): {
    get: () => TSelected
    subscribe: (listener: Observer<TSelected> | ((selected: TSelected) => void)) => Subscription
  } {
    return {
      get: () => selector(this.getSnapshot()),
      subscribe: (listener) => {
        const observer = toObserver(listener)
        let previous = selector(this.getSnapshot())
        return this.subscribe((snapshot) => {
          const selected = selector(snapshot)
          if (isEqual(previous, selected)) return
          previous = selected
          observer.next?.(selected)
        })
      },
    }
  }

  toJSON(): { xstate$$type: number; id: string } {
    return { xstate$$type: 1, id: this.id }
  }

  [symbolObservable](): this {
    return this
  }

  /** XState delivers here when one of its own actors sends to this one. */
  _send(event: AnyEventObject): void {
    this.send(event)
  }

  /** What an interpreter does before the first event. */
  protected begin(): void {}

  /** Moves `state` by one event and returns the actions to perform. InterpretedActor asks XState instead. */
  protected step(event: number): readonly number[] | undefined {
    const pair = this.state * this.table.width + event
    this.state = this.table.next[pair]!
    return this.table.actionList[pair]
  }

  #extra(): Extra {
    this.extra ??= new Extra()
    return this.extra
  }

  #raiseGuarded(event: number): number {
    if ((this.gate & (Gate.busy | Gate.unstarted)) !== 0 && (this.gate & Gate.over) === 0) {
      return this.#enqueue(event)
    }
    return this.#take(event)
  }

  #enqueue(event: number): number {
    const extra = this.#extra()
    if (extra.mailbox.length === 0) extra.ahead = this.state
    const pair = extra.ahead * this.table.width + event
    extra.mailbox.push(event)
    extra.ahead = this.table.next[pair]!
    return this.table.outcome[pair]!
  }

  #take(event: number): number {
    const outcome = this.table.outcome[this.state * this.table.width + event]!
    if (this.owner.inspector !== undefined) {
      const sent = this.table.eventObjects[event]!
      this.#inspect({ type: '@xstate.event', sourceRef: undefined, event: sent })
    }
    if (outcome === Outcome.impossible) this.owner.handleMissed(this, this.state, event)
    if ((this.gate & Gate.over) !== 0) return outcome
    const actions = this.step(event)
    if (actions !== undefined) this.#perform(actions, event)
    else this.#settle(event)
    return outcome
  }

  #perform(actions: readonly number[], event = -1): void {
    const subject = this.subject
    let failed = true
    this.gate |= Gate.busy
    try {
      for (let index = 0; index < actions.length; index++) {
        if (this.owner.inspector !== undefined) this.#inspectAction(actions[index]!)
        subject?.perform(actions[index]!)
      }
      failed = false
    } finally {
      this.gate &= ~Gate.busy
      this.#settle(event, failed)
    }
  }

  /** After the actions of one event: tell observers, end if final, then take what was raised meanwhile. */
  #settle(event: number, failed = false): void {
    if (event >= 0) this.#announce(this.table.eventObjects[event]!)
    if (this.table.final[this.state] === 1) this.#finish()
    const extra = this.extra
    if (extra === undefined) return
    if (failed) extra.mailbox.length = 0
    else this.#drain(extra)
  }

  #drain(extra: Extra): void {
    while (extra.mailbox.length > 0 && (this.gate & Gate.busy) === 0) {
      this.#take(extra.mailbox.shift()!)
    }
  }

  #finish(): void {
    if ((this.gate & Gate.over) !== 0) return
    this.gate |= Gate.over
    this.#complete()
  }

  #complete(): void {
    const observers = this.extra?.observers
    if (observers !== undefined) {
      this.extra!.observers = undefined
      for (const observer of observers) guarded(() => observer.complete?.())
    }
    this.owner.handleFinal(this)
  }

  /** XState tells observers about every event, also about one that changed nothing. */
  #announce(event: AnyEventObject): void {
    const isInspected = this.owner.inspector !== undefined
    if (!isInspected && (this.gate & Gate.observed) === 0) return
    const snapshot = this.getSnapshot()
    if (isInspected && event !== INIT) {
      this.#inspect({ type: '@xstate.microstep', event, snapshot, _transitions: [] })
    }
    const observers = this.extra?.observers
    if (observers !== undefined && snapshot.status !== 'stopped') {
      for (const observer of observers) guarded(() => observer.next?.(snapshot))
    }
    if (isInspected) this.#inspect({ type: '@xstate.snapshot', event, snapshot })
  }

  #inspectAction(action: number): void {
    this.#inspect({
      type: '@xstate.action',
      action: { type: this.table.actions[action]!, params: undefined },
    })
  }

  #inspect(event: InspectionDetail): void {
    const rooted = { ...event, actorRef: this, rootId: this.sessionId }
    this.owner.inspector?.next(rooted as InspectionEvent)
  }
}

/** An inspection event before the actor has put its own reference and ID in. */
type InspectionDetail<T = InspectionEvent> = T extends InspectionEvent
  ? Omit<T, 'actorRef' | 'rootId'>
  : never

/** As in XState, an observer that throws harms nobody else; the error surfaces on its own. */
function guarded(notify: () => void): void {
  try {
    notify()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** The name by which streams call their actor. */
export { LifeActor as StreamActor }
