// Handshakes under way, in all and per source: one address cannot take all places, and gets them back.
import { describe, expect, it } from 'vitest'
import type { ConnectionEntry } from '../../../src/supervisor/connection-entry.ts'
import { HalfOpen, sourceOf } from '../../../src/supervisor/half-open.ts'
import type { RemoteAddress } from '../../../src/transport/connection/index.ts'
import { leftovers } from '../../sim/leftovers.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'

const v4 = (address: string): RemoteAddress => ({ address, port: 1, family: 4 })
const v6 = (address: string): RemoteAddress => ({ address, port: 1, family: 6 })

function entry(): ConnectionEntry {
  return { supervisor: { isHandshakeComplete: false } } as ConnectionEntry
}

describe('sources', () => {
  it.each([
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff::', '2001:db8:0:0'],
    ['2001:db8:0:1::1', '2001:db8:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s counts as %s', (address, source) => {
    expect(sourceOf(v6(address))).toBe(source)
  })

  it('an IPv4 address is its own', () => {
    expect(sourceOf(v4('192.0.2.1'))).not.toBe(sourceOf(v4('192.0.2.2')))
  })
})

describe('the count per source', () => {
  it('is exact where it matters: those that are complete, and those that are gone, do not count', () => {
    const halfOpen = new HalfOpen()
    const entries = Array.from({ length: 4 }, entry)
    for (const each of entries) halfOpen.add(each, v6('2001:db8::1'))
    expect(halfOpen.isFull(v6('2001:db8::2'), 4, 1)).toBe(true)
    expect(halfOpen.isFull(v6('2001:db8:1::2'), 4, 1)).toBe(false)
    ;(entries[0]!.supervisor as { isHandshakeComplete: boolean }).isHandshakeComplete = true
    expect(halfOpen.isFull(v6('2001:db8::2'), 4, 2)).toBe(false)
    halfOpen.delete(entries[0]!)
    halfOpen.delete(entries[1]!)
    expect([halfOpen.size, halfOpen.isFull(v6('2001:db8::2'), 2, 3)]).toEqual([2, true])
    for (const each of entries) halfOpen.delete(each)
    expect([halfOpen.size, halfOpen.isFull(v6('2001:db8::2'), 1, 4)]).toEqual([0, false])
  })
})

describe('an endpoint', () => {
  it('a flood from one address leaves room for others, and is over with its handshakes', async () => {
    const world = new World({
      seed: 3,
      handler: () => (exchange) => exchange.respond(200),
      toServer: PERFECT_LINK,
      toClient: PERFECT_LINK,
      retry: 'never',
      supervision: { maxHalfOpenPerSource: 3, maxHalfOpen: 5 },
    })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    for (let index = 0; index < 10; index++) world.open().opened.catch(() => {})
    await world.pass(200)
    expect(world.server.entries.size).toBe(3)
    expect(world.server.counters.refused).toBeGreaterThanOrEqual(7)
    const other = world.open({}, world.addClient())
    await world.run(other.opened, 1_000)
    other.close()
    await world.pass(60_000)
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', false)
    const later = world.open()
    await world.run(later.opened, 1_000)
    later.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })

  it('a burst in good faith gets in, a part of it at its second attempt', async () => {
    const world = new World({
      seed: 4,
      handler: () => (exchange) => exchange.respond(200),
      toServer: { ...PERFECT_LINK, delay: 5 },
      toClient: { ...PERFECT_LINK, delay: 5 },
      retry: 'never',
      supervision: { maxHalfOpenPerSource: 3 },
    })
    const sessions = Array.from({ length: 8 }, () => world.open())
    await world.run(Promise.all(sessions.map(({ opened }) => opened)), 9_000)
    for (const session of sessions) session.close()
    await world.pass(60_000)
    expect(leftovers(world)).toEqual([])
  })
})
