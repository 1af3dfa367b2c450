// Moves datagrams between one tunnel and one UDP socket (RFC 9298 section 5): context 0 carries UDP payloads, others mean
// nothing here. Made per request by udp-proxy.ts.
import type { Clock, TimerHandle } from '../../transport/io/clock.ts'
import type { RelayEvents, RelaySocket } from '../../transport/io/relay-socket.ts'
import { readContextId, withContextId } from '../../tunnels/udp-payload.ts'
import type { DatagramTunnel } from '../exchange.ts'

/** How a relay ended: `broken` resets the tunnel. */
export type RelayEnd = 'ended' | 'broken'

export interface RelayCounters {
  /** Datagrams that do not fit into the client's path. */
  tooLarge: number
  unknownContext: number
  queueFull: number
}

/** What watches for silence. */
export interface IdleWatch {
  readonly over: Promise<RelayEnd>
  stop(): void
}

export class UdpRelay implements RelayEvents {
  readonly #counters: RelayCounters
  readonly #end = Promise.withResolvers<RelayEnd>()
  #tunnel: DatagramTunnel | undefined
  #activity = 0
  #clock: Clock | undefined

  constructor(counters: RelayCounters) {
    this.#counters = counters
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
    if (payload.length + 1 > tunnel.maxPayload) this.#counters.tooLarge++
    else tunnel.send(withContextId(payload))
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
    else if (payload === 'unknown') this.#counters.unknownContext++
    else {
      this.#touch()
      if (!socket.send(payload)) this.#counters.queueFull++
    }
  }

  #touch(): void {
    if (this.#clock !== undefined) this.#activity = this.#clock.now()
  }
}
