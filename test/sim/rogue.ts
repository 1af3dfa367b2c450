// A peer that has the keys and sends nonsense: it changes frames before they are sealed, so that authentic packets
// carry what no sane peer sends. Its partner has to answer with an error, or not at all, and to stay whole.
import type { Aead, BackendSet } from '../../src/transport/crypto/index.ts'
import type { Random } from './random.ts'

/** Changes some bytes of [start, end). */
export type Mutation = (buffer: Uint8Array, start: number, end: number) => void

/** Flips one to three bits, sets a byte to a telling value, or repeats a piece of the packet elsewhere in it. */
export function randomMutation(random: Random): Mutation {
  return (buffer, start, end) => {
    const at = (): number => start + random.below(end - start)
    const kind = random.below(4)
    if (kind === 0) for (let i = random.below(3); i >= 0; i--) buffer[at()]! ^= 1 << random.below(8)
    else if (kind === 1) buffer[at()] = random.pick([0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff])
    else if (kind === 2) buffer[start] = random.below(0x20)
    else {
      const from = at()
      buffer.copyWithin(at(), from, Math.min(end, from + 1 + random.below(20)))
    }
  }
}

/**
 * Backends of a rogue peer.
 * @param isDue asked per packet; true = change this one before it is sealed
 */
export function rogueBackends(backends: BackendSet, isDue: () => boolean, mutate: Mutation): BackendSet {
  return {
    name: `rogue ${backends.name}`,
    preferredSuites: backends.preferredSuites,
    headerProtectorFor: (suite, key) => backends.headerProtectorFor(suite, key),
    aeadFor: (suite) => {
      const backend = backends.aeadFor(suite)
      return {
        name: backend.name,
        suites: backend.suites,
        createAead: (aeadSuite, key, iv) => rogueAead(backend.createAead(aeadSuite, key, iv), isDue, mutate),
      }
    },
  }
}

function rogueAead(aead: Aead, isDue: () => boolean, mutate: Mutation): Aead {
  return {
    seal(buffer, headerStart, payloadStart, payloadEnd, packetNumber) {
      if (payloadEnd > payloadStart && isDue()) mutate(buffer, payloadStart, payloadEnd)
      aead.seal(buffer, headerStart, payloadStart, payloadEnd, packetNumber)
    },
    open: (buffer, headerStart, payloadStart, end, packetNumber) =>
      aead.open(buffer, headerStart, payloadStart, end, packetNumber),
  }
}
