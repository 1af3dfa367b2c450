// Packetization layer path MTU discovery (RFC 8899, RFC 9000 sections 14.3 and 14.4): finds the largest datagram that
// the path carries by sending probes of PING and PADDING, and notices when it carries less. connection builds the
// probes and reports what became of packets.
//
//   base --[full datagrams sent]--> searching --[step too small, or the largest probed]--> complete
//     ^                                 ^------------[10 minutes]----------------------------'
//     '------------[black hole: only large packets vanish]-----------------------------------'
import {
  BASE_DATAGRAM_SIZE,
  BLACK_HOLE_BURSTS,
  BLACK_HOLE_PROBE_TIMEOUTS,
  FULL_DATAGRAMS_BEFORE_PROBING,
  MAX_MTU_PROBES,
  MTU_RAISE_TIME,
  MTU_SEARCH_STEP,
} from './limits.ts'

const MtuState = { disabled: 0, base: 1, searching: 2, complete: 3 } as const

const STATE_NAME = ['disabled', 'base', 'searching', 'complete'] as const

export class PathMtu {
  /** Largest datagram known to pass, bytes of UDP payload. */
  current = BASE_DATAGRAM_SIZE
  readonly counters = { probes: 0, probesLost: 0, blackHoles: 0 }
  #state: number
  readonly #onChange: (bytes: number) => void
  /** Never probed beyond, bytes: our setting and the peer's max_udp_payload_size. */
  #limit: number
  /** Smallest size that failed, or one more than the limit. */
  #tooLarge = 0
  /** Size of the probe on its way, 0 for none; its failures so far. */
  #probing = 0
  #size = 0
  #failures = 0
  #raiseAt = Number.POSITIVE_INFINITY
  #fullDatagrams = 0
  /** Largest packet number above base size that was acknowledged, and the losses since without another one. */
  #largestAcked = -1
  #bursts = 0
  #lastBurst = -1

  /**
   * @param isEnabled false stays at the base size for good
   * @param limit largest datagram to try, bytes
   * @param onChange the size of datagrams has changed
   */
  constructor(isEnabled: boolean, limit: number, onChange: (bytes: number) => void) {
    this.#onChange = onChange
    this.#limit = limit
    this.#state = isEnabled ? MtuState.base : MtuState.disabled
    this.#tooLarge = limit + 1
  }

  get state(): (typeof STATE_NAME)[number] {
    return STATE_NAME[this.#state]
  }

  /** RFC 9000 section 18.2: max_udp_payload_size of the peer bounds what it is sent. */
  setPeerLimit(bytes: number): void {
    this.#limit = Math.min(this.#limit, bytes)
    this.#tooLarge = Math.min(this.#tooLarge, this.#limit + 1)
  }

  /** A new path: everything known about the old one is void (RFC 9000 section 9.4, RFC 8899 section 5.3.2). */
  reset(): void {
    if (this.#state === MtuState.disabled) return
    this.#toBase()
  }

  /** A datagram as large as allowed has left: a connection that sends many of them gains by larger ones. */
  onFullDatagram(now: number): void {
    if (this.#state === MtuState.base) {
      if (++this.#fullDatagrams >= FULL_DATAGRAMS_BEFORE_PROBING) this.#search(now)
    } else if (this.#state === MtuState.complete && now >= this.#raiseAt) this.#search(now)
  }

  #search(now: number): void {
    this.#tooLarge = this.#limit + 1
    this.#state = MtuState.searching
    this.#failures = 0
    // Most paths carry the largest size at once (RFC 8899 section 5.3.2 leaves the order open).
    this.#size = this.#limit
    if (this.#limit <= this.current) this.#finish(now)
  }

  #finish(now: number): void {
    this.#state = MtuState.complete
    this.#raiseAt = now + MTU_RAISE_TIME
  }

  /** Size of the probe that should leave now, bytes; 0 for none. One probe is on its way at a time. */
  get probeSize(): number {
    return this.#state === MtuState.searching && this.#probing === 0 ? this.#size : 0
  }

  onProbeSent(bytes: number): void {
    this.#probing = bytes
    this.counters.probes++
  }

  onProbeAcked(bytes: number, now: number): void {
    // A black hole was found meanwhile: the probe belongs to another search.
    if (bytes !== this.#probing) return
    this.#probing = 0
    this.#failures = 0
    this.#set(bytes)
    this.#next(now)
  }

  onProbeLost(bytes: number, now: number): void {
    if (bytes !== this.#probing) return
    this.#probing = 0
    this.counters.probesLost++
    if (++this.#failures < MAX_MTU_PROBES) return
    this.#failures = 0
    this.#tooLarge = bytes
    this.#next(now)
  }

  #next(now: number): void {
    if (this.#tooLarge - this.current <= MTU_SEARCH_STEP) {
      this.#finish(now)
      return
    }
    this.#size = Math.floor((this.current + this.#tooLarge) / 2)
  }

  #set(bytes: number): void {
    if (bytes === this.current) return
    this.current = bytes
    this.#onChange(bytes)
  }

  // --- Black holes, RFC 8899 section 4.3 ---

  /** A packet above the base size has arrived: the path carries it. */
  onLargePacketAcked(packetNumber: number): void {
    if (packetNumber > this.#largestAcked) this.#largestAcked = packetNumber
    this.#bursts = 0
  }

  /** A packet above the base size is lost. When only such ones vanish, the path has come to carry less. */
  onLargePacketLost(packetNumber: number, now: number): void {
    if (packetNumber < this.#largestAcked || this.current === BASE_DATAGRAM_SIZE) return
    // Losses found at one time are one burst, which congestion explains as well.
    if (now === this.#lastBurst) return
    this.#lastBurst = now
    if (++this.#bursts >= BLACK_HOLE_BURSTS) this.#fallBack()
  }

  /** @param count probe timeouts in a row */
  onProbeTimeout(count: number): void {
    if (count >= BLACK_HOLE_PROBE_TIMEOUTS && this.current > BASE_DATAGRAM_SIZE) this.#fallBack()
  }

  #fallBack(): void {
    this.counters.blackHoles++
    this.#toBase()
  }

  #toBase(): void {
    this.#state = MtuState.base
    this.#fullDatagrams = 0
    this.#probing = 0
    this.#bursts = 0
    this.#set(BASE_DATAGRAM_SIZE)
  }
}
