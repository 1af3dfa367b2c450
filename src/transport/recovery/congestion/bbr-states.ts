// The states of BBR with their gains (draft-cardwell-iccrg-bbr-congestion-control-02, table in section 4.6.1).
import * as constant from './bbr-constants.ts'

export const BbrState = { startup: 0, drain: 1, down: 2, cruise: 3, refill: 4, up: 5, probeRtt: 6 } as const

/** Names of the draft in camelCase; index is a BbrState. */
export const STATE_NAME: readonly string[] = [
  'startup',
  'drain',
  'probeBwDown',
  'probeBwCruise',
  'probeBwRefill',
  'probeBwUp',
  'probeRtt',
]

export const PACING_GAIN: readonly number[] = [
  constant.STARTUP_PACING_GAIN,
  constant.DRAIN_PACING_GAIN,
  constant.DOWN_PACING_GAIN,
  constant.CRUISE_PACING_GAIN,
  constant.REFILL_PACING_GAIN,
  constant.UP_PACING_GAIN,
  1,
]

export const WINDOW_GAIN: readonly number[] = [
  constant.STARTUP_WINDOW_GAIN,
  constant.STARTUP_WINDOW_GAIN,
  constant.PROBE_BW_WINDOW_GAIN,
  constant.PROBE_BW_WINDOW_GAIN,
  constant.PROBE_BW_WINDOW_GAIN,
  constant.UP_WINDOW_GAIN,
  constant.PROBE_RTT_WINDOW_GAIN,
]
