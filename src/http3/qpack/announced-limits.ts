// What our SETTINGS say about QPACK (RFC 9204 section 5), from what the user chose. Called by serve() and connect().
import {
  LARGEST_TABLE_CAPACITY,
  MAX_BLOCKED_STREAMS,
  MAX_TABLE_CAPACITY,
  MOST_BLOCKED_STREAMS,
} from '../limits.ts'
import type { QpackLimits } from './decoder.ts'

/**
 * Fills in the defaults.
 * @throws RangeError for anything but whole numbers up to 65,536 bytes and 1,024 streams
 */
export function qpackLimitsOf(wanted: Partial<QpackLimits> = {}): QpackLimits {
  const { maxTableCapacity = MAX_TABLE_CAPACITY, blockedStreams = MAX_BLOCKED_STREAMS } = wanted
  check('maxTableCapacity', maxTableCapacity, LARGEST_TABLE_CAPACITY)
  check('blockedStreams', blockedStreams, MOST_BLOCKED_STREAMS)
  return { maxTableCapacity, blockedStreams }
}

function check(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return
  throw new RangeError(`qpack.${name} must be a whole number from 0 to ${most}`)
}
