// The keys that seal session tickets: of our own and rotating, or a ring from outside that several processes share.
// RFC 8446 section 4.6.1, RFC 5077 section 5.5. Used by SessionTickets.
import type { Entropy } from '../crypto/entropy.ts'
import { BoxKey } from '../crypto/secret-box.ts'
import { KEPT_TICKET_KEYS, MAX_TICKET_KEYS, MIN_TICKET_SECRET, TICKET_KEY_PERIOD } from './limits.ts'

const PURPOSE = 'quactor ticket'

/** Secrets of at least 32 random bytes, newest first: the first seals, all of them open. */
export type TicketSecrets = readonly Uint8Array[]

export interface TicketKeys {
  /** The key for new tickets. @param now wall-clock time, ms */
  current(now: number): BoxKey
  /** The key that a ticket names; undefined when there is none (any more). */
  find(ticket: Uint8Array, now: number): BoxKey | undefined
}

/** Keys made here; a new one every TICKET_KEY_PERIOD, old ones kept as long as their tickets may live. */
export class RotatingTicketKeys implements TicketKeys {
  readonly #entropy: Entropy
  #keys: BoxKey[] = []
  #madeAt = Number.NEGATIVE_INFINITY

  constructor(entropy: Entropy) {
    this.#entropy = entropy
  }

  current(now: number): BoxKey {
    this.#rotate(now)
    return this.#keys[0]
  }

  find(ticket: Uint8Array, now: number): BoxKey | undefined {
    this.#rotate(now)
    return this.#keys.find((key) => key.owns(ticket))
  }

  #rotate(now: number): void {
    if (now < this.#madeAt + TICKET_KEY_PERIOD) return
    const secret = new Uint8Array(MIN_TICKET_SECRET)
    this.#entropy.fill(secret)
    this.#keys = [new BoxKey(secret, PURPOSE), ...this.#keys].slice(0, KEPT_TICKET_KEYS)
    this.#madeAt = now
  }
}

/** A ring from outside: a list, or a function that gives the list of the moment. */
export class GivenTicketKeys implements TicketKeys {
  readonly #secrets: TicketSecrets | (() => TicketSecrets)
  #known: TicketSecrets = []
  #keys: BoxKey[] = []

  /** @throws RangeError for an empty or too long ring, short secrets, and secrets that are all zero */
  constructor(secrets: TicketSecrets | (() => TicketSecrets)) {
    this.#secrets = secrets
    this.#refresh()
  }

  current(): BoxKey {
    return this.#refresh()[0]
  }

  find(ticket: Uint8Array): BoxKey | undefined {
    return this.#refresh().find((key) => key.owns(ticket))
  }

  /** The keys of the moment; derived again only when the ring has changed. */
  #refresh(): BoxKey[] {
    const { length } = this.#keys
    const secrets = typeof this.#secrets === 'function' ? this.#secrets() : this.#secrets
    if (length > 0 && length === secrets.length && secrets.every((secret, i) => secret === this.#known[i])) {
      return this.#keys
    }
    checkSecrets(secrets)
    this.#known = [...secrets]
    this.#keys = secrets.map((secret) => new BoxKey(secret, PURPOSE))
    return this.#keys
  }
}

function checkSecrets(secrets: TicketSecrets): void {
  if (secrets.length === 0 || secrets.length > MAX_TICKET_KEYS) {
    throw new RangeError(`ticketKeys needs 1 to ${MAX_TICKET_KEYS} secrets`)
  }
  for (const secret of secrets) {
    if (secret.length < MIN_TICKET_SECRET) {
      throw new RangeError(`a ticket key needs at least ${MIN_TICKET_SECRET} bytes`)
    }
    // A key that was never filled in opens every ticket to everybody.
    if (secret.every((byte) => byte === 0)) throw new RangeError('a ticket key is all zero')
  }
}
