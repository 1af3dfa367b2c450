// Chooses a congestion controller by the name in the transport settings. Called by connection.
import type { CongestionController } from './controller.ts'
import { Cubic } from './cubic.ts'
import { NewReno } from './new-reno.ts'

export type CongestionAlgorithm = 'cubic' | 'newReno'

/**
 * @param algorithm which controller
 * @param maxDatagramSize bytes
 */
export function createCongestionController(
  algorithm: CongestionAlgorithm,
  maxDatagramSize: number,
): CongestionController {
  return algorithm === 'newReno' ? new NewReno(maxDatagramSize) : new Cubic(maxDatagramSize)
}
