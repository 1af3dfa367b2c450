// The client of the soak (soak.ts): requests of every kind on one connection, some of them given up half-way.
import { setTimeout as delay } from 'node:timers/promises'
import { type ClientSession, connect } from '../src/index.ts'
import { answerCalls } from './control.ts'
import type { HeapNumbers } from './soak-server.ts'

/** Requests in flight. */
const LANES = 50

const BODY = new Uint8Array(3_000)

let session: ClientSession | undefined

/** Made once: 16 requests of which 10 are plain, and one each of what can go wrong. */
const KINDS: readonly (() => Promise<void>)[] = [
  ...new Array<() => Promise<void>>(10).fill(() => read('/')),
  () => read('/fetch'),
  () => read('/fetch', BODY),
  () => read('/unread', BODY),
  () => failing('/crash'),
  () => abandoned('/hang'),
  () => halfRead('/pieces'),
]

async function read(path: string, body?: Uint8Array): Promise<void> {
  const response = await session!.request({ path, body })
  const { length } = await response.bytes()
  if (response.status !== 200 || length === 0) throw new Error(`${path}: ${response.status}, ${length} bytes`)
}

async function failing(path: string): Promise<void> {
  const outcome = await session!.request({ path }).then(
    () => 'answered',
    (error: { code?: number }) => error.code,
  )
  if (outcome !== 0x102) throw new Error(`${path}: ${outcome}`)
}

async function abandoned(path: string): Promise<void> {
  const controller = new AbortController()
  const request = session!.request({ path, body: BODY, signal: controller.signal }).catch(() => undefined)
  await delay(1)
  controller.abort()
  if ((await request) !== undefined) throw new Error(`${path}: answered`)
}

async function halfRead(path: string): Promise<void> {
  const response = await session!.request({ path })
  await response.next()
  response.discard()
}

/** Makes `count` requests. */
async function run(count: number): Promise<void> {
  let started = 0
  const lane = async (): Promise<void> => {
    while (started < count) await KINDS[started++ % KINDS.length]!()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  // Acknowledgements and credit settle.
  await delay(300)
}

async function heap(): Promise<HeapNumbers> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc!()
    await delay(50)
  }
  const { heapUsed, external } = process.memoryUsage()
  return { heapUsed, external }
}

answerCalls({
  heap,
  run,
  open: async (port: number) => {
    session = await connect(`https://127.0.0.1:${port}`, { insecure: true })
  },
  close: () => session?.end(),
})
