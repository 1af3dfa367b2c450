// The invented server of mock-feed.ts: connections with streams that walk through the real tables, at a given rate.
import {
  allTables,
  bidiStream,
  type CompiledMachine,
  connectionLife,
  networkPath,
} from '../../../src/machines/index.ts'
import {
  ACTOR_KINDS,
  type ActorEvent,
  type ActorKind,
  type ClientMessage,
  type Count,
  type Move,
  PROTOCOL_VERSION,
  type Row,
  type ServerMessage,
  type StuckRow,
} from '../../protocol.ts'
import { describe } from './definitions.ts'
import type { MockOptions } from './mock-feed.ts'

interface MockActor {
  readonly uid: number
  readonly kind: ActorKind
  readonly parent: number
  readonly table: CompiledMachine
  readonly key: number
  readonly text: string
  state: number
  since: number
  isHeld: boolean
}

const STREAMS_PER_CONNECTION = 50
const HISTORY = 64
const ROUTES = [
  'GET /',
  'GET /bytes/100000',
  'POST /echo',
  'GET /sse',
  'GET /slow/5000',
  'POST /upload/video.mp4',
  'GET /health',
]
const KIND_OF: Readonly<Record<string, ActorKind>> = {
  connection: 'connection',
  serverHandshake: 'handshake',
  clientHandshake: 'handshake',
  path: 'path',
  webtransportSession: 'session',
}

type Send = (message: ServerMessage) => void

export class MockServer {
  readonly #options: MockOptions
  readonly #actors = new Map<number, MockActor>()
  readonly #streams: MockActor[] = []
  #uid = 0
  #seed = 1
  #opened = 0
  readonly #histories = new Map<number, ActorEvent[]>()

  constructor(options: MockOptions) {
    this.#options = options
    const connections = Math.ceil(options.streams / STREAMS_PER_CONNECTION)
    for (let number = 0; number < connections; number++) this.#openConnection(number)
    for (const stream of this.#streams.slice(0, options.stuck)) {
      stream.isHeld = true
      stream.state = bidiStream.stateOf({ open: { send: 'dataSent', receive: 'dataRecvd' } })
      stream.since = -61_000
    }
    for (let step = 0; step < options.streams * 3; step++) this.#step(0)
  }

