// Chooses a congestion controller by the name in the transport settings. Called by connection.
import type { Entropy } from '../../crypto/entropy.ts'
import { Bbr } from './bbr.ts'
import type { CongestionController } from './controller.ts'
import { Cubic } from './cubic.ts'
import { NewReno } from './new-reno.ts'

export type CongestionAlgorithm = 'cubic' | 'newReno' | 'bbr'

/**
 * @param algorithm which controller
 * @param maxDatagramSize bytes
 * @param entropy spreads BBR's probes of flows that started together; without it they are evenly spaced
 */
export function createCongestionController(
  algorithm: CongestionAlgorithm,
  maxDatagramSize: number,
  entropy?: Entropy,
): CongestionController {
  if (algorithm === 'newReno') return new NewReno(maxDatagramSize)
  if (algorithm === 'cubic') return new Cubic(maxDatagramSize)
  if (entropy === undefined) return new Bbr(maxDatagramSize)
  const bytes = new Uint8Array(2)
  return new Bbr(maxDatagramSize, () => {
    entropy.fill(bytes)
    return ((bytes[0] << 8) | bytes[1]) / 65_536
  })
}
