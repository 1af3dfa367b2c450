// XState's actor-ref contract for an actor that runs a table: identity, snapshots, observers, inspection. The
// base of LifeActor, apart from it so that what runs per event stays readable. Nothing here runs for an actor
// that nobody looks at.
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
import { ActorExtra, type ActorOwner, Gate, type LifeStatus } from './actor-contract.ts'
import type { CompiledMachine } from './compile.ts'
import { actorSystem, type LifeSystem, nextSessionId } from './inspection.ts'

/** RxJS and XState look for this key; engines without Symbol.observable use the string. */
const symbolObservable: typeof Symbol.observable = (Symbol.observable ??
  '@@observable') as typeof Symbol.observable

/** The event of a start, as XState calls it. */
export const INIT: AnyEventObject = Object.freeze({ type: 'xstate.init' })

const systems = new WeakMap<ActorOwner, LifeSystem>()

/** An inspection event before the actor has put its own reference and ID in. */
type InspectionDetail<T = InspectionEvent> = T extends InspectionEvent
  ? Omit<T, 'actorRef' | 'rootId'>
  : never

export abstract class ActorReference implements ActorRef<AnyMachineSnapshot, AnyEventObject> {
  declare readonly table: CompiledMachine
  /** Index of the current state in the table. */
  declare state: number
  /** When the actor entered its state: the owner's `time` of that turn, whole ms. */
  declare since: number
  declare protected gate: number
  declare protected readonly owner: ActorOwner
  /** The ID as it was given, for registries keyed by number. */
  declare readonly key: string | number
  declare protected extra: ActorExtra | undefined

  constructor(table: CompiledMachine, id: string | number, owner: ActorOwner, gate: number) {
    this.table = table
    this.state = table.initial
    this.since = owner.time
    this.gate = gate
    this.owner = owner
    this.key = id
    this.extra = undefined
  }

  abstract send(event: AnyEventObject): void
  abstract start(): this
  abstract stop(): this

  get id(): string {
    return String(this.key)
  }

  get sessionId(): string {
    const extra = this.needExtra()
    extra.sessionId ??= nextSessionId()
    return extra.sessionId
  }

  get src(): AnyStateMachine {
    return this.table.machine
  }

  /** Inspectors read the machine's definition from here. */
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

  get status(): LifeStatus {
    if (this.table.final[this.state] === 1) return 'done'
    return (this.gate & Gate.over) !== 0 ? 'stopped' : 'active'
  }

  getSnapshot(): AnyMachineSnapshot {
    const snapshot = this.currentSnapshot()
    if (this.status !== 'stopped') return snapshot
    return Object.assign({}, snapshot, {
      status: 'stopped' as const,
      output: undefined,
    }) as AnyMachineSnapshot
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
      if (this.status === 'done') guarded(() => observer.complete?.())
      return { unsubscribe: () => {} }
    }
    const extra = this.needExtra()
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

  /** Machines of this room emit no events, so there is never anything to call a handler with. */
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

  /** The short form that XState's own actors have in JSON. */
  toJSON(): { xstate$$type: number; id: string } {
    return { xstate$$type: 1, id: this.id }
  }

  [symbolObservable](): this {
    return this
  }

  /** Somebody wants inspection events. */
  protected get isInspected(): boolean {
    const { inspector } = this.owner
    return inspector !== undefined && inspector.isSilent !== true
  }

  /** XState delivers here when one of its own actors sends to this one. */
  _send(event: AnyEventObject): void {
    this.send(event)
  }

  /** The snapshot of the state; every actor in the same state shares it. */
  protected currentSnapshot(): AnyMachineSnapshot {
    return this.table.snapshots[this.state]!
  }

  protected needExtra(): ActorExtra {
    this.extra ??= new ActorExtra()
    return this.extra
  }

  /** As in XState, observers hear of every event, also of one that changed nothing. */
  protected announce(event: AnyEventObject): void {
    const { isInspected } = this
    if (!isInspected && (this.gate & Gate.observed) === 0) return
    const snapshot = this.getSnapshot()
    if (isInspected && event !== INIT) {
      this.inspect({ type: '@xstate.microstep', event, snapshot, _transitions: [] })
    }
    const observers = this.extra?.observers
    if (observers !== undefined && snapshot.status !== 'stopped') {
      for (const observer of observers) guarded(() => observer.next?.(snapshot))
    }
    if (isInspected) this.inspect({ type: '@xstate.snapshot', event, snapshot })
  }

  /** Tells the observers that nothing more will come, and forgets them. */
  protected completeObservers(): void {
    const extra = this.extra
    if (extra?.observers === undefined) return
    const observers = extra.observers
    extra.observers = undefined
    this.gate &= ~Gate.observed
    for (const observer of observers) guarded(() => observer.complete?.())
  }

  protected inspect(event: InspectionDetail): void {
    const complete = { ...event, actorRef: this, rootId: this.sessionId }
    this.owner.inspector?.next(complete as InspectionEvent)
  }
}

/** As in XState, an observer that throws harms nobody else: its error surfaces on its own. */
function guarded(notify: () => void): void {
  try {
    notify()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
