// Resets with partial delivery over a link that loses: what was promised arrives, then the reset, then nothing is left
// (draft-ietf-quic-reliable-stream-reset section 5).
import { expect, test } from 'vitest'
import { Pair, TestEntropy } from './pair.ts'

const SEEDS = 60
const STREAMS = 8
const CODE = 0x44

interface Promised {
  bytes: Buffer
  size: number
}

/** Writes, resets with a promise and, on half of the streams, lowers the promise later. */
function resetStreams(pair: Pair, random: TestEntropy): Map<number, Promised> {
  const below = (limit: number) => (random.next() >>> 4) % limit
  const promised = new Map<number, Promised>()
  for (let i = 0; i < STREAMS; i++) {
    const stream = pair.client.connection.openStream('bidi')!
    stream.application = pair.client.application
    const bytes = Buffer.alloc(1 + below(40_000))
    random.fill(bytes)
    stream.write(bytes)
    if (below(3) === 0) stream.end()
    if (below(2) === 0) pair.run(below(30))
    let size = 1 + below(bytes.length)
    stream.reset(CODE, size)
    if (below(2) === 0) {
      pair.run(below(30))
      size = 1 + below(size)
      stream.reset(CODE, size)
    }
    promised.set(stream.id, { bytes, size })
  }
  return promised
}

function runSeed(seed: number): void {
  const random = new TestEntropy(seed * 7919 + 1)
  const loss = (seed % 5) * 0.06
  const pair = new Pair({ seed, server: { initialMaxStreamDataBidiRemote: 20_000, initialMaxData: 60_000 } })
  pair.drop = () => (random.next() >>> 8) / 2 ** 24 < loss
  pair.run(9_000, () => pair.client.connection.isHandshakeComplete)
  const { server } = pair
  server.application.onReadable = (stream) => {
    server.application.readAll(stream)
    stream.end()
  }
  const promised = resetStreams(pair, random)
  pair.run(
    120_000,
    () => pair.client.application.closedStreams.size === STREAMS && server.supervisor.live.size === 0,
  )
  for (const [id, { bytes, size }] of promised) {
    const received = server.application.bytes(id)
    expect(received.length, `seed ${seed} stream ${id}`).toBeGreaterThanOrEqual(size)
    expect(received.equals(bytes.subarray(0, received.length)), `seed ${seed} stream ${id}`).toBe(true)
    // All data with its FIN may have come before the reset; everything else ends with it.
    const isReset = server.application.resets.get(id) === CODE
    expect(isReset || server.application.finished.has(id), `seed ${seed} stream ${id}`).toBe(true)
  }
  for (const { connection, supervisor } of [pair.client, server]) {
    expect(supervisor.live.size, `seed ${seed}: live actors`).toBe(0)
    expect(supervisor.missed, `seed ${seed}`).toEqual([])
    expect(connection.stats.internalErrors, `seed ${seed}`).toBe(0)
    expect(connection.receiveBufferedBytes + connection.sendBufferedBytes).toBe(0)
  }
}

test(`${SEEDS} seeds of ${STREAMS} resets at 0 to 24 % loss deliver what they promise`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) runSeed(seed)
})
