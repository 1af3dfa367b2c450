import { describe, expect, it } from 'vitest'
import { ConnectionIds, ResetTokens } from '../../../src/supervisor/connection-ids.ts'
import type { QuicConnection } from '../../../src/transport/connection/index.ts'
import { Random, seededEntropy } from '../../sim/random.ts'

const CONNECTION = undefined as unknown as QuicConnection
const secret = new Uint8Array(32).fill(7)

function newIds(): ConnectionIds<string> {
  return new ConnectionIds<string>(seededEntropy(new Random(1)), new ResetTokens(secret))
}

describe('routing by connection ID (RFC 9000 section 5.2)', () => {
  it('an issued ID leads to its connection until it is retired', () => {
    const ids = newIds()
    const source = ids.sourceFor('a')
    const { bytes } = source.issue(CONNECTION)
    const packet = Uint8Array.of(0x40, ...bytes)
    expect(ids.find(packet, 1)).toBe('a')
    source.retire(bytes)
    expect(ids.find(packet, 1)).toBeUndefined()
    expect(ids.size).toBe(0)
  })

  it("a source cannot retire another connection's ID", () => {
    const ids = newIds()
    const { bytes } = ids.sourceFor('a').issue(CONNECTION)
    ids.sourceFor('b').retire(bytes)
    expect(ids.find(bytes, 0)).toBe('a')
  })

  it('retireAll leaves nothing behind', () => {
    const ids = newIds()
    const source = ids.sourceFor('a')
    for (let index = 0; index < 5; index++) source.issue(CONNECTION)
    expect(ids.size).toBe(5)
    source.retireAll()
    expect(ids.size).toBe(0)
  })

  it('an ID whose routing key is taken is drawn again', () => {
    const draws = [1, 1, 2]
    const entropy = { fill: (bytes: Uint8Array) => void bytes.fill(draws.shift()!) }
    const ids = new ConnectionIds<string>(entropy, new ResetTokens(secret))
    const source = ids.sourceFor('a')
    expect(source.issue(CONNECTION).bytes[0]).toBe(1)
    expect(source.issue(CONNECTION).bytes[0]).toBe(2)
  })

  it('IDs of first flights have any length, and their length counts', () => {
    const ids = newIds()
    const first = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0)
    ids.addFirstFlight(first, 'a')
    const packet = new Uint8Array(20)
    expect(ids.findFirstFlight(packet, 3, 8)).toBe('a')
    expect(ids.findFirstFlight(packet, 3, 9)).toBeUndefined()
    ids.removeFirstFlight(first)
    expect(ids.size).toBe(0)
  })
})

describe('stateless reset tokens (RFC 9000 section 10.3.2)', () => {
  it('depend on the secret and the ID alone', () => {
    const token = (seed: number, id: number): string =>
      Buffer.from(
        new ResetTokens(new Uint8Array(32).fill(seed)).tokenFor(new Uint8Array(8).fill(id)),
      ).toString('hex')
    expect(token(1, 1)).toBe(token(1, 1))
    expect(token(1, 1)).toHaveLength(32)
    expect(new Set([token(1, 1), token(2, 1), token(1, 2)]).size).toBe(3)
  })

  it('no ID is the beginning of a token: they come from different sources (CVE-2026-50009)', () => {
    const ids = newIds()
    const source = ids.sourceFor('a')
    const issued = Array.from({ length: 1_000 }, () => source.issue(CONNECTION))
    const tokens = new Set(
      issued.map(({ statelessResetToken }) =>
        Buffer.from(statelessResetToken.subarray(0, 8)).toString('hex'),
      ),
    )
    expect(issued.some(({ bytes }) => tokens.has(Buffer.from(bytes).toString('hex')))).toBe(false)
  })
})
