// Loss in both directions: every byte arrives once and in order, and everything is released (RFC 9000 section 13.3).
import { expect, test } from 'vitest'
import { Pair, TestEntropy } from './pair.ts'

const SEEDS = 60
const STREAMS = 8

function runSeed(seed: number): void {
  const random = new TestEntropy(seed * 7919 + 1)
  const chance = () => (random.next() >>> 8) / 2 ** 24
  const loss = (seed % 5) * 0.06
  const pair = new Pair({ seed })
  pair.drop = () => chance() < loss
  pair.server.application.onReadable = (stream) => {
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read())
      stream.write(new Uint8Array(chunk))
    if (stream.isReadComplete) stream.end()
  }
  pair.run(9_000, () => pair.client.connection.isHandshakeComplete)
  const expected = new Map<number, Buffer>()
  for (let i = 0; i < STREAMS; i++) {
    const stream = pair.client.connection.openStream('bidi')!
    stream.application = pair.client.application
    const bytes = Buffer.alloc(Math.floor(chance() * 60_000))
    random.fill(bytes)
    expected.set(stream.id, bytes)
    stream.write(bytes)
    stream.end()
  }
  pair.run(
    120_000,
    () => pair.client.application.closedStreams.size === STREAMS && pair.server.supervisor.live.size === 0,
  )
  for (const [id, bytes] of expected) {
    expect(pair.client.application.bytes(id).equals(bytes), `seed ${seed} stream ${id}`).toBe(true)
  }
  for (const { connection, supervisor } of [pair.client, pair.server]) {
    expect(supervisor.live.size, `seed ${seed}: live actors`).toBe(0)
    expect(supervisor.missed, `seed ${seed}`).toEqual([])
    expect(connection.stats.internalErrors, `seed ${seed}`).toBe(0)
    expect(connection.receiveBufferedBytes + connection.sendBufferedBytes).toBe(0)
  }
}

test(`${SEEDS} seeds of ${STREAMS} echoes at 0 to 24 % loss end with every byte right`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) runSeed(seed)
})
