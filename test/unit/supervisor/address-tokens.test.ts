// Tokens of Retry packets and NEW_TOKEN frames, RFC 9000 sections 8.1.1 to 8.1.4.
import { describe, expect, it } from 'vitest'
import { AddressTokens } from '../../../src/supervisor/address-tokens.ts'
import { checkSecret } from '../../../src/supervisor/endpoint-secret.ts'
import { NEW_TOKEN_LIFETIME, RETRY_TOKEN_LIFETIME } from '../../../src/supervisor/limits.ts'
import { UsedTokens } from '../../../src/supervisor/used-tokens.ts'
import { Random, seededEntropy } from '../../sim/random.ts'

const PEER = { address: '192.0.2.1', port: 1234, family: 4 } as const
const OTHER_PORT = { ...PEER, port: 1235 }
const OTHER_ADDRESS = { ...PEER, address: '192.0.2.2' }
const FIRST = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)
const RETRY_ID = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)
const NOW = 1_800_000_000_000

function tokensOf(fill = 7): AddressTokens {
  return new AddressTokens(new Uint8Array(32).fill(fill), seededEntropy(new Random(fill)))
}

describe('a Retry token (RFC 9000 section 8.1.2)', () => {
  const tokens = tokensOf()
  const make = () => tokens.sealRetry(PEER, FIRST, RETRY_ID, NOW)

  it("gives back the client's first destination ID, once", () => {
    const token = make()
    expect(tokens.claimRetry(token, PEER, RETRY_ID, NOW + 100)).toEqual(FIRST)
    expect(tokens.claimRetry(token, PEER, RETRY_ID, NOW + 101)).toBeUndefined()
  })

  it.each([
    ['another address', OTHER_ADDRESS, RETRY_ID, 0],
    ['another port', OTHER_PORT, RETRY_ID, 0],
    ['another connection ID', PEER, FIRST, 0],
    ['after its lifetime', PEER, RETRY_ID, RETRY_TOKEN_LIFETIME + 1],
    ['before it was issued', PEER, RETRY_ID, -60_000],
  ] as const)('is worth nothing from or with %s, and is not used up by that', (_what, remote, id, later) => {
    const token = make()
    expect(tokens.claimRetry(token, remote, id, NOW + later)).toBeUndefined()
    expect(tokens.claimRetry(token, PEER, RETRY_ID, NOW)).toEqual(FIRST)
  })

  it('is worth nothing when a bit of it is changed, or a byte is missing', () => {
    const token = make()
    for (let i = 0; i < token.length; i++) {
      const forged = Uint8Array.from(token)
      forged[i] ^= 1 << (i % 8)
      expect(tokens.claimRetry(forged, PEER, RETRY_ID, NOW)).toBeUndefined()
      expect(tokens.claimRetry(token.subarray(0, i), PEER, RETRY_ID, NOW)).toBeUndefined()
    }
  })

  it('holds an address and IDs that nobody else can read', () => {
    const token = Buffer.from(make())
    expect(token.includes(FIRST)).toBe(false)
    expect(token.includes(RETRY_ID)).toBe(false)
    expect(make()).not.toEqual(make())
  })

  it('is known to an endpoint with the same secret, and to no other', () => {
    const token = make()
    expect(tokensOf(8).isRetry(token)).toBe(false)
    expect(tokensOf(8).claimRetry(token, PEER, RETRY_ID, NOW)).toBeUndefined()
    expect(tokensOf(7).isRetry(token)).toBe(true)
    expect(tokensOf(7).claimRetry(token, PEER, RETRY_ID, NOW)).toEqual(FIRST)
  })
})

