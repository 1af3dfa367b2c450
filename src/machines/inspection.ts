// XState inspection for actors that run a table. An owner has one hub; while nobody listens, `active` is
// undefined and actors spend one comparison on it. Used by life-actor.ts, owned by the supervisor.
import { type AnyActorRef, type InspectionEvent, type Observer, type Subscription, toObserver } from 'xstate'

/** Receives XState's inspection events (`@xstate.actor`, `@xstate.event`, `@xstate.snapshot`, ...). */
export interface InspectionSink {
  next(event: InspectionEvent): void
}

type InspectionObserver = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

/** Hands inspection events to whoever listens. An owner answers `inspector` with `hub.active`. */
export class InspectionHub implements InspectionSink {
  /** The hub itself while somebody listens, else undefined. */
  active: InspectionHub | undefined = undefined
  readonly #observers = new Set<Observer<InspectionEvent>>()

  /** Starts listening; events that happened before are not repeated. */
  inspect(listener: InspectionObserver): Subscription {
    const observer = toObserver(listener)
    this.#observers.add(observer)
    this.active = this
    return {
      unsubscribe: () => {
        this.#observers.delete(observer)
        if (this.#observers.size === 0) this.active = undefined
      },
    }
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
