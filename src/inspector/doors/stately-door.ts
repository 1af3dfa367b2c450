// The door for tools of XState 5: events as @statelyai/inspect writes and reads them (`createWebSocketReceiver`), at
// `/inspect-v5`. Contexts are empty and events have only their type: payloads stay here.
import type { ActorEvent } from '../protocol.ts'
import { ActorDoor, type DoorActor } from './actor-door.ts'
import { machineConfig } from './machine-config.ts'

/** Version of the format, which receivers look for. */
const FORMAT = '0.7.2'

export class StatelyDoor extends ActorDoor {
  protected registerActor(actor: DoorActor): void {
    this.tell({
      ...this.#base(actor),
      type: '@xstate.actor',
      name: actor.name,
      definition: JSON.stringify(machineConfig(actor.machine, 5)),
      ...(actor.parent === 0 ? {} : { parentId: String(actor.parent) }),
      snapshot: this.#snapshot(actor),
    })
  }

  protected tellEvent(actor: DoorActor, { event }: ActorEvent): void {
    this.tell({ ...this.#base(actor), type: '@xstate.event', event: { type: event } })
    this.tell({
      ...this.#base(actor),
      type: '@xstate.snapshot',
      event: { type: event },
      snapshot: this.#snapshot(actor),
    })
  }

  protected endActor(actor: DoorActor): void {
    if (this.isFinal(actor)) return
    const snapshot = { ...this.#snapshot(actor), status: 'stopped' }
    this.tell({ ...this.#base(actor), type: '@xstate.snapshot', event: { type: 'xstate.stop' }, snapshot })
  }

  #base({ uid }: DoorActor): object {
    return {
      sessionId: String(uid),
      rootId: String(uid),
      createdAt: String(Date.now()),
      id: null,
      _version: FORMAT,
    }
  }

  #snapshot(actor: DoorActor): object {
    return { status: this.isFinal(actor) ? 'done' : 'active', value: this.valueOf(actor), context: {} }
  }
}
