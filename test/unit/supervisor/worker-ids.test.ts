import { describe, expect, it } from 'vitest'
import { NO_WORKER, WorkerIds } from '../../../src/supervisor/worker-ids.ts'
import { selectBackends } from '../../../src/transport/crypto/index.ts'
import { Random, seededEntropy } from '../../sim/random.ts'

const backends = selectBackends()
const secret = new Uint8Array(32).fill(7)

function idsOf(worker: number, seed = worker + 1, key = secret): WorkerIds {
  return new WorkerIds(key, worker, backends, seededEntropy(new Random(seed)))
}

function issue(ids: WorkerIds): Uint8Array {
  const id = new Uint8Array(8)
  ids.fill(id)
  return id
}

describe('the worker in a connection ID', () => {
  it.each([0, 1, 2, 127, 255])('every worker reads worker %i from its IDs', (worker) => {
    const reader = idsOf(9)
    const ids = idsOf(worker)
    for (let count = 0; count < 300; count++) {
      const packet = Uint8Array.of(0x40, 0x41, ...issue(ids), 0xff)
      expect(reader.workerOf(packet, 2)).toBe(worker)
    }
  })

  it('no ID comes twice, not even after the counter has overflowed', () => {
    const allOnes = { fill: (bytes: Uint8Array) => void bytes.fill(0xff) }
    const ids = new WorkerIds(secret, 3, backends, allOnes)
    const seen = new Set<string>()
    for (let count = 0; count < 2_000; count++) seen.add(Buffer.from(issue(ids)).toString('hex'))
    expect(seen.size).toBe(2_000)
    expect(ids.workerOf(issue(ids), 0)).toBe(3)
  })

  it('IDs of others are rarely taken for ours', () => {
    const random = new Random(5)
    const ids = idsOf(0)
    const foreign = new Uint8Array(8)
    let taken = 0
    for (let count = 0; count < 20_000; count++) {
      seededEntropy(random).fill(foreign)
      const worker = ids.workerOf(foreign, 0)
      if (worker !== NO_WORKER && worker < 16) taken++
    }
    // One in 4,096 for 16 workers.
    expect(taken).toBeLessThan(20)
  })

  it('another secret reads nothing', () => {
    const stranger = idsOf(1, 1, new Uint8Array(32).fill(8))
    const ids = idsOf(1)
    let read = 0
    for (let count = 0; count < 500; count++) if (stranger.workerOf(issue(ids), 0) === 1) read++
    expect(read).toBeLessThan(3)
  })
})

describe('what an outsider sees of it (RFC 9000 section 5.1)', () => {
  it('the same counter with another worker changes half of the bits, everywhere', () => {
    const changed = new Array<number>(8).fill(0)
    const rounds = 400
    let bits = 0
    for (let seed = 1; seed <= rounds; seed++) {
      const [a, b] = [issue(idsOf(0, seed)), issue(idsOf(1, seed))]
      for (let index = 0; index < 8; index++) {
        if (a[index] !== b[index]) changed[index]++
        bits += (a[index] ^ b[index]).toString(2).replaceAll('0', '').length
      }
    }
    for (const count of changed) expect(count).toBeGreaterThan(rounds * 0.96)
    expect(Math.abs(bits / (rounds * 64) - 0.5)).toBeLessThan(0.02)
  })

  it('every byte of the IDs of one worker takes all values alike', () => {
    const ids = idsOf(1)
    const counts = Array.from({ length: 8 }, () => new Array<number>(256).fill(0))
    const total = 20_480
    for (let count = 0; count < total; count++) {
      const id = issue(ids)
      for (let index = 0; index < 8; index++) counts[index][id[index]]++
    }
    const expected = total / 256
    for (const perByte of counts) {
      const chiSquare = perByte.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
      // 255 degrees of freedom: 99.99 % are below 347.
      expect(chiSquare).toBeLessThan(360)
    }
  })
})
