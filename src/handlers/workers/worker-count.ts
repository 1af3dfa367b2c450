// How many processes serve the port. Used by serve() and the command line.
import { availableParallelism } from 'node:os'
import { MAX_WORKERS } from './limits.ts'

/** @throws RangeError for what is neither `auto` nor a number from 1 to MAX_WORKERS */
export function workerCount(workers: number | 'auto' = 1): number {
  if (workers === 'auto') return Math.min(availableParallelism(), MAX_WORKERS)
  if (Number.isInteger(workers) && workers >= 1 && workers <= MAX_WORKERS) return workers
  throw new RangeError(`workers is a number from 1 to ${MAX_WORKERS}, or auto, not ${workers}`)
}
