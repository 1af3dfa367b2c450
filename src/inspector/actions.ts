// What a page may do to a running server: nothing that the machine of the actor does not take. Whoever asks has shown the
// token and is armed (page-socket.ts). Called by feed-link.ts.
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import { H3ErrorCode } from '../http3/index.ts'
import { type LifeActor, Outcome } from '../machines/index.ts'
import { HandlerActor, HandlerPhase } from '../supervisor/handler-actor.ts'
import type { LocalFeed } from './local-feed.ts'
import { ACTOR_KINDS, type ActionRequest, type Result } from './protocol.ts'
import type { Track } from './track.ts'

type Outcomes = Omit<Result, 'type' | 'id'>

function done(message: string): Outcomes {
  return { isDone: true, message }
}

function failed(error: string, message: string): Outcomes {
  return { isDone: false, error, message }
}

/** Never throws. */
export function perform(feed: LocalFeed, action: ActionRequest): Outcomes {
  try {
    if (action.kind === 'drainServer') {
      feed.options.close()
      return done('the server drains')
    }
    const track = feed.population.find(action.uid)
    if (track === undefined || track.isGone) return failed('gone', 'there is no such actor any more')
    const outcome = performOn(track, action)
    // What was queued leaves with the connection's next turn.
    track.supervisor?.connection.wake()
    return outcome
  } catch (error) {
    return failed('unavailable', String((error as Error).message))
  }
}

type ActorAction = Exclude<ActionRequest, { kind: 'drainServer' }>

function performOn(track: Track, action: ActorAction): Outcomes {
  if (action.kind === 'send') {
    return ACTOR_KINDS[track.kind] === 'service'
      ? sendToService(track.actor as AnyActorRef, action.event, action.detail)
      : sendToMachine(track, action.event)
  }
  if (action.kind === 'drainConnection') {
    if (track.supervisor === undefined) return failed('unavailable', 'it belongs to no connection')
    track.supervisor.drain()
    return done('the connection drains')
  }
  const code = action.code ?? H3ErrorCode.H3_REQUEST_CANCELLED
  if (!Number.isSafeInteger(code) || code < 0) return failed('illegal', 'that is no error code')
  return action.kind === 'reset' ? reset(track, code) : stop(track, code)
}

function sendToMachine({ actor }: Track, event: string): Outcomes {
  if (!('table' in actor)) return failed('unavailable', 'it has no machine that takes events')
  const { table, state } = actor as LifeActor
  const index = table.eventIndex.get(event)
  if (index === undefined) return failed('illegal', `${table.id} has no event ${event}`)
  const outcome = table.outcome[state * table.width + index]
  if (outcome !== Outcome.transition)
    return failed('illegal', `${event} is no transition in ${table.name[state]}`)
  actor.raise(index)
  return done(`${event}: ${table.name[state]} -> ${table.name[actor.state]}`)
}

function sendToService(actor: AnyActorRef, type: string, detail: object | undefined): Outcomes {
  const event = { ...detail, type }
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot
  if (snapshot.status !== 'active') return failed('gone', 'the machine is over')
  if (typeof snapshot.can === 'function' && !snapshot.can(event)) {
    return failed('illegal', `${type} is no transition now`)
  }
  actor.send(event)
  return done(`${type} was sent`)
}

function reset({ actor: own, stream, supervisor }: Track, code: number): Outcomes {
  const handler = stream === undefined ? undefined : supervisor?.children.handlers.get(stream.id)
  // A handler learns of it, and ends.
  const actor = handler?.phase === HandlerPhase.running ? handler : own
  if (actor instanceof HandlerActor) {
    if (actor.phase !== HandlerPhase.running) return failed('illegal', 'the handler is not running')
    actor.resetByHandler(code)
    return done(`the handler's stream was reset with ${code}`)
  }
  if (stream === undefined) return failed('unavailable', 'only streams and handlers are reset')
  if (!stream.canWrite) return failed('illegal', 'nothing is being sent on it any more')
  stream.reset(code)
  return done(`reset with ${code}`)
}

function stop({ actor, stream }: Track, code: number): Outcomes {
  if (actor instanceof HandlerActor) {
    if (actor.phase !== HandlerPhase.running) return failed('illegal', 'the handler is not running')
    actor.cancel('handlerReset', code)
    return done('the handler was told to stop')
  }
  if (stream?.receiving === undefined) return failed('unavailable', 'nothing is received on it')
  stream.stopSending(code)
  return done(`the peer was asked to stop, with ${code}`)
}
