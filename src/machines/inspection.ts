// XState inspection for actors that run a table, and the cheaper tap of the inspector's feed. An owner has one hub; while
// nobody listens, `active` is undefined and actors spend one comparison on it. Used by actors, owned by the
// supervisor.
import { type AnyActorRef, type InspectionEvent, type Observer, type Subscription, toObserver } from 'xstate'
import type { LifeActor } from './life-actor.ts'

/**
 * Told of every event that an actor with a table takes, as numbers: no event object is made for it. Must not throw.
 * @param event - index in the table
 * @param outcome - one of Outcome
 * @param from - state before; `actor.state` is the one after
 * @param since - when `from` was entered
 */
export interface TransitionTap {
  handleTransition(actor: LifeActor, event: number, outcome: number, from: number, since: number): void
}

/** Receives XState's inspection events (`@xstate.actor`, `@xstate.event`, `@xstate.snapshot`, ...). */
export interface InspectionSink {
  next(event: InspectionEvent): void
  /** True while only the tap wants to know: no inspection events need to be built. */
  readonly isSilent?: boolean
  readonly tap?: TransitionTap | undefined
}

/** An actor of a user's machine on XState's interpreter, as an inspector finds it. */
export interface WatchableActor {
  readonly actor: AnyActorRef
  /** What it serves: the request's, session's or socket's own object where that is known. */
  readonly host: object | undefined
}

type InspectionObserver = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

/** Hands inspection events to whoever listens. An owner answers `inspector` with `hub.active`. */
export class InspectionHub implements InspectionSink {
  /** The hub itself while somebody listens, else undefined. */
  active: InspectionHub | undefined = undefined
  /** No observer: nobody needs inspection events. */
  isSilent = true
  tap: TransitionTap | undefined = undefined
  /** Live actors of users' machines; kept whether somebody looks or not. */
  readonly services: ReadonlySet<WatchableActor>
  readonly #services = new Set<WatchableActor>()
  readonly #observers = new Set<Observer<InspectionEvent>>()

  constructor() {
    this.services = this.#services
  }

  /** Starts listening; events that happened before are not repeated. */
  inspect(listener: InspectionObserver): Subscription {
    const observer = toObserver(listener)
    this.#observers.add(observer)
    this.#settle()
    return {
      unsubscribe: () => {
        this.#observers.delete(observer)
        this.#settle()
      },
    }
  }

  /** Sets the one tap, or takes it away: cheaper than inspection, and told of ignored and impossible events too. */
  setTap(tap: TransitionTap | undefined): void {
    this.tap = tap
    this.#settle()
  }

  /** Registers an actor of a user's machine until it is done, has failed or is stopped. */
  watchService(actor: AnyActorRef, host: object | undefined): void {
    const service = { actor, host }
    this.#services.add(service)
    const forget = (): void => void this.#services.delete(service)
    actor.subscribe({ error: forget, complete: forget })
    if (this.isSilent) return
    actor.system.inspect((event) => this.active?.next(event))
  }

  #settle(): void {
    this.isSilent = this.#observers.size === 0
    this.active = this.isSilent && this.tap === undefined ? undefined : this
  }

  next(event: InspectionEvent): void {
    for (const observer of this.#observers) observer.next?.(event)
  }
}

let lastSession = 0

/** A session ID, unique in this process; given to an actor when somebody first asks for it. */
export function nextSessionId(): string {
  lastSession += 1
  return `life:${lastSession}`
}

/** The type of `actor.system`, as XState declares it. */
export type LifeSystem = AnyActorRef['system']

/**
 * The part of XState's ActorSystem that makes sense for actors without parents, children and timers.
 * `_relay` is what XState calls when a machine of a user sends to one of our actors.
 * @param inspect - how to listen; undefined when the owner offers no inspection
 */
export function actorSystem(inspect: InspectionHub | undefined): LifeSystem {
  const system = {
    get: () => undefined,
    getAll: () => ({}),
    inspect: (listener: InspectionObserver): Subscription => {
      if (inspect === undefined) throw new Error('the owner of this actor offers no inspection')
      return inspect.inspect(listener)
    },
    getSnapshot: () => ({ _scheduledEvents: {} }),
    start: () => {},
    _logger: () => {},
    _bookId: nextSessionId,
    _register: (sessionId: string) => sessionId,
    _unregister: () => {},
    _sendInspectionEvent: (event: InspectionEvent) => inspect?.active?.next(event),
    _relay: (_source: AnyActorRef | undefined, target: AnyActorRef, event: { type: string }) =>
      target.send(event),
  }
  return system as unknown as LifeSystem
}
