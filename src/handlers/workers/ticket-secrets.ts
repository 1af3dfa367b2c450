// The keys of session tickets of a server with several workers: each opens the tickets of all. Made and rotated by the
// process that supervises them, unless the program brings its own (RFC 5077 section 5.5). Used by workers-server.ts.
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import { systemEntropy } from '../../transport/io/entropy.ts'
import type { TicketSecrets } from '../../transport/tls/index.ts'
import { KEPT_TICKET_KEYS, MIN_TICKET_SECRET, TICKET_KEY_PERIOD } from '../../transport/tls/limits.ts'

export class RotatingSecrets {
  readonly #clock: Clock
  readonly #announce: (secrets: TicketSecrets) => void
  #secrets: TicketSecrets = []
  #timer: TimerHandle | undefined

  /** @param announce is told each new ring, but the first */
  constructor(clock: Clock, announce: (secrets: TicketSecrets) => void) {
    this.#clock = clock
    this.#announce = announce
    this.#rotate()
  }

  /** Newest first. */
  get current(): TicketSecrets {
    return this.#secrets
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #rotate(): void {
    const secret = new Uint8Array(MIN_TICKET_SECRET)
    systemEntropy().fill(secret)
    this.#secrets = [secret, ...this.#secrets].slice(0, KEPT_TICKET_KEYS)
    this.#timer = this.#clock.setTimer(this.#clock.now() + TICKET_KEY_PERIOD, () => {
      this.#rotate()
      this.#announce(this.#secrets)
    })
  }
}
