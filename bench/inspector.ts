// What it costs to be looked at: processor time of a process with 5,000 live streams of which 15,000 transitions a second
// come, while nobody looks, while one page looks, and while one page has selected a stream. Then the same with 1,000 idle
// streams. The endpoint, the machines, the feed and its JSON are the real ones; the network and the clients are simulated
// and would hide the cost, so transitions are raised on stream actors directly, on top of streams that a simulated client
// has opened. Run by `node bench/inspector.ts [--seconds N] [--json]`.
import { parseArgs } from 'node:util'
import type { Viewer } from '../src/inspector/feed.ts'
import { LocalFeed } from '../src/inspector/local-feed.ts'
import type { ServerMessage, Tick } from '../src/inspector/protocol.ts'
import {
  type ActorOwner,
  bidiStream,
  createLifeActor,
  type LifeActor,
  StreamEvent,
} from '../src/machines/index.ts'
import { statusOf } from '../src/supervisor/status.ts'
import type { QuicStream } from '../src/transport/streams/index.ts'
import { PERFECT_LINK } from '../test/sim/link-profile.ts'
import { World } from '../test/sim/world.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
})
const SECONDS = Number(values.seconds)
const LIVE = 5_000
const IDLE = 1_000
const RATE = 15_000
/** One life of a request's stream, as it usually goes. */
const LIFE = [
  StreamEvent.recvFin,
  StreamEvent.recvAllData,
  StreamEvent.appReadAll,
  StreamEvent.sendStream,
  StreamEvent.sendFin,
  StreamEvent.sendAllAcked,
]
/** ms between two bursts of transitions: a busy loop has a turn about so often. */
const TURN = 2

interface Row {
  readonly what: string
  readonly streams: number
  readonly transitionsPerSecond: number
  /** Processor time of the thread, percent of one core. */
  readonly cpuPercent: number
  readonly bytesPerSecond: number
  readonly ticksPerSecond: number
  readonly dropped: number
}

/** A page that takes everything at once. */
class Page implements Viewer {
  readonly backlog = 0
  bytes = 0
  ticks = 0
  dropped = 0
  stream = 0

  send(text: string): void {
    this.bytes += text.length
    if (!text.startsWith('{"type":"tick"')) return
    this.ticks++
    this.dropped = Number(/"dropped":(\d+)/.exec(text)?.[1] ?? 0)
    // What a page would parse is not the server's cost, apart from the first one, for an actor to select.
    if (this.stream !== 0) return
    const tick = JSON.parse(text) as Extract<ServerMessage, Tick>
    this.stream = tick.rows?.find((row) => row[7] !== '' && row[1] === 3)?.[0] ?? 0
  }
}

/** A simulated server with so many requests that are never answered. */
async function serverWith(streams: number): Promise<World> {
  const world = new World({
    seed: 1,
    handler: () => () => new Promise<void>(() => {}),
    toServer: PERFECT_LINK,
    toClient: PERFECT_LINK,
    transport: { initialMaxStreamsBidi: streams, maxIdleTimeout: 0 },
    supervision: { invariants: 'off', handlerDeadline: Number.POSITIVE_INFINITY },
  })
  const session = world.open()
  await world.run(session.opened, 5_000)
  for (let index = 0; index < streams; index++) session.request({ path: `/${index}` }).catch(() => {})
  await world.pass(20_000)
  const [entry] = world.server.entries
  if (entry?.supervisor.handlerCount !== streams) throw new Error('the requests are not there')
  return world
}

/** Streams beside those of the network, that live, end, and are replaced: the source of transitions. */
class Traffic {
  transitions = 0
  readonly #owner: ActorOwner
  readonly #streams: Map<LifeActor, QuicStream>
  readonly #stream: QuicStream
  readonly #actors: { actor: LifeActor; step: number }[] = []
  #at = 0
  #due = 0

