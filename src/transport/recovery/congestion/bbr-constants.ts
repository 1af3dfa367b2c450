// The constants of BBR, with the section of draft-cardwell-iccrg-bbr-congestion-control-02 or what version 3 changed.

/** Sections 4.3.1 and 4.6.1: doubles the rate each round trip. */
export const STARTUP_PACING_GAIN = 2.77
export const STARTUP_WINDOW_GAIN = 2
/** Section 4.3.2. */
export const DRAIN_PACING_GAIN = 0.5
/** Section 4.6.1: pacing gains of the four phases of ProbeBW. */
export const DOWN_PACING_GAIN = 0.9
export const CRUISE_PACING_GAIN = 1
export const REFILL_PACING_GAIN = 1
export const UP_PACING_GAIN = 1.25
export const PROBE_BW_WINDOW_GAIN = 2
/** Version 3: a window with room for the queue that probing upwards builds. */
export const UP_WINDOW_GAIN = 2.25
/** Section 4.3.4. */
export const PROBE_RTT_WINDOW_GAIN = 0.5

/** Share of lost bytes per round trip that is tolerated (section 2.5). */
export const LOSS_THRESHOLD = 0.02
/** Reduction of the model per round with loss, as CUBIC's. */
export const BETA = 0.7
/** Share of inflight_hi that is left free for others. */
export const HEADROOM = 0.15
/** Packets in flight that keep acknowledgements coming (section 4.6.4.3). */
export const MIN_PIPE_PACKETS = 4
/** Section 4.6.2: paces one percent below the estimate, so that queues drain. */
export const PACING_MARGIN = 0.99

/** Section 4.3.1.2: growth that shows that the pipe is not full yet, and rounds without it until it is. */
export const FULL_GROWTH = 1.25
export const FULL_ROUNDS = 3
/** Version 3: separate losses in a round before Startup may end because of loss. */
export const STARTUP_LOSS_EVENTS = 6

/** Section 4.5.3.2 and 4.3.4, ms. */
export const MIN_RTT_FILTER = 10_000
export const PROBE_RTT_INTERVAL = 5_000
export const PROBE_RTT_DURATION = 200

/** Section 4.3.3.5.3: wait between bandwidth probes, ms, and rounds for coexistence with Reno. */
export const PROBE_WAIT = 2_000
export const PROBE_WAIT_SPREAD = 1_000
export const MAX_RENO_ROUNDS = 63
/** Doublings of the slope of inflight_hi. */
export const MAX_PROBE_UP_ROUNDS = 30

/** Rounds that one of the two slots of the aggregation filter covers: together the ten of section 4.5.5. */
export const EXTRA_ACKED_ROUNDS = 5

/** Section 4.6.3: largest unit sent at once, bytes; it is what the path's rate carries in one ms. */
export const MAX_SEND_QUANTUM = 65_536
