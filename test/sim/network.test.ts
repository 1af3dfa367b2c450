// The simulated network itself: each fault happens as often as its profile says, and nothing else does.
import { describe, expect, it } from 'vitest'
import { DatagramBatch, type RemoteAddress } from '../../src/transport/connection/datagram-batch.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { SimNetwork } from './network.ts'
import { Random } from './random.ts'
import type { SimSocket } from './sim-socket.ts'
import { VirtualClock } from './virtual-clock.ts'

interface Arrival {
  at: number
  id: number
  bytes: Buffer
  from: RemoteAddress
}

function build(faults: Partial<LinkProfile>, seed = 1) {
  const clock = new VirtualClock(0)
  const network = new SimNetwork(clock, new Random(seed), () => ({ ...PERFECT_LINK, ...faults }))
  const client = network.createSocket('10.0.0.2', 5_000)
  const server = network.createSocket('10.0.0.1', 4_433)
  const arrivals: Arrival[] = []
  server.start((buffer, start, end, from) => {
    const bytes = Buffer.from(buffer.subarray(start, end))
    arrivals.push({ at: clock.now(), id: bytes.readUInt32BE(0), bytes, from })
  })
  const run = (): void => {
    while (clock.step());
  }
  return { clock, network, client, server, arrivals, run }
}

function send(socket: SimSocket, to: RemoteAddress, id: number, size = 100): void {
  const batch = new DatagramBatch()
  batch.buffer.fill(id & 0xff, 0, size)
  new DataView(batch.buffer.buffer, batch.buffer.byteOffset).setUint32(0, id)
  batch.commit(size, to)
  socket.send(batch)
  batch.buffer.fill(0)
}

const TO_SERVER: RemoteAddress = { address: '10.0.0.1', port: 4_433, family: 4 }

