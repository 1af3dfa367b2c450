// 0-RTT packets before their Initial packet: kept within bounds, whoever sends them (RFC 9000 section 5.2.2).
import { describe, expect, it } from 'vitest'
import { EarlyPackets } from '../../../src/supervisor/early-packets.ts'
import {
  EARLY_PACKET_TIME,
  MAX_EARLY_CONNECTIONS,
  MAX_EARLY_DATAGRAM_BYTES,
  MAX_EARLY_DATAGRAMS,
} from '../../../src/supervisor/limits.ts'

const remote = { address: '192.0.2.1', port: 1, family: 4 } as const
const id = (number: number): Uint8Array => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, number)
const datagram = (length = 100): Buffer => Buffer.alloc(length, 9)

describe('early packets', () => {
  it('wait for their connection, as copies, in order, and are given once', () => {
    const early = new EarlyPackets()
    const borrowed = datagram()
    expect(early.hold(id(1), borrowed, remote, 0)).toBe(true)
    borrowed.fill(0xee)
    expect(early.hold(id(1), datagram(50), remote, 1, 2)).toBe(true)
    expect(early.take(id(2), 1)).toEqual([])
    const taken = early.take(id(1), 1)
    expect(taken.map(({ bytes }) => bytes.length)).toEqual([100, 50])
    expect(taken[0]!.bytes).toEqual(new Uint8Array(datagram()))
    expect(taken[0]!.remote).toBe(remote)
    expect(taken.map(({ ecn }) => ecn)).toEqual([0, 2])
    expect(early.take(id(1), 1)).toEqual([])
    expect(early.size).toBe(0)
  })

  it('are few per connection, and small', () => {
    const early = new EarlyPackets()
    expect(early.hold(id(1), datagram(MAX_EARLY_DATAGRAM_BYTES + 1), remote, 0)).toBe(false)
    for (let n = 0; n < MAX_EARLY_DATAGRAMS; n++) expect(early.hold(id(1), datagram(), remote, 0)).toBe(true)
    expect(early.hold(id(1), datagram(), remote, 0)).toBe(false)
  })

  it('are of few connections: a flood with ever new IDs gets no more memory', () => {
    const early = new EarlyPackets()
    for (let n = 0; n < 1_000; n++) early.hold(Uint8Array.of(n >> 8, n), datagram(), remote, 0)
    expect(early.size).toBe(MAX_EARLY_CONNECTIONS)
  })

  it('wait no longer than reordering takes', () => {
    const early = new EarlyPackets()
    early.hold(id(1), datagram(), remote, 0)
    early.hold(id(2), datagram(), remote, 50)
    expect(early.take(id(1), EARLY_PACKET_TIME)).toEqual([])
    expect(early.size).toBe(1)
    expect(early.take(id(2), EARLY_PACKET_TIME)).toHaveLength(1)
  })

  it('are gone when the endpoint stops accepting', () => {
    const early = new EarlyPackets()
    early.hold(id(1), datagram(), remote, 0)
    early.clear()
    expect(early.take(id(1), 0)).toEqual([])
  })
})
