// Ticket keys and the memory of used tickets: RFC 8446 sections 4.6.1 and 8, and ways in which others were attacked.
import { describe, expect, it } from 'vitest'
import { BoxKey } from '../../../../src/transport/crypto/index.ts'
import { ReplayWindow, SessionTickets } from '../../../../src/transport/tls/index.ts'
import {
  MAX_REMEMBERED_TICKETS,
  REPLAY_WINDOW,
  TICKET_KEY_PERIOD,
} from '../../../../src/transport/tls/limits.ts'
import { GivenTicketKeys, RotatingTicketKeys } from '../../../../src/transport/tls/ticket-keys.ts'
import { seededEntropy } from './loopback.ts'

const entropy = seededEntropy(8)
const secret = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill)

describe('sealed boxes', () => {
  const key = new BoxKey(secret(1), 'test')
  const text = Buffer.from('something of ours')

  it('open with their own key only', () => {
    const box = key.seal(text, entropy)
    expect(Buffer.from(key.open(box)!).toString()).toBe('something of ours')
    expect(new BoxKey(secret(2), 'test').open(box)).toBeUndefined()
    expect(new BoxKey(secret(1), 'another purpose').open(box)).toBeUndefined()
    expect(Buffer.from(box).includes(text)).toBe(false)
  })

  it('are never the same twice', () => {
    expect(key.seal(text, entropy)).not.toEqual(key.seal(text, entropy))
  })

  it('do not open when any byte has changed or is missing', () => {
    const box = key.seal(text, entropy)
    for (let at = 0; at < box.length; at++) {
      const changed = new Uint8Array(box)
      changed[at]! ^= 0x80
      expect(key.open(changed), `byte ${at}`).toBeUndefined()
      expect(key.open(box.subarray(0, at))).toBeUndefined()
    }
  })
})

describe('keys of our own', () => {
  it('change every period; a ticket opens for a day, and not for ever', () => {
    const keys = new RotatingTicketKeys(entropy)
    const ticket = keys.current(0).seal(secret(9), entropy)
    expect(keys.current(TICKET_KEY_PERIOD - 1).owns(ticket)).toBe(true)
    expect(keys.current(TICKET_KEY_PERIOD).owns(ticket)).toBe(false)
    expect(keys.find(ticket, 2 * TICKET_KEY_PERIOD)?.open(ticket)).toEqual(secret(9))
    expect(keys.find(ticket, 3 * TICKET_KEY_PERIOD)).toBeUndefined()
  })
})

describe('a ring from outside', () => {
  it.each<[string, Uint8Array[]]>([
    ['is empty', []],
    ['has a key that is all zero (CVE-2020-13777)', [secret(0)]],
    ['has a zero key behind a good one', [secret(1), secret(0)]],
    ['has a short key', [secret(1, 31)]],
    ['has more keys than anybody needs', Array.from({ length: 17 }, (_, index) => secret(index + 1))],
  ])('is refused at once when it %s', (_what, ring) => {
    expect(() => new GivenTicketKeys(ring)).toThrow(RangeError)
    expect(() => new SessionTickets({ entropy, now: () => 0, keys: ring })).toThrow(RangeError)
  })

  it('is read anew when it has changed', () => {
    let ring = [secret(1)]
    const keys = new GivenTicketKeys(() => ring)
    const ticket = keys.current().seal(secret(9), entropy)
    ring = [secret(2), secret(1)]
    expect(keys.current().owns(ticket)).toBe(false)
    expect(keys.find(ticket)?.open(ticket)).toEqual(secret(9))
    ring = [secret(2)]
    expect(keys.find(ticket)).toBeUndefined()
  })
})

it.each([0, -1, 604_801, Number.NaN])(
  'a lifetime of %s s is refused (RFC 8446 section 4.6.1)',
  (lifetime) => {
    expect(() => new SessionTickets({ entropy, now: () => 0, lifetime })).toThrow(RangeError)
  },
)

describe('the memory of used tickets (RFC 8446 section 8.2)', () => {
  const id = (index: number): Uint8Array => Uint8Array.of(index >> 16, index >> 8, index)

  it('lets each ticket pass once for at least a whole window, whenever it came', () => {
    for (const start of [0, 1, REPLAY_WINDOW - 1, REPLAY_WINDOW]) {
      const memory = new ReplayWindow(entropy)
      memory.claim(id(1), 0)
      expect(memory.claim(id(2), start)).toBe(true)
      for (const later of [0, 1, REPLAY_WINDOW / 2, REPLAY_WINDOW]) {
        expect(memory.claim(id(2), start + later), `${start} + ${later}`).toBe(false)
      }
    }
  })

  it('does not grow: what is older than two windows is forgotten', () => {
    const memory = new ReplayWindow(entropy)
    for (let index = 0; index < 1000; index++) memory.claim(id(index), index * 1000)
    expect(memory.size).toBeLessThan((2 * REPLAY_WINDOW) / 1000 + 1)
  })

  it('refuses everything when it is full, until a window has passed: fail closed', () => {
    const memory = new ReplayWindow(entropy, 3)
    for (let index = 0; index < 3; index++) expect(memory.claim(id(index), 0)).toBe(true)
    expect(memory.claim(id(3), 0)).toBe(false)
    expect(memory.claim(id(0), REPLAY_WINDOW)).toBe(false)
    expect(memory.claim(id(3), REPLAY_WINDOW)).toBe(true)
    expect(MAX_REMEMBERED_TICKETS).toBeLessThanOrEqual(65_536)
  })

  it('keeps what it knows when the clock is set back', () => {
    const memory = new ReplayWindow(entropy)
    expect(memory.claim(id(1), 1_000_000)).toBe(true)
    expect(memory.claim(id(1), 0)).toBe(false)
  })
})