describe('a token of a NEW_TOKEN frame (RFC 9000 sections 8.1.3 and 8.1.4)', () => {
  const tokens = tokensOf()
  const make = () => tokens.sealNewToken(PEER, NOW)

  it('proves its address from any port, once', () => {
    const token = make()
    expect(tokens.claimNewToken(token, OTHER_PORT, NOW + 3_600_000)).toBe(true)
    expect(tokens.claimNewToken(token, PEER, NOW + 3_600_001)).toBe(false)
  })

  it('proves nothing from another address, or after a day', () => {
    expect(tokens.claimNewToken(make(), OTHER_ADDRESS, NOW)).toBe(false)
    expect(tokens.claimNewToken(make(), PEER, NOW + NEW_TOKEN_LIFETIME + 1)).toBe(false)
    expect(tokens.claimNewToken(make(), PEER, NOW + NEW_TOKEN_LIFETIME)).toBe(true)
  })

  it('is not taken for a Retry token, nor the other way round (section 8.1.1)', () => {
    const retry = tokens.sealRetry(PEER, FIRST, RETRY_ID, NOW)
    expect(tokens.isRetry(make())).toBe(false)
    expect(tokens.claimRetry(make(), PEER, RETRY_ID, NOW)).toBeUndefined()
    expect(tokens.claimNewToken(retry, PEER, NOW)).toBe(false)
  })

  it.each([0, 1, 7, 8, 20, 35, 36, 58, 1_000])(
    'nothing follows from %i bytes of something else',
    (length) => {
      const bytes = new Uint8Array(length).fill(0x5a)
      expect(tokens.isRetry(bytes)).toBe(false)
      expect(tokens.claimNewToken(bytes, PEER, NOW)).toBe(false)
      expect(tokens.claimRetry(bytes, PEER, RETRY_ID, NOW)).toBeUndefined()
    },
  )
})

describe('the memory of used tokens', () => {
  const idOf = (value: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, value >> 8, value & 0xff)

  it('knows a token for its whole lifetime, wherever that falls', () => {
    for (let at = 0; at < 250; at += 10) {
      const used = new UsedTokens(100, 10)
      used.claim(idOf(1_000), 0)
      expect(used.claim(idOf(1), at)).toBe(true)
      expect(used.claim(idOf(1), at + 99)).toBe(false)
    }
  })

  it('is bounded, refuses what it cannot remember, and recovers', () => {
    const used = new UsedTokens(100, 3)
    expect([1, 2, 3, 4].map((id) => used.claim(idOf(id), 0))).toEqual([true, true, true, false])
    expect([5, 6, 7, 8].map((id) => used.claim(idOf(id), 150))).toEqual([true, true, true, false])
    expect(used.size).toBe(6)
    expect(used.claim(idOf(9), 10_000)).toBe(true)
    expect(used.size).toBe(1)
  })
})

it('a secret that anybody could guess is refused (CVE-2020-13777)', () => {
  expect(() => checkSecret(new Uint8Array(32))).toThrow(RangeError)
  expect(() => checkSecret(new Uint8Array(31).fill(1))).toThrow(RangeError)
  expect(() => checkSecret(new Uint8Array(32).fill(1))).not.toThrow()
})

describe('tokens of several workers with one secret', () => {
  const secret = new Uint8Array(32).fill(7)
  const workerTokens = (index: number, since = NOW): AddressTokens =>
    new AddressTokens(secret, seededEntropy(new Random(index + 1)), { index, since })

  it('a NEW_TOKEN token is good at its own worker only', () => {
    const [first, second] = [workerTokens(0), workerTokens(1)]
    const token = second.sealNewToken(PEER, NOW)
    expect(first.claimNewToken(token, PEER, NOW)).toBe(false)
    expect(second.claimNewToken(token, PEER, NOW)).toBe(true)
    expect(second.claimNewToken(token, PEER, NOW)).toBe(false)
  })

  it('a restarted worker takes no token of its forerunner, which may have been used', () => {
    const before = workerTokens(1)
    const [token, retry] = [
      before.sealNewToken(PEER, NOW + 5),
      before.sealRetry(PEER, FIRST, RETRY_ID, NOW + 5),
    ]
    const after = workerTokens(1, NOW + 10)
    expect(after.claimNewToken(token, PEER, NOW + 20)).toBe(false)
    expect(after.claimRetry(retry, PEER, RETRY_ID, NOW + 20)).toBeUndefined()
    expect(after.claimNewToken(after.sealNewToken(PEER, NOW + 10), PEER, NOW + 20)).toBe(true)
  })

  it('tokens of a server without workers are none of theirs', () => {
    const token = tokensOf().sealNewToken(PEER, NOW)
    expect(workerTokens(0).claimNewToken(token, PEER, NOW)).toBe(false)
    expect(tokensOf().claimNewToken(workerTokens(0).sealNewToken(PEER, NOW), PEER, NOW)).toBe(false)
  })
})
