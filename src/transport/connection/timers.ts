// All timers of a connection in one array; the next timeout is its minimum. Absolute milliseconds of the caller's
// clock, Infinity when unarmed. Loss detection and delayed ACKs keep their own times in recovery.

export const TimerKind = {
  idle: 0,
  handshake: 1,
  drain: 2,
  pacing: 3,
  keyDiscard: 4,
  earlyKeyDiscard: 5,
  path: 6,
  keepAlive: 7,
} as const

export class Timers {
  readonly #times = new Float64Array(8).fill(Number.POSITIVE_INFINITY)

  set(kind: number, at: number): void {
    this.#times[kind] = at
  }

  clear(kind: number): void {
    this.#times[kind] = Number.POSITIVE_INFINITY
  }

  clearAll(): void {
    this.#times.fill(Number.POSITIVE_INFINITY)
  }

  isExpired(kind: number, now: number): boolean {
    return this.#times[kind] <= now
  }

  isArmed(kind: number): boolean {
    return this.#times[kind] !== Number.POSITIVE_INFINITY
  }

  get next(): number {
    const times = this.#times
    return Math.min(times[0], times[1], times[2], times[3], times[4], times[5], times[6], times[7])
  }

  get armed(): number {
    let count = 0
    for (const time of this.#times) if (time !== Number.POSITIVE_INFINITY) count++
    return count
  }
}
