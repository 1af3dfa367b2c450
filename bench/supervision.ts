// What it costs to watch: a sweep of a connection with 10,000 idle requests, and the invariants of one turn. CPU time
// of this thread, over many rounds, on the simulated network with the real endpoint.
// Run by `npm run bench:supervision`; exits 1 when a sweep of the watchdog needs more than a millisecond.
import type { LifeActor } from '../src/machines/index.ts'
import { StuckStreams } from '../src/supervisor/stuck-streams.ts'
import type { QuicStream } from '../src/transport/streams/index.ts'
import { PERFECT_LINK } from '../test/sim/link-profile.ts'
import { World } from '../test/sim/world.ts'

const STREAMS = 10_000
const ROUNDS = 1_000
const CALLS = 1_000
const TARGET_MS = 1

/** CPU ms of one `work`: the whole of many rounds is measured, because the system's clock for CPU time is coarse. */
function measure(work: () => void): number {
  work()
  const before = process.threadCpuUsage()
  for (let round = 0; round < ROUNDS; round++) work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000 / ROUNDS
}

function print(what: string, value: number, unit: string): void {
  console.log(`  ${what.padEnd(58)} ${value.toFixed(3)} ${unit}`)
}

const world = new World({
  seed: 1,
  handler: () => () => new Promise<void>(() => {}),
  toServer: PERFECT_LINK,
  toClient: PERFECT_LINK,
  transport: { initialMaxStreamsBidi: STREAMS, maxIdleTimeout: 0 },
  supervision: { invariants: 'count', handlerDeadline: Number.POSITIVE_INFINITY },
})
const session = world.open()
await world.run(session.opened, 5_000)
for (let index = 0; index < STREAMS; index++) session.request({ path: '/' }).catch(() => {})
await world.pass(20_000)
const [entry] = world.server.entries
if (entry === undefined || entry.supervisor.handlerCount !== STREAMS)
  throw new Error('the requests are not there')

const { supervisor } = entry
const { invariants } = world.server
const now = world.clock.now()
const streams = new Map<LifeActor, QuicStream>()
for (const stream of supervisor.connection.streams.values()) streams.set(stream.actor, stream)
const watchdog = new StuckStreams(
  {
    reportStuck() {
      throw new Error('an idle stream is not stuck')
    },
    handleStuck() {},
  },
  streams,
)

console.log(`${streams.size} idle streams on one connection, mean of ${ROUNDS} rounds`)
const watch = measure(() => watchdog.sweep(now))
print('watchdog: one sweep over all streams', watch, 'ms')
print(
  'whole sweep of the connection (handlers and HTTP/3 too)',
  measure(() => supervisor.sweep(now)),
  'ms',
)
const perTurn = measure(() => {
  for (let call = 0; call < CALLS; call++) {
    invariants.checkConnection(entry)
    invariants.checkEndpoint()
  }
})
print('invariants of a turn that serves one connection', (perTurn * 1_000) / CALLS, 'us')
print(
  'sums over all connections, once a second',
  measure(() => invariants.checkSums()),
  'ms',
)
print(
  'every stream, as tests do after each step',
  measure(() => invariants.checkAll()),
  'ms',
)
if (world.server.counters.invariantViolations > 0) throw new Error('an invariant is broken')
process.exitCode = watch < TARGET_MS ? 0 : 1
