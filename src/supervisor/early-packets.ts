// 0-RTT packets that overtook the Initial packet of their connection (RFC 9001 section 4.6, RFC 9000 section 5.2.2:
// a server "MAY buffer a limited number of these packets in anticipation of a late-arriving Initial packet"). Owned by
// arrivals.ts; anybody can send such packets, so every number has a cap, and the oldest wait goes first.
import type { RemoteAddress } from '../transport/connection/index.ts'
import {
  EARLY_PACKET_TIME,
  MAX_EARLY_CONNECTIONS,
  MAX_EARLY_DATAGRAM_BYTES,
  MAX_EARLY_DATAGRAMS,
} from './limits.ts'

export interface EarlyDatagram {
  readonly bytes: Uint8Array
  readonly remote: RemoteAddress
  /** ECN field of its IP header: the peer compares our counts with what it sent (RFC 9000 section 13.4.2). */
  readonly ecn: number
}

interface Waiting {
  /** When the first of them came, ms. */
  readonly since: number
  readonly datagrams: EarlyDatagram[]
}

export class EarlyPackets {
  /** By the destination connection ID that the client chose; oldest first. */
  readonly #waiting = new Map<string, Waiting>()

  /** Connections whose Initial packet is awaited. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Keeps a copy of a datagram; false when there is no room for it. `now` in ms.
   * @param destination connection ID in its header
   */
  hold(destination: Uint8Array, datagram: Uint8Array, remote: RemoteAddress, now: number, ecn = 0): boolean {
    this.#forgetOld(now)
    if (datagram.length > MAX_EARLY_DATAGRAM_BYTES) return false
    const key = Buffer.from(destination).toString('latin1')
    let waiting = this.#waiting.get(key)
    if (waiting === undefined) {
      if (this.#waiting.size >= MAX_EARLY_CONNECTIONS) return false
      waiting = { since: now, datagrams: [] }
      this.#waiting.set(key, waiting)
    }
    if (waiting.datagrams.length >= MAX_EARLY_DATAGRAMS) return false
    waiting.datagrams.push({ bytes: new Uint8Array(datagram), remote, ecn })
    return true
  }

  /** Takes out what waited for the connection that now begins. `now` in ms. */
  take(destination: Uint8Array, now: number): readonly EarlyDatagram[] {
    this.#forgetOld(now)
    if (this.#waiting.size === 0) return []
    const key = Buffer.from(destination).toString('latin1')
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    return waiting?.datagrams ?? []
  }

  clear(): void {
    this.#waiting.clear()
  }

  #forgetOld(now: number): void {
    for (const [key, { since }] of this.#waiting) {
      if (now - since < EARLY_PACKET_TIME) return
      this.#waiting.delete(key)
    }
  }
}
