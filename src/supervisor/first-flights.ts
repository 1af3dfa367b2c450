// What becomes of a client's first flight before there is a connection: 0-RTT packets that came too early wait, and with
// several workers a flight with early data is led to the worker that can judge it. A part of arrivals.ts.
import type { RemoteAddress } from '../transport/connection/index.ts'
import { type PacketHeader, PacketType } from '../transport/wire/index.ts'
import type { AddressValidation } from './address-validation.ts'
import { type EarlyDatagram, EarlyPackets } from './early-packets.ts'
import type { HandOver } from './hand-over.ts'
import { MIN_FIRST_CONNECTION_ID } from './limits.ts'

export class FirstFlights {
  readonly #early = new EarlyPackets()
  readonly #handOver: HandOver | undefined
  readonly #addresses: AddressValidation

  constructor(handOver: HandOver | undefined, addresses: AddressValidation) {
    this.#handOver = handOver
    this.#addresses = addresses
  }

  /** Keeps a 0-RTT packet for its Initial packet; false for anything else. `now` in ms. */
  hold(
    header: PacketHeader,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
    now: number,
  ): boolean {
    const { type, dcidStart, dcidLength } = header
    if (type !== PacketType.zeroRtt || dcidLength < MIN_FIRST_CONNECTION_ID) return false
    const destination = buffer.subarray(dcidStart, dcidStart + dcidLength)
    return this.#early.hold(destination, buffer.subarray(start, end), remote, now, ecn)
  }

  /** Takes out what waited for the connection that now begins. `now` in ms. */
  take(destination: Uint8Array, now: number): readonly EarlyDatagram[] {
    return this.#early.take(destination, now)
  }

  clear(): void {
    this.#early.clear()
  }

  /**
   * Leads the flight that an Initial packet begins to the worker whose token it bears, with all that has come of it.
   * @param socket number of the socket that it came by
   * @returns false when it stays here
   */
  lead(
    header: PacketHeader,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    socket: number,
    ecn: number,
    now: number,
  ): boolean {
    const handOver = this.#handOver
    if (handOver === undefined) return false
    const { dcidStart, dcidLength, tokenStart, tokenLength } = header
    const home = this.#addresses.homeOf(buffer.subarray(tokenStart, tokenStart + tokenLength))
    const destination = buffer.subarray(dcidStart, dcidStart + dcidLength)
    const isLed =
      home !== undefined && handOver.lead(home, destination, buffer, start, end, remote, socket, ecn, now)
    if (!isLed) return false
    for (const { bytes, remote: from, ecn: mark } of this.#early.take(destination, now)) {
      handOver.take(bytes, 0, bytes.length, from, socket, mark, now)
    }
    return true
  }
}
