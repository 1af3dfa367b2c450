// One actor for one session or socket: started with the server's clock and inspector, ended with what it serves. Used by
// session-service.ts and socket-service.ts.
import type { Actor, AnyActorLogic, EventObject } from 'xstate'
import type { ActorHost } from '../exchange.ts'
import { Waiter } from '../waiter.ts'
import { hostedActor } from './hosted-actor.ts'
import type { SessionEvent, SocketEvent } from './session-events.ts'

/** How the actor of a session is made and what it does to the session. */
export interface SessionActorPlan {
  readonly logic: AnyActorLogic
  readonly id: string | undefined
  readonly input: unknown
  readonly host: ActorHost
  /** Does what the machine emitted; a throw crashes the session. */
  readonly obey: (command: EventObject) => void
}

export class SessionActor {
  readonly #actor: Actor<AnyActorLogic>
  readonly #end = new Waiter<void>()

  constructor({ logic, id, input, host, obey }: SessionActorPlan) {
    const actor = hostedActor(logic, host, host, { input, id })
    this.#actor = actor
    actor.on('*', (command) => this.#attempt(() => obey(command)))
    actor.subscribe({ error: this.fail, complete: () => this.#end.resolve() })
    actor.start()
  }

  /** Resolves when the actor is done or stopped; rejects when it, or what it wanted done, has failed. */
  get ended(): Promise<void> {
    return this.#end.promise
  }

  get isActive(): boolean {
    return this.#actor.getSnapshot().status === 'active'
  }

  send(event: SessionEvent | SocketEvent): void {
    this.#actor.send(event as EventObject)
  }

  /** The last event, after which nothing more can happen: an actor that is not done by it is stopped. */
  finish(event: SessionEvent | SocketEvent): void {
    if (!this.isActive) return
    this.#actor.send(event as EventObject)
    this.#actor.stop()
  }

  fail = (error: unknown): void => {
    this.#end.reject(error as Error)
    this.#actor.stop()
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error)
    }
  }
}
