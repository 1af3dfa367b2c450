// Seeded randomness of the simulator: one generator per concern (network, workload, entropy), so that a
// change in how often one of them draws does not shift the others. Used by everything in this folder and in test/sim.
import type { Entropy } from '../../transport/crypto/entropy.ts'

/** A small fast generator of 32-bit numbers (xoshiro128** with a splitmix32 seed). */
export class Random {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any integer; only its low 32 bits count */
  constructor(seed: number) {
    this.seed = seed >>> 0
    let state = this.seed
    const mix = (): number => {
      state = (state + 0x9e3779b9) >>> 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return (z ^ (z >>> 16)) >>> 0
    }
    this.#a = mix()
    this.#b = mix()
    this.#c = mix()
    this.#d = mix() | 1
  }

  /** The next 32 random bits as an unsigned number. */
  bits(): number {
    const spread = Math.imul(this.#b, 5)
    const result = Math.imul((spread << 7) | (spread >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** A float in [0, 1). */
  float(): number {
    return this.bits() / 0x1_0000_0000
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.float() * limit)
  }

  /** A float in [low, high). */
  between(low: number, high: number): number {
    return low + this.float() * (high - low)
  }

  /** An integer in [low, high] whose logarithm is evenly spread: small values are as likely as large ones. */
  logarithmic(low: number, high: number): number {
    return Math.min(high, Math.floor(low * ((high + 1) / low) ** this.float()))
  }

  chance(probability: number): boolean {
    return this.float() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** An independent generator whose sequence depends on this seed and `label` only, not on draws made so far. */
  fork(label: string): Random {
    let hash = this.seed ^ 0x811c9dc5
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193)
    return new Random(hash)
  }
}

/** The random source for a connection under test: as repeatable as the seed. */
export function seededEntropy(random: Random): Entropy {
  return {
    fill(bytes: Uint8Array): void {
      for (let i = 0; i < bytes.length; i += 4) {
        const word = random.bits()
        for (let j = 0; j < 4 && i + j < bytes.length; j++) bytes[i + j] = word >>> (8 * j)
      }
    },
  }
}
