// getStats() of a session: the numbers of the QUIC connection below it, W3C WebTransport section 5.6.
import type { QuicConnection } from '../../transport/connection/index.ts'
import type { WebTransportDatagramStats } from './datagrams.ts'

/** Of the whole connection, which sessions may share. Times in ms. */
export interface WebTransportConnectionStats {
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly bytesLost: number
  readonly packetsSent: number
  /** Datagrams of UDP, which may carry more than one packet during the handshake. */
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly smoothedRtt: number
  readonly rttVariation: number
  readonly minRtt: number
  /** bits per second; null before anything was measured */
  readonly estimatedSendRate: number | null
  /** The congestion window is what holds data back. */
  readonly atSendCapacity: boolean
  readonly datagrams: WebTransportDatagramStats
}

export function connectionStats(
  connection: QuicConnection,
  datagrams: WebTransportDatagramStats,
): WebTransportConnectionStats {
  const numbers = connection.metrics()
  const { bytesSent, bytesReceived, bytesLost, packetsSent, packetsLost, smoothedRtt, rttVariance } = numbers
  // The window over a round trip is what the congestion controller allows now.
  const rate = smoothedRtt > 0 ? (numbers.congestionWindow * 8_000) / smoothedRtt : null
  return {
    bytesSent,
    bytesReceived,
    bytesLost,
    packetsSent,
    packetsReceived: numbers.datagramsReceived,
    packetsLost,
    smoothedRtt,
    rttVariation: rttVariance,
    minRtt: numbers.minRtt,
    estimatedSendRate: rate,
    atSendCapacity: numbers.bytesInFlight >= numbers.congestionWindow,
    datagrams,
  }
}
