// A server's session tickets: everything that a resumed handshake needs, sealed and handed to the client, so that
// nothing is kept here (RFC 8446 sections 4.6.1 and 8). One per server, shared by all its connections; TlsServer asks
// it in every handshake.
import type { Entropy } from '../crypto/entropy.ts'
import { digest } from '../crypto/key-schedule.ts'
import { boxNonce } from '../crypto/secret-box.ts'
import { type AntiReplay, ReplayWindow } from './anti-replay.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { EARLY_DATA_FRESHNESS, MAX_TICKET_LIFETIME, TICKET_LIFETIME } from './limits.ts'
import { GivenTicketKeys, RotatingTicketKeys, type TicketKeys, type TicketSecrets } from './ticket-keys.ts'

export interface SessionTicketOptions {
  readonly entropy: Entropy
  /** Wall-clock time, ms: processes that share keys must agree on it within seconds. */
  readonly now: () => number
  /** Absent: keys of our own, which rotate and die with the process. */
  readonly keys?: TicketSecrets | (() => TicketSecrets) | undefined
  /** Lets clients send early data (0-RTT) with a ticket; off by default: early data can be replayed. */
  readonly earlyData?: boolean | undefined
  /** The memory of used tickets; one of our own when absent. */
  readonly antiReplay?: AntiReplay | undefined
  /** What the application promised (SETTINGS of HTTP/3): early data is refused when it has changed. */
  readonly applicationState?: Uint8Array | undefined
  /** Seconds, at most a week. */
  readonly lifetime?: number | undefined
}

/** What a ticket remembers. */
export interface TicketState {
  readonly suite: number
  readonly psk: Uint8Array
  readonly ageAdd: number
  /** Wall-clock time, ms. */
  readonly issuedAt: number
  /** Hash of what the session belongs to: server name, protocol, client authentication, QUIC version. */
  readonly binding: Uint8Array
  /** Transport limits that early data may rely on; opaque here. */
  readonly transportState: Uint8Array
  readonly allowsEarlyData: boolean
}

/** A ticket that was opened, with what is needed to judge early data. */
export interface OpenedTicket extends TicketState {
  /** What no other ticket has. */
  readonly id: Uint8Array
  /** Name of the memory of used tickets under which it was issued, and the promises of the application then. */
  readonly issuer: Uint8Array
  readonly applicationState: Uint8Array
}

const FORMAT = 1
const HASH_LENGTH = 32
const EMPTY = new Uint8Array(0)

export class SessionTickets {
  /** Seconds. */
  readonly lifetime: number
  readonly allowsEarlyData: boolean
  readonly antiReplay: AntiReplay
  readonly #entropy: Entropy
  readonly #now: () => number
  readonly #keys: TicketKeys
  readonly #applicationState: Uint8Array

  /** @throws RangeError for keys that cannot be used, or a lifetime beyond a week */
  constructor(options: SessionTicketOptions) {
    const { entropy, keys, lifetime = TICKET_LIFETIME } = options
    if (!(lifetime > 0 && lifetime <= MAX_TICKET_LIFETIME)) {
      throw new RangeError(`a ticket lives 1 to ${MAX_TICKET_LIFETIME} seconds`)
    }
    this.lifetime = lifetime
    this.allowsEarlyData = options.earlyData === true
    this.antiReplay = options.antiReplay ?? new ReplayWindow(entropy)
    this.#entropy = entropy
    this.#now = options.now
    this.#keys = keys === undefined ? new RotatingTicketKeys(entropy) : new GivenTicketKeys(keys)
    this.#applicationState = digest('sha256', options.applicationState ?? EMPTY)
  }

  /** Seals a new ticket. */
  issue(state: Omit<TicketState, 'issuedAt' | 'allowsEarlyData'>): Uint8Array {
    const now = this.#now()
    return this.#keys.current(now).seal(this.#encode(state, now), this.#entropy)
  }

  #encode(state: Omit<TicketState, 'issuedAt' | 'allowsEarlyData'>, now: number): Uint8Array {
    const issuedAt = Math.floor(now)
    const writer = new ByteWriter(256)
    writer.writeUint8(FORMAT)
    writer.writeUint16(state.suite)
    writer.writeUint16(Math.floor(issuedAt / 2 ** 32))
    writer.writeUint32(issuedAt >>> 0)
    writer.writeUint32(state.ageAdd)
    writer.writeVector8(state.psk)
    writer.writeBytes(state.binding)
    writer.writeUint8(this.allowsEarlyData ? 1 : 0)
    writer.writeVector8(this.antiReplay.id)
    writer.writeBytes(this.#applicationState)
    writer.writeVector16(state.transportState)
    return writer.finish()
  }

  /** Opens a ticket; undefined when it is not ours, its key is gone, or it has expired. */
  open(ticket: Uint8Array): OpenedTicket | undefined {
    const now = this.#now()
    const plaintext = this.#keys.find(ticket, now)?.open(ticket)
    if (plaintext === undefined || plaintext[0] !== FORMAT) return undefined
    const state = decode(plaintext, new Uint8Array(boxNonce(ticket)))
    const age = now - state.issuedAt
    // RFC 8446 section 4.2.11.1: a ticket is not used beyond its lifetime, whatever the client says of its age.
    return age < this.lifetime * 1000 && age > -EARLY_DATA_FRESHNESS ? state : undefined
  }

  /**
   * Whether early data sent with a ticket may be accepted as far as the ticket goes: allowed, fresh, and not used
   * before (RFC 8446 sections 8.1 to 8.3). A ticket for which this is true once is used up.
   * @param obfuscatedAge of the client's offer, ms
   */
  claimEarlyData(ticket: OpenedTicket, obfuscatedAge: number): boolean {
    if (!this.allowsEarlyData || !ticket.allowsEarlyData) return false
    if (!sameBytes(ticket.issuer, this.antiReplay.id)) return false
    if (!sameBytes(ticket.applicationState, this.#applicationState)) return false
    const now = this.#now()
    const claimedAge = (obfuscatedAge - ticket.ageAdd) >>> 0
    if (Math.abs(now - ticket.issuedAt - claimedAge) > EARLY_DATA_FRESHNESS) return false
    return this.antiReplay.claim(ticket.id, now)
  }
}

function decode(plaintext: Uint8Array, id: Uint8Array): OpenedTicket {
  const reader = new ByteReader(plaintext, 1)
  const suite = reader.readUint16()
  const issuedAt = reader.readUint16() * 2 ** 32 + reader.readUint32()
  return {
    id,
    suite,
    issuedAt,
    ageAdd: reader.readUint32(),
    psk: reader.readVector8(),
    binding: reader.readBytes(HASH_LENGTH),
    allowsEarlyData: reader.readUint8() === 1,
    issuer: reader.readVector8(),
    applicationState: reader.readBytes(HASH_LENGTH),
    transportState: reader.readVector16(),
  }
}

/** What a session belongs to. A ticket is good only where all of this is the same. */
export interface SessionScope {
  readonly serverName: string | undefined
  readonly alpn: string
  readonly clientAuthentication: string
  readonly version: number
}

/** A hash of the scope; the parts are kept apart by their lengths. */
export function bindingOf({ serverName, alpn, clientAuthentication, version }: SessionScope): Uint8Array {
  return digest(
    'sha256',
    Buffer.from(JSON.stringify([serverName ?? '', alpn, clientAuthentication, version])),
  )
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
