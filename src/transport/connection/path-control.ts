// What a connection knows about the network it sends into: loss recovery, congestion control and path MTU discovery,
// put together from the settings (RFC 9002, RFC 9000 section 14). Parts of QuicConnection, built here.
import { createCongestionController, LossRecovery, PathMtu } from '../recovery/index.ts'
import type { EntryTarget } from '../streams/index.ts'
import type { QuicConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { LARGEST_DATAGRAM } from './datagram-batch.ts'
import { MIN_DATAGRAM_SIZE } from './limits.ts'
import { SentEntries } from './sent-entries.ts'

export function createRecovery(connection: QuicConnection, options: ConnectionOptions): LossRecovery {
  const { settings, log } = connection
  const events = new SentEntries(connection.mtu)
  return new LossRecovery({
    role: options.role,
    events: log?.watchLosses(events) ?? events,
    entropy: options.entropy,
    congestion: createCongestionController(settings.congestion, MIN_DATAGRAM_SIZE, options.entropy),
    maxDatagramSize: MIN_DATAGRAM_SIZE,
    ecn: settings.ecn,
  })
}

/** The peer has moved to another network: what was measured of the old one is void (RFC 9000 section 9.4). */
export function beginNetworkPath(connection: QuicConnection, { entropy }: ConnectionOptions): void {
  const { congestion } = connection.settings
  connection.mtu.reset()
  connection.recovery.beginPath(
    createCongestionController(congestion, MIN_DATAGRAM_SIZE, entropy),
    connection.now,
  )
}

/** The size that it finds becomes that of the path, of congestion control and of pacing. */
export function createPathMtu(connection: QuicConnection): PathMtu {
  const { maxDatagramSize, pathMtuDiscovery } = connection.settings
  const limit = Math.max(MIN_DATAGRAM_SIZE, Math.min(maxDatagramSize, LARGEST_DATAGRAM))
  return new PathMtu(pathMtuDiscovery, limit, (bytes) => {
    connection.path.maxDatagramSize = bytes
    connection.recovery.flight.setMaxDatagramSize(bytes)
    // RFC 9221 section 5: datagrams cannot be split; those that no longer fit would block the others.
    connection.datagrams.discardLarger(connection.maxDatagramPayload)
  })
}

/** Entry of a packet that is a probe for a larger datagram size; the entry's first number is the size. */
export class MtuProbe implements EntryTarget {
  readonly #connection: QuicConnection

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  handleAcked(_kind: number, bytes: number): void {
    this.#connection.mtu.onProbeAcked(bytes, this.#connection.now)
  }

  handleLost(_kind: number, bytes: number): void {
    this.#connection.mtu.onProbeLost(bytes, this.#connection.now)
  }
}