describe('simulated network', () => {
  it('delivers every datagram in order after the delay when there are no faults', () => {
    const { client, arrivals, run, network } = build({ delay: 25 })
    for (let id = 0; id < 50; id++) send(client, TO_SERVER, id)
    expect(network.inFlight).toBe(50)
    run()
    expect(arrivals.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, id) => id))
    expect(arrivals.every(({ at, bytes, id }) => at === 25 && bytes.length === 100 && bytes[99] === id)).toBe(
      true,
    )
    expect(arrivals[0]!.from).toMatchObject({ address: '10.0.0.2', port: 5_000 })
    expect(network.inFlight).toBe(0)
  })

  it('loses, duplicates and corrupts in the proportions asked for, and repeats itself for a seed', () => {
    const outcome = (seed: number): string => {
      const { client, arrivals, run, network } = build({ loss: 0.2, duplicate: 0.1, corrupt: 0.05 }, seed)
      for (let id = 0; id < 4_000; id++) send(client, TO_SERVER, id, 10)
      run()
      const { lost, duplicated, corrupted } = network.counters
      expect(Math.abs(lost / 4_000 - 0.2)).toBeLessThan(0.02)
      expect(Math.abs(duplicated / (4_000 - lost) - 0.1)).toBeLessThan(0.02)
      expect(Math.abs(corrupted / (4_000 - lost) - 0.05)).toBeLessThan(0.01)
      expect(arrivals).toHaveLength(4_000 - lost + duplicated)
      return JSON.stringify(arrivals.map(({ bytes }) => bytes.toString('hex')))
    }
    expect(outcome(4)).toBe(outcome(4))
    expect(outcome(4)).not.toBe(outcome(5))
  })

  it('reorders only when asked to: jitter alone keeps the order', () => {
    const isSorted = (faults: Partial<LinkProfile>): boolean => {
      const { client, arrivals, run, clock } = build(faults)
      for (let id = 0; id < 500; id++) clock.setTimer(id, () => send(client, TO_SERVER, id))
      run()
      expect(arrivals).toHaveLength(500)
      return arrivals.every(({ id }, index) => id === index)
    }
    expect(isSorted({ jitter: 30 })).toBe(true)
    expect(isSorted({ reorder: 0.1, reorderDelay: 30 })).toBe(false)
  })

  it('lets a bottleneck pass its rate and drops what its queue does not hold', () => {
    const { client, arrivals, run, network } = build({ rate: 100, queue: 5_000, delay: 0 })
    for (let id = 0; id < 100; id++) send(client, TO_SERVER, id, 1_000)
    run()
    expect(arrivals).toHaveLength(5)
    expect(arrivals.at(-1)!.at).toBeCloseTo(50)
    expect(network.counters.lost).toBe(95)
  })

  it('counts the datagrams in a queue: 25 wait behind the one that is being sent', () => {
    const { client, arrivals, run, network } = build({ rate: 100, queuePackets: 25, delay: 0 })
    for (let id = 0; id < 100; id++) send(client, TO_SERVER, id, id % 2 === 0 ? 40 : 1_000)
    run()
    expect(arrivals.map(({ id }) => id)).toEqual(Array.from({ length: 26 }, (_, id) => id))
    expect(network.counters.lost).toBe(74)
    send(client, TO_SERVER, 200)
    run()
    expect(arrivals).toHaveLength(27)
  })

  it('loses and corrupts at most as many in a row as asked for', () => {
    const { client, arrivals, run, network } = build({ loss: 1, lossBurst: 3 })
    for (let id = 0; id < 40; id++) send(client, TO_SERVER, id)
    run()
    expect(arrivals.map(({ id }) => id % 4)).toEqual(new Array(10).fill(3))
    const other = build({ corrupt: 1, corruptBurst: 3, corruptWithin: 51 })
    for (let id = 0; id < 400; id++) send(other.client, TO_SERVER, 0x40404040, 100)
    other.run()
    expect(other.network.counters.corrupted).toBe(300)
    const changed = other.arrivals.map(({ bytes }) => bytes.findIndex((byte) => byte !== 0x40))
    expect(changed.filter((at) => at !== -1)).toHaveLength(300)
    expect(Math.max(...changed)).toBe(50)
    expect(network.counters.corrupted).toBe(0)
  })

  it('shares one bottleneck between the addresses of a link when told to', () => {
    const clock = new VirtualClock(0)
    const link = { ...PERFECT_LINK, rate: 100, delay: 0 }
    const network = new SimNetwork(clock, new Random(1), () => link, { linkName: () => 'the only one' })
    const arrivals: number[] = []
    for (const port of [1, 2]) network.createSocket('10.0.0.1', port).start(() => arrivals.push(clock.now()))
    const client = network.createSocket('10.0.0.2', 5_000)
    for (const port of [1, 2]) send(client, { ...TO_SERVER, port }, 7, 1_000)
    while (clock.step());
    expect(arrivals).toEqual([10, 20])
  })

  it('shows the address of its arrival when the NAT is at the far end', () => {
    const clock = new VirtualClock(0)
    const network = new SimNetwork(clock, new Random(1), () => PERFECT_LINK, { translatesOnArrival: true })
    const ports: number[] = []
    network.createSocket('10.0.0.1', 4_433).start((_buffer, _start, _end, { port }) => ports.push(port))
    const client = network.createSocket('10.0.0.2', 5_000)
    send(client, TO_SERVER, 7)
    clock.setTimer(5, () => network.rebind(client, '10.0.0.2', 6_000))
    while (clock.step());
    expect(ports).toEqual([6_000])
  })

  it('asks its tap first, which sees what was sent and may take it away', () => {
    const { client, arrivals, run, network } = build({ corrupt: 1 })
    const seen: string[] = []
    network.tap = (from, to, bytes) => {
      seen.push(`${from} ${to} ${bytes.length} ${bytes[99]}`)
      return seen.length === 1
    }
    for (const id of [1, 2]) send(client, TO_SERVER, id)
    run()
    expect(seen).toEqual(['10.0.0.2:5000 10.0.0.1:4433 100 1', '10.0.0.2:5000 10.0.0.1:4433 100 2'])
    expect(arrivals).toHaveLength(1)
  })

  it('drops what is larger than the path, what goes nowhere and what falls into a black hole', () => {
    const { client, arrivals, run, network } = build({ mtu: 1_200 })
    send(client, TO_SERVER, 1, 1_201)
    send(client, { ...TO_SERVER, port: 1 }, 2)
    network.setBlackhole('10.0.0.2:5000', '10.0.0.1:4433', true)
    send(client, TO_SERVER, 3)
    network.setBlackhole('10.0.0.2:5000', '10.0.0.1:4433', false)
    send(client, TO_SERVER, 4, 1_200)
    run()
    expect(arrivals.map(({ id }) => id)).toEqual([4])
  })

  it('shows a new source address after a rebinding, and the old one leads nowhere', () => {
    const { client, server, arrivals, run, network } = build({})
    const backAtClient: number[] = []
    client.start((_buffer, start, end) => backAtClient.push(end - start))
    network.rebind(client, '10.0.0.9', 6_000)
    send(client, TO_SERVER, 1)
    send(server, { address: '10.0.0.2', port: 5_000, family: 4 }, 2)
    send(server, { address: '10.0.0.9', port: 6_000, family: 4 }, 3, 77)
    run()
    expect(arrivals[0]!.from).toMatchObject({ address: '10.0.0.9', port: 6_000 })
    expect(backAtClient).toEqual([77])
  })
})
