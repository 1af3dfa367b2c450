// What a simulated network does to datagrams: the dice of one direction. Used by network.ts and worlds.
import type { Random } from './random.ts'

/** One direction of a path. Probabilities are per datagram; times are ms. */
export interface LinkProfile {
  /** Probability that a datagram vanishes. */
  loss: number
  /** After so many in a row one is let through. */
  lossBurst: number
  /** Fixed propagation delay, ms. */
  delay: number
  /** Added to the delay, uniform in [0, jitter), ms; does not reorder by itself. */
  jitter: number
  /** Probability that a datagram is held back by up to `reorderDelay` and so overtaken by later ones. */
  reorder: number
  /** Longest time that a datagram is held back, ms. */
  reorderDelay: number
  /** Probability that a datagram arrives twice. */
  duplicate: number
  /** Probability that one to four of a datagram's bits are flipped. */
  corrupt: number
  /** When finite, one byte among the first so many is replaced instead of bits anywhere: what hits headers. */
  corruptWithin: number
  /** After so many corrupted ones in a row one is let through. */
  corruptBurst: number
  /** Bottleneck in bytes per ms; Infinity = none. */
  rate: number
  /** Queue in front of the bottleneck in bytes: what does not fit is dropped. */
  queue: number
  /** Datagrams that wait in it, besides the one that is being sent; Infinity = only the bytes count. */
  queuePackets: number
  /** Largest datagram that passes, bytes of UDP payload. */
  mtu: number
}

export const PERFECT_LINK: Readonly<LinkProfile> = {
  loss: 0,
  lossBurst: Number.POSITIVE_INFINITY,
  delay: 10,
  jitter: 0,
  reorder: 0,
  reorderDelay: 0,
  duplicate: 0,
  corrupt: 0,
  corruptWithin: Number.POSITIVE_INFINITY,
  corruptBurst: Number.POSITIVE_INFINITY,
  rate: Number.POSITIVE_INFINITY,
  queue: Number.POSITIVE_INFINITY,
  queuePackets: Number.POSITIVE_INFINITY,
  mtu: 1472,
}

/**
 * Draws a hostile but usable direction.
 * @param maxLoss upper end of the loss probability (0.2 = 20 %); the drawn one is uniform below it
 */
export function randomLink(random: Random, maxLoss: number): LinkProfile {
  const narrow = random.chance(0.25)
  return {
    ...PERFECT_LINK,
    loss: random.float() * maxLoss,
    delay: random.logarithmic(1, 120),
    jitter: random.chance(0.5) ? random.between(0, 20) : 0,
    reorder: random.chance(0.5) ? random.between(0, 0.1) : 0,
    reorderDelay: random.between(1, 60),
    duplicate: random.chance(0.4) ? random.between(0, 0.05) : 0,
    corrupt: random.chance(0.4) ? random.between(0, 0.03) : 0,
    rate: narrow ? random.between(100, 2_000) : Number.POSITIVE_INFINITY,
    queue: narrow ? random.between(20_000, 100_000) : Number.POSITIVE_INFINITY,
  }
}
