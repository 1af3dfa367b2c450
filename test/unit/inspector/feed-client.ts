// A page without a page: opens the feed and keeps what it is told, as the tests of src/inspector want it.
import { WebSocket } from 'ws'
import { UIDS_PER_WORKER } from '../../../src/inspector/population.ts'
import type {
  ClientMessage,
  MachineDefinition,
  Row,
  ServerMessage,
  Tick,
} from '../../../src/inspector/protocol.ts'

type Of<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>

export class FeedClient {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  readonly rows = new Map<number, Row>()
  readonly machines = new Map<number, MachineDefinition>()
  readonly counts = new Map<string, number>()
  dropped = 0
  #wake: () => void = () => {}

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, { headers })
    this.socket.on('message', (data) => this.#take(JSON.parse(String(data)) as ServerMessage))
    this.socket.on('error', () => {})
  }

  static async open(inspector: string): Promise<FeedClient> {
    const client = new FeedClient(`${inspector.replace('http', 'ws')}/feed`)
    await client.next('hello')
    return client
  }

  say(message: ClientMessage | object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** The first message of this type, now or later, that the condition is true for. */
  async next<Type extends ServerMessage['type']>(
    type: Type,
    condition: (message: Of<Type>) => boolean = () => true,
    timeout?: number,
  ): Promise<Of<Type>> {
    const find = (): Of<Type> | undefined =>
      this.messages.find(
        (message): message is Of<Type> => message.type === type && condition(message as Of<Type>),
      )
    return this.until(find, timeout)
  }

  /** Asks again after each message until there is an answer. */
  async until<Answer>(ask: () => Answer | undefined | false, timeout = 5_000): Promise<Answer> {
    const end = performance.now() + timeout
    for (;;) {
      const answer = ask()
      if (answer !== undefined && answer !== false) return answer
      const rest = end - performance.now()
      if (rest <= 0) throw new Error(`not seen: ${ask.toString()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** The row of an actor of this machine. */
  row(machine: string, condition: (row: Row) => boolean = () => true): Promise<Row> {
    return this.until(() =>
      [...this.rows.values()].find((row) => this.machines.get(row[3])?.id === machine && condition(row)),
    )
  }

  stateOf(row: Row): string {
    return this.machines.get(row[3])!.states[row[4]]!.name
  }

  /** Live actors of a machine by state name, as the counts say. */
  count(machine: string, state: string): number {
    const definition = [...this.machines.values()].find(({ id }) => id === machine)!
    const index = definition.states.findIndex(({ name }) => name === state)
    return this.counts.get(`${definition.index} ${index}`) ?? 0
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.on('close', () => resolve())
      this.socket.close()
    })
  }

  #take(message: ServerMessage): void {
    this.messages.push(message)
    if (message.type === 'machines') for (const each of message.machines) this.machines.set(each.index, each)
    if (message.type === 'tick') this.#apply(message)
    this.#wake()
  }

  /** What a worker has said before is void. */
  #forget(worker: number): void {
    for (const uid of this.rows.keys())
      if (Math.floor(uid / UIDS_PER_WORKER) === worker) this.rows.delete(uid)
  }

  #apply(tick: Tick): void {
    if (tick.isFresh) this.#forget(tick.worker)
    for (const uid of tick.gone ?? []) this.rows.delete(uid)
    for (const row of tick.rows ?? []) this.rows.set(row[0], row)
    for (const [uid, state, since] of tick.moves ?? []) {
      const [, kind, parent, machine, , , key, text] = this.rows.get(uid)!
      this.rows.set(uid, [uid, kind, parent, machine, state, since, key, text])
    }
    for (const [machine, state, live] of tick.counts ?? []) this.counts.set(`${machine} ${state}`, live)
    this.dropped = tick.dropped
  }
}
