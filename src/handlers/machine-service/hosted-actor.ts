// How an actor of a user is made, whatever it serves: on the server's time, in sight of its inspectors, and bounded where
// XState itself is not. Used by machine-service.ts and service-run.ts, session-service.ts, socket-service.ts and
// session-actor.ts.
import { type Actor, type AnyActorLogic, createActor, type Snapshot, StateMachine } from 'xstate'
import type { ActorHost } from '../exchange.ts'
import { MAX_SERVICE_MICROSTEPS } from '../limits.ts'
import { actorClock } from './actor-clock.ts'

/** What an actor is made from, beside its logic and its host. */
export interface HostedActorOptions {
  readonly input: unknown
  readonly id: string | undefined
  readonly snapshot?: Snapshot<unknown> | undefined
}

/**
 * Makes an actor; it has not started.
 * @param owner what the inspector shows it beside
 */
export function hostedActor(
  logic: AnyActorLogic,
  host: ActorHost,
  owner: object,
  { input, id, snapshot }: HostedActorOptions,
): Actor<AnyActorLogic> {
  const actor = createActor(logic, {
    input,
    ...(snapshot && { snapshot }),
    ...(id !== undefined && { id }),
    ...(host.clock && { clock: actorClock(host.clock) }),
  })
  host.inspection?.watchService(actor, owner)
  return actor
}

/** A copy of a machine whose transitions without events are counted: XState itself sets no limit. */
export function boundedLogic(
  logic: AnyActorLogic,
  maxIterations: number = MAX_SERVICE_MICROSTEPS,
): AnyActorLogic {
  if (!(logic instanceof StateMachine)) return logic
  const copy = logic.provide({})
  const own = logic.options?.maxIterations ?? Number.POSITIVE_INFINITY
  copy.options = { ...logic.options, maxIterations: Math.min(own, maxIterations) }
  return copy
}
