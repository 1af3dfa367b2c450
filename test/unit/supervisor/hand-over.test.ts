import { describe, expect, it } from 'vitest'
import { Counters } from '../../../src/supervisor/counters.ts'
import { HandOver, type WorkerRole } from '../../../src/supervisor/hand-over.ts'
import { WorkerIds } from '../../../src/supervisor/worker-ids.ts'
import { selectBackends } from '../../../src/transport/crypto/index.ts'
import { Random, seededEntropy } from '../../sim/random.ts'

const secret = new Uint8Array(32).fill(7)
const backends = selectBackends()
const remote = { address: '192.0.2.1', port: 40_000, family: 4 as const }

interface Sent {
  readonly worker: number
  readonly bytes: Uint8Array
  readonly socket: number
}

function idsOf(worker: number): WorkerIds {
  return new WorkerIds(secret, worker, backends, seededEntropy(new Random(worker + 1)))
}

function worker(index: number, takes: () => boolean = () => true) {
  const sent: Sent[] = []
  const counters = new Counters()
  const role: WorkerRole = {
    index,
    count: 3,
    since: 0,
    send(to, buffer, start, end, _remote, socket) {
      if (!takes()) return false
      sent.push({ worker: to, bytes: buffer.slice(start, end), socket })
      return true
    },
  }
  return { handOver: new HandOver(role, idsOf(index), counters), counters, sent }
}

function issue(by: number): Uint8Array {
  const id = new Uint8Array(8)
  idsOf(by).fill(id)
  return id
}

const short = (id: Uint8Array): Uint8Array => Uint8Array.of(0x40, ...id, 1, 2, 3)
const long = (id: Uint8Array): Uint8Array => Uint8Array.of(0xe0, 0, 0, 0, 1, id.length, ...id, 0, 1, 2)
const take = (handOver: HandOver, bytes: Uint8Array): boolean =>
  handOver.take(bytes, 0, bytes.length, remote, 1, 0)

describe('handing datagrams over', () => {
  it.each([
    ['short', short],
    ['long', long],
  ])('a %s header that names another worker goes there, with the socket it came by', (_name, packet) => {
    const { handOver, counters, sent } = worker(0)
    const bytes = packet(issue(2))
    expect(take(handOver, bytes)).toBe(true)
    expect(sent).toEqual([{ worker: 2, bytes, socket: 1 }])
    expect(counters).toMatchObject({ handedOver: 1, handOverDropped: 0 })
  })

  it('what names this worker, no worker, or one that does not exist stays', () => {
    const { handOver, sent } = worker(0)
    for (const id of [issue(0), issue(3), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]) {
      expect(take(handOver, short(id))).toBe(false)
      expect(take(handOver, long(id))).toBe(false)
    }
    expect(sent).toEqual([])
  })

  it('packets that end before their ID ends stay', () => {
    const { handOver } = worker(0)
    for (const packet of [short(issue(2)), long(issue(2))]) {
      for (let length = 1; length < packet.length - 3; length++) {
        expect(take(handOver, packet.subarray(0, length))).toBe(false)
      }
    }
  })

  it('a worker that cannot take it makes it a lost one: it is not answered from here', () => {
    const { handOver, counters } = worker(0, () => false)
    expect(take(handOver, short(issue(1)))).toBe(true)
    expect(counters).toMatchObject({ handedOver: 0, handOverDropped: 1 })
  })

  it('what was handed over once is not handed on', () => {
    const { handOver, counters, sent } = worker(0)
    handOver.begin()
    expect(take(handOver, short(issue(1)))).toBe(false)
    handOver.end()
    expect(sent).toEqual([])
    expect(counters.takenOver).toBe(1)
    expect(take(handOver, short(issue(1)))).toBe(true)
  })
})
