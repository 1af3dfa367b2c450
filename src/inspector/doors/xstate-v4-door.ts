// The door for tools of XState 4: what `createWebSocketReceiver` of @xstate/inspect expects of its server, at
// `/inspect-v4`. Registers actors, and tells their events and states as that version has them.
import type { WebSocket } from 'ws'
import type { Feed } from '../feed.ts'
import type { ActorEvent } from '../protocol.ts'
import { ActorDoor, type DoorActor } from './actor-door.ts'
import { machineConfig } from './machine-config.ts'

export class XStateV4Door extends ActorDoor {
  #isListening = false

  constructor(socket: WebSocket, feed: Feed, request: URL) {
    super(socket, feed, request)
    // The receiver says so when it is ready; nothing else that it says is of interest.
    socket.on('message', (data, isBinary) => {
      if (isBinary || this.#isListening || !String(data).includes('xstate.inspecting')) return
      this.#isListening = true
      for (const actor of this.actors) this.registerActor(actor)
    })
  }

  protected registerActor(actor: DoorActor): void {
    if (!this.#isListening) return
    const { uid, parent, name, machine } = actor
    this.tell({
      type: 'service.register',
      machine: JSON.stringify({ ...machineConfig(machine, 4), predictableActionArguments: true }),
      state: this.#state(actor, 'xstate.init'),
      id: name,
      sessionId: String(uid),
      ...(parent === 0 ? {} : { parent: String(parent) }),
    })
  }

  protected tellEvent(actor: DoorActor, { event }: ActorEvent): void {
    if (!this.#isListening) return
    const sessionId = String(actor.uid)
    this.tell({ type: 'service.event', event: JSON.stringify(scxmlEvent(event)), sessionId })
    this.tell({ type: 'service.state', state: this.#state(actor, event), sessionId })
  }

  protected endActor({ uid }: DoorActor): void {
    if (this.#isListening) this.tell({ type: 'service.stop', sessionId: String(uid) })
  }

  /** What State.create() of XState 4 takes. */
  #state(actor: DoorActor, type: string): string {
    return JSON.stringify({
      value: this.valueOf(actor),
      context: {},
      _event: scxmlEvent(type),
      _sessionid: String(actor.uid),
      event: { type },
      actions: [],
      activities: {},
      meta: {},
      events: [],
      configuration: [],
      transitions: [],
      children: {},
      done: this.isFinal(actor),
      changed: true,
      tags: [],
    })
  }
}

function scxmlEvent(type: string): object {
  return { name: type, data: { type }, $$type: 'scxml', type: 'external' }
}
