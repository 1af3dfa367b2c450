// `npm run soak -- --requests 200000`: very many requests of every kind on one connection, over UDP, in two processes.
// The heap after all of them must be as large as after a tenth of them, and nothing may be left when the client goes.
// Exit code 1 when it is not so. `--handler machine` has every request handled by a machine service.
import { parseArgs } from 'node:util'
import type { ServerStatus } from '../src/index.ts'
import { Child } from './control.ts'
import type { HeapNumbers } from './soak-server.ts'

/** Growth from the first tenth to the end that passes as noise, bytes; either side, heap and buffers together. */
const LIMIT = 2_000_000

/** Share of the requests after which everything that is kept for good has been made. */
const WARM_UP = 0.1

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '200000' }, handler: { type: 'string', default: 'plain' } },
})
if (values.handler !== 'plain' && values.handler !== 'machine') {
  console.error('--handler is plain or machine')
  process.exit(2)
}
const requests = Number(values.requests)
if (!Number.isSafeInteger(requests) || requests < 1_000) {
  console.error('--requests must be a whole number of at least 1000')
  process.exit(2)
}

interface Side {
  readonly name: string
  readonly child: Child
}

async function heaps(sides: readonly Side[]): Promise<HeapNumbers[]> {
  return Promise.all(sides.map(({ child }) => child.call<HeapNumbers>('heap')))
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

/** Every number of the status that has to be zero when nobody is connected. */
function leftovers({
  connections,
  streams,
  actors,
  handlers,
  datagramChannels,
  buffers,
}: ServerStatus): string[] {
  const zeros: Record<string, number> = {
    'connections.live': connections.live,
    'streams.live': streams.live,
    'streams.stuck': streams.stuck,
    'actors.live': actors.live,
    'actors.missedTransitions': actors.missedTransitions,
    'handlers.live': handlers.live,
    'datagramChannels.live': datagramChannels.live,
    'buffers.receiveBytes': buffers.receiveBytes,
    'buffers.sendBytes': buffers.sendBytes,
  }
  return Object.entries(zeros)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} = ${value}`)
}

async function soak(sides: readonly [Side, Side]): Promise<string[]> {
  const [{ child: server }, { child: client }] = sides
  await client.call('open', await server.call<number>('start', values.handler))
  const warmUp = Math.round(requests * WARM_UP)
  await client.call('run', warmUp)
  const before = await heaps(sides)
  const start = performance.now()
  await client.call('run', requests - warmUp)
  const seconds = (performance.now() - start) / 1000
  const after = await heaps(sides)
  console.log(
    `${requests} requests on one connection, ${Math.round((requests - warmUp) / seconds)} per second`,
  )
  const problems: string[] = []
  for (const [index, { name }] of sides.entries()) {
    const first = before[index]!
    const last = after[index]!
    const growth = last.heapUsed + last.external - first.heapUsed - first.external
    const heap = `heap ${megabytes(first.heapUsed)} -> ${megabytes(last.heapUsed)}`
    const outside = `outside of it ${megabytes(first.external)} -> ${megabytes(last.external)}`
    console.log(
      `${name}: after ${warmUp} and ${requests} requests: ${heap}, ${outside}, growth ${megabytes(growth)}`,
    )
    if (growth > LIMIT) problems.push(`${name} has grown by ${megabytes(growth)}`)
  }
  const open = await server.call<ServerStatus>('status')
  // Our own three streams and the client's.
  if (open.streams.live !== 6)
    problems.push(`${open.streams.live} streams on the idle connection instead of 6`)
  if (open.handlers.live !== 0) problems.push(`${open.handlers.live} handlers on the idle connection`)
  await client.call('close')
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  problems.push(...leftovers(await server.call<ServerStatus>('status')))
  await server.call('close')
  return problems
}

const options = { execArgv: ['--expose-gc'] }
const server = { name: 'server', child: new Child('./soak-server.ts', [], options) }
const client = { name: 'client', child: new Child('./soak-client.ts', [], options) }
try {
  const problems = await soak([server, client])
  for (const problem of problems) console.error(`FAILED: ${problem}`)
  if (problems.length === 0) console.log('nothing has grown, nothing is left')
  else process.exitCode = 1
} finally {
  server.child.end()
  client.child.end()
}
