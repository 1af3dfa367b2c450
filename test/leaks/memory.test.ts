// Rows of the catalogue of leaks about what XState and Node keep alive behind one's back.
import { globSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { InterpretedActor } from '../../src/machines/interpreted-actor.ts'
import { Pair } from '../unit/transport/connection/pair.ts'
import { LeakWorld, leakRow } from './leak-row.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of buffers that somebody holds. Node gives those of collected ones back in the background. */
async function settledBuffers(): Promise<number> {
  let bytes = Number.POSITIVE_INFINITY
  for (let round = 0; round < 8; round++) {
    collectGarbage()
    await delay(20)
    bytes = Math.min(bytes, process.memoryUsage().arrayBuffers)
  }
  return bytes
}

const ROW_25 = {
  row: 25,
  title: 'streams run by XState’s own interpreter have no parent that could remember them',
  seenIn: 'XState 5.33.3',
  supervision: { interpreter: 'xstate' },
  handler: () => (exchange) => exchange.respond(200, [], 'x'),
  scenario: (peer) => peer.get().closed,
} as const satisfies Parameters<typeof leakRow>[0]

leakRow(ROW_25)

describe('leak catalogue row 25: finished children stay in a parent’s snapshot (seen in XState 5.33.3)', () => {
  it('no actor of ours is a child: the supervisor’s registry is the only strong reference', async () => {
    const world = await new LeakWorld(ROW_25).opened()
    const request = world.peer.begin('GET')
    const { actor } = request.stream
    expect(actor).toBeInstanceOf(InterpretedActor)
    expect((actor.getSnapshot() as { children: object }).children).toEqual({})
    const references = new WeakRef(actor)
    request.end()
    await world.pass(500)
    expect(references.deref()?.getSnapshot().status).toBe('done')
  })

  it('no source file makes an actor a parent of others', () => {
    const files = globSync('src/**/*.ts', { cwd: new URL('../..', import.meta.url) })
    expect(files.length).toBeGreaterThan(100)
    const forbidden = /\bspawnChild\b|\bspawn\(|\bstopChild\b|\binvoke:|createActor\([^)]*parent/
    for (const file of files) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
      const code = source.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '')
      // Processes are spawned as well; where they are, spawn is Node's.
      const isNodes = /import \{[^}]*\bspawn\b[^}]*\} from 'node:child_process'/.test(code)
      const searched = isNodes ? code.replaceAll(/\bspawn\(/g, 'process(') : code
      expect(forbidden.exec(searched)?.[0], file).toBeUndefined()
    }
  })
})

describe('leak catalogue row 26: slices that pin the receive buffer (seen in Node)', () => {
  it('2000 unread pieces of 20 bytes hold less than 1 MB of buffers, not 125 MiB', async () => {
    const streams = 2_000
    const settings = { initialMaxStreamsBidi: streams, initialMaxData: 4_000_000 }
    const pair = new Pair({ server: settings }).handshake()
    pair.server.application.reads = false
    const before = await settledBuffers()
    const deliver = pair.inject.bind(pair)
    // Every datagram arrives at the end of a receive buffer of 64 KiB, as from recvmmsg.
    pair.inject = (to, bytes) => {
      const buffer = new Uint8Array(65_536)
      buffer.set(bytes, 65_536 - bytes.length)
      deliver(to, buffer.subarray(65_536 - bytes.length))
    }
    for (let stream = 0; stream < streams; stream++) {
      pair.client.connection.openStream('bidi')!.write(new Uint8Array(20))
      pair.run(2)
    }
    pair.run(1_000)
    expect(pair.server.connection.receiveBufferedBytes).toBe(streams * 20)
    const after = await settledBuffers()
    expect(after - before).toBeLessThan(1_000_000)
  })
})