  #random(below: number): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((this.#seed / 2_147_483_648) * below)
  }

  #add(actor: Omit<MockActor, 'uid' | 'state' | 'since' | 'isHeld'>, state: number): MockActor {
    const added = { ...actor, uid: ++this.#uid, state, since: this.now, isHeld: false }
    this.#actors.set(added.uid, added)
    return added
  }

  #openConnection(number: number): void {
    const name = (0x8a3f10c2 + number * 0x1f35).toString(16).padStart(8, '0').repeat(2)
    const text = `${name} 192.0.2.${number % 250}:${40_000 + number} v1`
    const confirmed = connectionLife.stateOf('confirmed')
    const connection = this.#add(
      { kind: 'connection', parent: 0, table: connectionLife, key: -1, text },
      confirmed,
    )
    this.#add(
      { kind: 'path', parent: connection.uid, table: networkPath, key: -1, text: '' },
      networkPath.stateOf('validated'),
    )
    const left = this.#options.streams - this.#streams.length
    for (let count = 0; count < Math.min(STREAMS_PER_CONNECTION, left); count++) {
      this.#streams.push(this.#openStream(connection.uid, count * 4))
    }
  }

  #openStream(parent: number, key: number): MockActor {
    this.#opened++
    const text = ROUTES[this.#random(ROUTES.length)]!
    return this.#add({ kind: 'stream', parent, table: bidiStream, key, text }, 0)
  }

  get now(): number {
    return performance.now()
  }

  #changes: {
    gone: number[]
    rows: Row[]
    moves: Map<number, Move>
    heat: Map<number, number>
    events: ActorEvent[]
  } = {
    gone: [],
    rows: [],
    moves: new Map(),
    heat: new Map(),
    events: [],
  }

  /** One transition of some stream; one that has ended is replaced. */
  #step(now: number): void {
    const place = this.#random(this.#streams.length)
    const actor = this.#streams[place]
    if (actor === undefined || actor.isHeld) return
    const legal = bidiStream.events.map((_, index) => index).filter((index) => this.#isLikely(actor, index))
    const event = legal[this.#random(legal.length)]
    if (event === undefined) return
    const from = actor.state
    const pair = from * bidiStream.width + event
    actor.state = bidiStream.next[pair]!
    actor.since = now
    this.#changes.heat.set(pair, (this.#changes.heat.get(pair) ?? 0) + 1)
    const name = bidiStream.events[event]!
    const told: ActorEvent = {
      uid: actor.uid,
      time: now,
      outcome: bidiStream.outcome[pair]!,
      event: name,
      from,
      to: actor.state,
    }
    const history = this.#histories.get(actor.uid) ?? []
    history.push(told)
    if (history.length > HISTORY) history.shift()
    this.#histories.set(actor.uid, history)
    this.#changes.events.push(told)
    if (bidiStream.final[actor.state] === 1) this.#replace(actor, place)
    else this.#changes.moves.set(actor.uid, [actor.uid, actor.state, now])
  }

  #isLikely(actor: MockActor, event: number): boolean {
    const name = bidiStream.events[event]!
    const outcome = bidiStream.outcome[actor.state * bidiStream.width + event]
    if (name === 'connection.closed' || outcome === 2) return false
    if (outcome === 1) return this.#random(40) === 0
    return !/reset|stop/i.test(name) || this.#random(20) === 0
  }

  #replace(actor: MockActor, place: number): void {
    this.#actors.delete(actor.uid)
    this.#histories.delete(actor.uid)
    this.#changes.gone.push(actor.uid)
    this.#changes.moves.delete(actor.uid)
    const next = this.#openStream(actor.parent, actor.key + STREAMS_PER_CONNECTION * 4)
    this.#streams[place] = next
    this.#changes.rows.push(this.#row(next))
  }

  #row({ uid, kind, parent, table, state, since, key, text }: MockActor): Row {
    return [uid, ACTOR_KINDS.indexOf(kind), parent, allTables.indexOf(table), state, since, key, text]
  }

  #counts(): Count[] {
    const counts = new Map<string, Count>()
    for (const table of [bidiStream, connectionLife, networkPath]) {
      for (let state = 0; state < table.stateCount; state++) {
        counts.set(`${table.id} ${state}`, [allTables.indexOf(table), state, 0])
      }
    }
    for (const { table, state } of this.#actors.values()) {
      const [machine, , live] = counts.get(`${table.id} ${state}`)!
      counts.set(`${table.id} ${state}`, [machine, state, live + 1])
    }
    return [...counts.values()]
  }

  #stuck(): StuckRow[] {
    return this.#streams
      .filter(({ isHeld }) => isHeld)
      .map(({ uid, key, parent, state, since }) => ({
        uid,
        kind: 'stream',
        connection: this.#actors.get(parent)!.text.split(' ')[0]!,
        stream: key,
        state: bidiStream.name[state]!,
        since,
        deadline: 60_000,
        waitingFor: 'peerAck',
        reason: '184,320 of 262,144 bytes are acknowledged; the last acknowledgement came 58.2 s ago',
      }))
  }

  /** One page. Only one at a time is told of changes. */
  attach(send: Send): { tick(): void; handle(message: ClientMessage): void } {
    let selected = 0
    let last = this.now
    let ticks = 0
    send(this.#hello())
    send({
      type: 'machines',
      machines: allTables.map((table, index) => describe(table, index, KIND_OF[table.id] ?? 'stream')),
    })
    const tick = (): void => {
      const now = this.now
      const due = Math.round(((now - last) * this.#options.rate) / 1_000)
      last = now
      this.#changes = { gone: [], rows: [], moves: new Map(), heat: new Map(), events: [] }
      for (let step = 0; step < due; step++) this.#step(now)
      const { gone, rows, moves, heat, events } = this.#changes
      const isFirst = ticks++ === 0
      const told = isFirst ? [...this.#actors.values()].map((actor) => this.#row(actor)) : rows
      send({
        type: 'tick',
        worker: 0,
        now,
        ...(isFirst ? { isFresh: true as const, stuck: this.#stuck() } : { gone }),
        rows: told,
        moves: isFirst ? [] : [...moves.values()],
        counts: this.#counts(),
        heat: [...heat].map(([pair, times]) => [allTables.indexOf(bidiStream), pair, times]),
        ...(ticks % 10 === 1
          ? {
              totals: this.#totals(),
              dwell: bidiStream.name
                .slice(0, 12)
                .map((_, state) => [2, state, 3 + state * 7, 40 + state * 90, 1_000 - state * 80] as const),
            }
          : {}),
        transitions: due,
        lag: 0.4 + this.#random(10) / 10,
        cost: 1,
        dropped: 0,
      })
      const own = events.filter(({ uid }) => uid === selected)
      if (own.length > 0) send({ type: 'events', worker: 0, events: own })
    }
    const handle = (message: ClientMessage): void => {
      if (message.type === 'select') {
        selected = message.uid
        const history = this.#histories.get(selected) ?? []
        send({
          type: 'selected',
          uid: selected,
          related: [],
          history,
          start: history[0]?.from ?? 0,
          isWhole: true,
        })
      } else if (message.type === 'arm') {
        send({ type: 'armed', isArmed: message.isArmed, remaining: 300_000 })
      } else if (message.type === 'action') {
        send({
          type: 'result',
          id: message.id,
          isDone: false,
          error: 'unavailable',
          message: 'the mock does nothing',
        })
      }
    }
    return { tick, handle }
  }

  #hello(): ServerMessage {
    return {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      version: '0.1.0',
      node: process.version,
      pid: process.pid,
      url: 'https://localhost:4433',
      backends: { udp: 'linux', aead: 'evp' },
      workers: [0],
      epoch: Date.now() - this.now,
      hasQlog: true,
      stuckPolicy: 'report',
    }
  }

  #totals() {
    const live = [...this.#actors.values()].filter(({ kind }) => kind === 'connection').length
    const streams = this.#streams.length
    const { rss, heapUsed } = process.memoryUsage()
    return {
      connections: { live, opened: live, closed: 0 },
      streams: {
        live: streams,
        opened: this.#opened,
        closed: this.#opened - streams,
        stuck: this.#options.stuck,
      },
      actors: {
        live: this.#actors.size,
        started: this.#uid,
        stopped: this.#uid - this.#actors.size,
        crashed: 0,
        missedTransitions: 0,
      },
      handlers: { live: 0 },
      datagramChannels: { live: 0 },
      timers: { armed: live },
      buffers: { receiveBytes: 0, sendBytes: 0 },
      process: { rss, heapUsed, eventLoopLagP99Ms: 1 },
    }
  }
}