  constructor(world: World, size: number) {
    const { inspection, turn } = world.server
    this.#owner = {
      handleFinal: () => {},
      handleMissed: () => {
        throw new Error('an event of the life is impossible')
      },
      get time() {
        return turn.now
      },
      get inspector() {
        return inspection.active
      },
    }
    const [entry] = world.server.entries
    this.#streams = entry!.supervisor.children.streams
    const [stream] = this.#streams.values()
    this.#stream = stream!
    for (let index = 0; index < size; index++) this.#actors.push(this.#fresh(index))
  }

  #fresh(id: number): { actor: LifeActor; step: number } {
    const actor = createLifeActor(bidiStream, id, this.#owner).start()
    this.#streams.set(actor, this.#stream)
    return { actor, step: 0 }
  }

  /** As many transitions as are due after so many ms. */
  run(ms: number): void {
    this.#due += (RATE * ms) / 1_000
    for (; this.#due >= 1; this.#due--) {
      this.#at = (this.#at + 1) % this.#actors.length
      const life = this.#actors[this.#at]!
      life.actor.raise(LIFE[life.step]!)
      life.step++
      this.transitions++
      if (life.step < LIFE.length) continue
      this.#streams.delete(life.actor)
      this.#actors[this.#at] = this.#fresh(this.#at)
    }
  }
}

async function measure(
  what: string,
  world: World,
  streams: number,
  traffic: Traffic | undefined,
  prepare: (feed: LocalFeed) => Page | undefined,
): Promise<Row> {
  const feed = new LocalFeed(world.server, {
    worker: 0,
    url: '',
    qlog: undefined,
    status: () =>
      statusOf(world.server, { rss: () => process.memoryUsage.rss(), eventLoopLagP99Ms: () => 0 }),
    close: () => {},
  })
  const page = prepare(feed)
  await run(traffic, 1)
  const [bytes = 0, ticks = 0] = [page?.bytes, page?.ticks]
  const transitions = traffic?.transitions ?? 0
  const before = process.threadCpuUsage()
  const started = performance.now()
  await run(traffic, SECONDS)
  const { user, system } = process.threadCpuUsage(before)
  const seconds = (performance.now() - started) / 1_000
  feed.close()
  return {
    what,
    streams,
    transitionsPerSecond: Math.round(((traffic?.transitions ?? 0) - transitions) / seconds),
    cpuPercent: Math.round((user + system) / 1e4 / seconds / 0.01) / 100,
    bytesPerSecond: Math.round(((page?.bytes ?? 0) - bytes) / seconds),
    ticksPerSecond: Math.round((((page?.ticks ?? 0) - ticks) / seconds) * 10) / 10,
    dropped: page?.dropped ?? 0,
  }
}

/** Real time passes; without traffic the loop sleeps. */
async function run(traffic: Traffic | undefined, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000
  let last = performance.now()
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, traffic === undefined ? 50 : TURN))
    const now = performance.now()
    traffic?.run(now - last)
    last = now
  }
}

function look(feed: LocalFeed): Page {
  const page = new Page()
  feed.open(page)
  return page
}

function lookAndSelect(feed: LocalFeed): Page {
  const page = new Page()
  const link = feed.open(page)
  setTimeout(() => link.request({ type: 'select', uid: page.stream }), 500)
  return page
}

const busy = await serverWith(IDLE)
const traffic = new Traffic(busy, LIVE - IDLE)
const idle = await serverWith(IDLE)
const rows = [
  await measure('busy, nobody looks', busy, LIVE, traffic, () => undefined),
  await measure('busy, one page', busy, LIVE, traffic, look),
  await measure('busy, one page with a stream selected', busy, LIVE, traffic, lookAndSelect),
  await measure('busy, nobody looks any more', busy, LIVE, traffic, () => undefined),
  await measure('idle, nobody looks', idle, IDLE, undefined, () => undefined),
  await measure('idle, one page', idle, IDLE, undefined, look),
]
if (values.json) console.log(JSON.stringify(rows))
else for (const row of rows) console.log(JSON.stringify(row))
process.exit(0)
