// Moves datagrams between one tunnel and one UDP socket (RFC 9298 section 5): context 0 carries UDP payloads, others mean
// nothing here. Made per request by udp-proxy.ts.
import type { RemoteAddress } from '../../transport/connection/index.ts'
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import type { RelayEvents, RelaySocket } from '../../transport/io/relay-socket.ts'
import { readContextId, withContextId } from '../../tunnels/udp-payload.ts'
import type { DatagramTunnel } from '../exchange.ts'

/** How a relay ended: `broken` resets the tunnel. */
export type RelayEnd = 'ended' | 'broken'

/** Datagrams of one tunnel, or of all. */
export interface RelayCounts {
  /** Passed on to the target, and to the client. */
  toTarget: number
  toClient: number
  /** Dropped: too large for the path of the client. */
  tooLarge: number
  /** Dropped: of another context than 0. */
  unknownContext: number
  /** Dropped: too many wait for the kernel. */
  queueFull: number
}

export function noCounts(): RelayCounts {
  return { toTarget: 0, toClient: 0, tooLarge: 0, unknownContext: 0, queueFull: 0 }
}

/** What watches for silence. */
export interface IdleWatch {
  readonly over: Promise<RelayEnd>
  stop(): void
}

export class UdpRelay implements RelayEvents {
  readonly counts = noCounts()
  /** The address that is talked to. */
  target: RemoteAddress | undefined
  readonly #totals: RelayCounts
  readonly #end = Promise.withResolvers<RelayEnd>()
  #tunnel: DatagramTunnel | undefined
  #activity = 0
  #clock: Clock | undefined

  /** @param totals counted along */
  constructor(totals: RelayCounts) {
    this.#totals = totals
  }

  /** Passes datagrams on until the socket fails or the client breaks the rules. */
  join(tunnel: DatagramTunnel, socket: RelaySocket): Promise<RelayEnd> {
    this.#tunnel = tunnel
    tunnel.onDatagram = (datagram) => this.#toTarget(datagram, socket)
    return this.#end.promise
  }

  /** From the target to the client. What does not fit is dropped, as on any path (RFC 9298 section 6). */
  handleMessage(payload: Uint8Array): void {
    const tunnel = this.#tunnel
    if (tunnel === undefined) return
    this.#touch()
    if (payload.length + 1 > tunnel.maxPayload) this.#count('tooLarge')
    else {
      this.#count('toClient')
      tunnel.send(withContextId(payload))
    }
  }

  handleFailure(): void {
    this.#end.resolve('broken')
  }

  /** Resolves when nothing has passed for `timeout` ms. */
  watchIdle(clock: Clock, timeout: number): IdleWatch {
    this.#clock = clock
    this.#touch()
    const over = Promise.withResolvers<RelayEnd>()
    let timer: TimerHandle
    const check = (): void => {
      if (clock.now() - this.#activity >= timeout) over.resolve('broken')
      else timer = clock.setTimer(this.#activity + timeout, check)
    }
    timer = clock.setTimer(this.#activity + timeout, check)
    return { over: over.promise, stop: () => clock.clearTimer(timer) }
  }

  #toTarget(datagram: Uint8Array, socket: RelaySocket): void {
    const payload = readContextId(datagram)
    if (payload === 'malformed') this.#end.resolve('broken')
    else if (payload === 'unknown') this.#count('unknownContext')
    else {
      this.#touch()
      this.#count(socket.send(payload) ? 'toTarget' : 'queueFull')
    }
  }

  #count(name: keyof RelayCounts): void {
    this.counts[name]++
    this.#totals[name]++
  }

  #touch(): void {
    if (this.#clock !== undefined) this.#activity = this.#clock.now()
  }
}
