// The machines that a feed has told of, by number. Our own are known from the start; those of users are added when an
// actor of them is first seen, and their configurations as they are seen. Owned by local-feed.ts.
import type { AnyActorLogic, AnyActorRef, AnyMachineSnapshot, StateValue } from 'xstate'
import { StateMachine } from 'xstate'
import {
  bidiStream,
  type CompiledMachine,
  clientHandshake,
  connectionLife,
  networkPath,
  receiveStream,
  sendStream,
  serverHandshake,
  webtransportSession,
} from '../machines/index.ts'
import { MACHINES_CAP, STATES_CAP } from './limits.ts'
import { builtInDefinition, type Chart, chartOf, plainDefinition, stateOf } from './machine-definition.ts'
import type { ActorKind, MachineDefinition, MachineState } from './protocol.ts'

const OWN: readonly (readonly [ActorKind, CompiledMachine])[] = [
  ['connection', connectionLife],
  ['handshake', serverHandshake],
  ['handshake', clientHandshake],
  ['path', networkPath],
  ['stream', sendStream],
  ['stream', receiveStream],
  ['stream', bidiStream],
  ['session', webtransportSession],
]

const HANDLER_STATES = ['running', 'cancelled', 'cut', 'ended']
const HANDLER_ARROWS = [
  [0, 'returned', 3],
  [0, 'cancel', 1],
  [0, 'crash', 2],
  [1, 'graceOver', 2],
  [1, 'returned', 3],
  [2, 'returned', 3],
] as const
const DATAGRAM_STATES = ['open', 'closed']
const DATAGRAM_ARROWS = [[0, 'streamClosed', 1]] as const

/** States of logic that is no machine (a promise, a callback). */
const LOGIC_STATES = ['active', 'done', 'error', 'stopped']
const LOGIC_ARROWS = [
  [0, 'done', 1],
  [0, 'error', 2],
  [0, 'stop', 3],
] as const

/** Numbers for machines of one worker start at its number times this. */
export const MACHINES_PER_WORKER = 1_000

/** A user's machine, whose configurations become known one by one. */
class UserMachine {
  definition: MachineDefinition
  readonly #chart: Chart | undefined
  readonly #states = new Map<string, number>()

  constructor(index: number, kind: ActorKind, logic: AnyActorLogic, name: string) {
    if (logic instanceof StateMachine) {
      this.#chart = chartOf(logic)
      const { nodes, edges, events } = this.#chart
      this.definition = { index, id: name, kind, origin: 'user', nodes, edges, states: [], events }
    } else {
      this.definition = {
        ...plainDefinition(index, name, kind, LOGIC_STATES, LOGIC_ARROWS, 1),
        origin: 'user',
      }
    }
  }

  /** True when the definition has grown. */
  learn(snapshot: AnyMachineSnapshot, key: string): boolean {
    const { states } = this.definition
    if (this.#chart === undefined || this.#states.has(key) || states.length >= STATES_CAP) return false
    this.#states.set(key, states.length)
    const state: MachineState = stateOf(snapshot, this.#chart, key)
    this.definition = { ...this.definition, states: [...states, state] }
    return true
  }

  stateOf(snapshot: AnyMachineSnapshot, key: string): number {
    if (this.#chart === undefined) return Math.max(0, LOGIC_STATES.indexOf(snapshot.status))
    return this.#states.get(key) ?? 0
  }
}

export class MachineCatalogue {
  readonly handler: number
  readonly datagrams: number
  /** Those that have changed since somebody took them. */
  readonly #news = new Set<number>()
  readonly #base: number
  readonly #definitions: MachineDefinition[] = []
  readonly #tables = new Map<CompiledMachine, number>()
  readonly #users = new Map<AnyActorLogic, UserMachine>()

  /** @param worker number of this process */
  constructor(worker: number) {
    this.#base = worker * MACHINES_PER_WORKER
    for (const [kind, table] of OWN) this.#addTable(table, kind)
    this.handler = this.#add((index) =>
      plainDefinition(index, 'handler', 'handler', HANDLER_STATES, HANDLER_ARROWS, 3),
    )
    this.datagrams = this.#add((index) =>
      plainDefinition(index, 'datagramChannel', 'datagrams', DATAGRAM_STATES, DATAGRAM_ARROWS, 1),
    )
    this.#news.clear()
  }

  get all(): readonly MachineDefinition[] {
    return this.#definitions
  }

  get(index: number): MachineDefinition | undefined {
    return this.#definitions[index - this.#base]
  }

  /** The number of a table; a variant of ours (as tests run) gets one of its own. */
  ofTable(table: CompiledMachine, kind: ActorKind): number {
    return this.#tables.get(table) ?? this.#addTable(table, kind)
  }

  /** The number of the machine that an actor runs. */
  ofService(actor: AnyActorRef): number {
    return this.#userOf(actor).definition.index
  }

  /** The number of the configuration that an actor is in. */
  serviceState(actor: AnyActorRef, snapshot: AnyMachineSnapshot): number {
    const user = this.#userOf(actor)
    const key = snapshot.value === undefined ? snapshot.status : valueName(snapshot.value)
    if (user.learn(snapshot, key)) {
      const { definition } = user
      this.#definitions[definition.index - this.#base] = definition
      this.#news.add(definition.index)
    }
    return user.stateOf(snapshot, key)
  }

  /** Definitions that are new or have grown since the last call. */
  takeNews(): MachineDefinition[] {
    const news = [...this.#news].map((index) => this.get(index)!)
    this.#news.clear()
    return news
  }

  #userOf(actor: AnyActorRef): UserMachine {
    const logic = (actor as AnyActorRef & { logic: AnyActorLogic }).logic
    let user = this.#users.get(logic)
    if (user === undefined) {
      // A program that makes machines without end does not fill the memory through its inspector.
      if (this.#users.size >= MACHINES_CAP) {
        const [oldest] = this.#users.values()
        return oldest
      }
      const name = logic instanceof StateMachine ? logic.id : actor.id
      const index = this.#add((place) => {
        user = new UserMachine(place, 'service', logic, name)
        return user.definition
      })
      this.#users.set(logic, user!)
      this.#news.add(index)
    }
    return user!
  }

  #addTable(table: CompiledMachine, kind: ActorKind): number {
    const index = this.#add((place) => builtInDefinition(place, kind, table))
    this.#tables.set(table, index)
    return index
  }

  #add(make: (index: number) => MachineDefinition): number {
    const index = this.#base + this.#definitions.length
    this.#definitions.push(make(index))
    this.#news.add(index)
    return index
  }
}

/** E.g. `paying.card|shipping`. */
export function valueName(value: StateValue): string {
  if (typeof value === 'string') return value
  return Object.entries(value)
    .map(([region, inner]) => {
      const rest = inner === undefined ? '' : valueName(inner)
      return rest === '' ? region : `${region}.${rest}`
    })
    .join('|')
}
