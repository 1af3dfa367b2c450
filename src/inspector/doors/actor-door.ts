// What doors for other tools have in common: they look at the feed as a page does, follow up to DOOR_ACTORS actors, and
// say what happens to these in the words of their tool. They only show; what a tool says back is not listened to.
//
//   feed: rows, gone, events --> registerActor, tellEvent, endActor --> WebSocket
//
// `?connection=NAME` and `&stream=ID` narrow it down. Actors that live for less than a tick (TICK_INTERVAL) are not shown.

import type { WebSocket } from 'ws'
import type { StateValue } from 'xstate'
import type { Feed, FeedLink, Viewer } from '../feed.ts'
import { DOOR_ACTORS } from '../limits.ts'
import { stateValueOf } from '../machine-definition.ts'
import {
  ACTOR_KINDS,
  type ActorEvent,
  type MachineDefinition,
  type Row,
  type ServerMessage,
  type Tick,
} from '../protocol.ts'

/** An actor that the tool knows. */
export interface DoorActor {
  readonly uid: number
  readonly parent: number
  readonly machine: MachineDefinition
  readonly name: string
  state: number
}

/** Kinds that have a life worth a chart in another tool. */
const SHOWN: readonly string[] = ['connection', 'handshake', 'stream', 'session', 'handler', 'service']

export abstract class ActorDoor implements Viewer {
  readonly #socket: WebSocket
  readonly #link: FeedLink
  readonly #machines = new Map<number, MachineDefinition>()
  readonly #rows = new Map<number, Row>()
  readonly #actors = new Map<number, DoorActor>()
  readonly #connection: string | null
  readonly #stream: string | null
  /** Their last events come with the next message. */
  #gone: readonly number[] = []

  constructor(socket: WebSocket, feed: Feed, { searchParams }: URL) {
    this.#socket = socket
    this.#connection = searchParams.get('connection')
    this.#stream = searchParams.get('stream')
    socket.on('error', () => {})
    this.#link = feed.open(this)
    socket.on('close', () => this.#link.close())
    this.#link.request({
      type: 'watch',
      most: this.#connection === null ? DOOR_ACTORS : Number.MAX_SAFE_INTEGER,
    })
  }

  protected abstract registerActor(actor: DoorActor): void
  protected abstract tellEvent(actor: DoorActor, event: ActorEvent): void
  protected abstract endActor(actor: DoorActor): void

  get backlog(): number {
    return this.#socket.bufferedAmount
  }

  send(text: string): void {
    this.#take(JSON.parse(text) as ServerMessage)
  }

  protected get actors(): Iterable<DoorActor> {
    return this.#actors.values()
  }

  protected tell(message: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  protected valueOf({ machine, state }: DoorActor): StateValue {
    return stateValueOf(this.#machines.get(machine.index) ?? machine, state)
  }

  protected isFinal({ machine, state }: DoorActor): boolean {
    return (this.#machines.get(machine.index) ?? machine).states[state]?.isFinal ?? false
  }

  #take(message: ServerMessage): void {
    if (message.type === 'machines') for (const each of message.machines) this.#machines.set(each.index, each)
    else if (message.type === 'tick') this.#takeTick(message)
    else if (message.type === 'events') for (const event of message.events) this.#takeEvent(event)
    else if (message.type === 'worker' && !message.isLive) this.#endAll()
  }

  #takeTick({ gone = [], rows = [], isFresh }: Tick): void {
    for (const uid of this.#gone) this.#end(uid)
    this.#gone = gone
    if (isFresh === true) for (const row of rows) this.#rows.delete(row[0])
    for (const row of rows) {
      this.#rows.set(row[0], row)
      this.#register(row)
    }
  }

  #register(row: Row): void {
    const [uid, kind, parent, machine, state, , key, text] = row
    if (this.#actors.has(uid) || this.#actors.size >= DOOR_ACTORS) return
    const definition = this.#machines.get(machine)
    if (definition === undefined || !SHOWN.includes(ACTOR_KINDS[kind]!) || !this.#isWanted(row)) return
    const name = [ACTOR_KINDS[kind], key < 0 ? '' : String(key), text].filter((part) => part !== '').join(' ')
    const actor = { uid, parent, machine: definition, name, state }
    this.#actors.set(uid, actor)
    this.registerActor(actor)
  }

  /** Whether it belongs to the connection, and to the stream, that the tool asked for. */
  #isWanted(row: Row): boolean {
    let isOfStream = this.#stream === null
    for (let at: Row | undefined = row; at !== undefined; at = this.#rows.get(at[2])) {
      const kind = ACTOR_KINDS[at[1]]
      if (kind === 'stream' && String(at[6]) === this.#stream) isOfStream = true
      if (kind === 'connection') {
        const isOfConnection = this.#connection === null || at[7].startsWith(`${this.#connection} `)
        return isOfConnection && (isOfStream || at === row)
      }
    }
    return this.#connection === null && isOfStream
  }

  #takeEvent(event: ActorEvent): void {
    const actor = this.#actors.get(event.uid)
    if (actor === undefined) return
    actor.state = event.to
    this.tellEvent(actor, event)
  }

  #end(uid: number): void {
    this.#rows.delete(uid)
    const actor = this.#actors.get(uid)
    if (actor === undefined) return
    this.#actors.delete(uid)
    this.endActor(actor)
  }

  #endAll(): void {
    for (const uid of [...this.#actors.keys()]) this.#end(uid)
  }
}
