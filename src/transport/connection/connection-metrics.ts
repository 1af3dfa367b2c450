// The numbers of one connection as a plain object, for /connections, logs and tests. Called by QuicConnection.metrics().
import type { QuicConnection } from './connection.ts'

/** Times in ms, sizes in bytes, rates in bytes per ms; counts only grow. */
export interface ConnectionMetrics {
  /** The last sample of the round trip time, ms (RFC 9002 section 5.1). */
  readonly latestRtt: number
  /** Its moving average, ms (section 5.3). */
  readonly smoothedRtt: number
  /** Its variation, ms (section 5.3). */
  readonly rttVariance: number
  /** The shortest, ms (section 5.2). */
  readonly minRtt: number
  /** `cubic`, `newReno` or `bbr`. */
  readonly congestionController: string
  /** What the controller is doing now, such as `slowStart` or `probeBwUp`. */
  readonly congestionPhase: string
  /** Bytes that may be in flight. */
  readonly congestionWindow: number
  /** Infinity before the first loss. */
  readonly slowStartThreshold: number
  /** Bytes sent and neither acknowledged nor lost. */
  readonly bytesInFlight: number
  /** 0 when the pacer derives it from the window. */
  readonly pacingRate: number
  /** UDP datagrams sent. */
  readonly datagramsSent: number
  /** UDP datagrams received. */
  readonly datagramsReceived: number
  /** UDP payload sent, bytes. */
  readonly bytesSent: number
  /** UDP payload received, bytes. */
  readonly bytesReceived: number
  /** Bytes of packets in flight that were acknowledged, and that were declared lost. */
  readonly bytesAcknowledged: number
  /** Bytes of packets declared lost. */
  readonly bytesLost: number
  /** Packets in flight that were sent. */
  readonly packetsSent: number
  /** Packets that the peer acknowledged. */
  readonly packetsAcknowledged: number
  /** Packets declared lost (RFC 9002 section 6.1). */
  readonly packetsLost: number
  /** Packets declared lost that had arrived after all. */
  readonly spuriousLosses: number
  /** Probe timeouts that expired (section 6.2). */
  readonly probeTimeouts: number
  /** Times that everything over a long period was lost (section 7.6). */
  readonly persistentCongestions: number
  /** Largest datagram that the path takes, bytes of UDP payload. */
  readonly maxDatagramSize: number
  /** State of path MTU discovery. */
  readonly pathMtuState: string
  /** Larger datagrams that were tried (RFC 8899). */
  readonly pathMtuProbes: number
  /** Those that did not arrive. */
  readonly pathMtuProbesLost: number
  /** Times that the path stopped taking what it had taken. */
  readonly pathMtuBlackHoles: number
  /** Whether the path carries ECN marks (RFC 9000 section 13.4.2). */
  readonly ecnState: string
  /** CE marks that the peer has reported. */
  readonly congestionMarks: number
  /** The handshake rested on a ticket. */
  readonly isResumed: boolean
  /** What became of the client's early data; undefined where there was none. */
  readonly earlyData: 'accepted' | 'rejected' | undefined
  /** Moves to another path that stood. */
  readonly migrations: number
  /** Key updates by either side (RFC 9001 section 6). */
  readonly keyUpdates: number
  /** Window of the connection that we keep open for the peer. */
  readonly receiveWindow: number
  /** Bytes received that nobody has read yet. */
  readonly receiveBufferedBytes: number
  /** Bytes written that are not acknowledged yet. */
  readonly sendBufferedBytes: number
}

export function connectionMetrics(connection: QuicConnection): ConnectionMetrics {
  const { recovery, stats, mtu, host } = connection
  const { rtt, congestion, counters, ecn } = recovery
  const { delivery } = recovery.flight
  return {
    latestRtt: rtt.latest,
    smoothedRtt: rtt.smoothed,
    rttVariance: rtt.variance,
    minRtt: rtt.min,
    congestionController: congestion.name,
    congestionPhase: congestion.phase,
    congestionWindow: congestion.window,
    slowStartThreshold: congestion.ssthresh,
    bytesInFlight: recovery.bytesInFlight,
    pacingRate: congestion.pacingRate,
    datagramsSent: stats.datagramsSent,
    datagramsReceived: stats.datagramsReceived,
    bytesSent: stats.bytesSent,
    bytesReceived: stats.bytesReceived,
    bytesAcknowledged: delivery.delivered,
    bytesLost: delivery.lost,
    packetsSent: counters.sent,
    packetsAcknowledged: counters.acked,
    packetsLost: counters.lost,
    spuriousLosses: counters.spurious,
    probeTimeouts: counters.ptos,
    persistentCongestions: counters.persistentCongestion,
    maxDatagramSize: mtu.current,
    pathMtuState: mtu.state,
    pathMtuProbes: mtu.counters.probes,
    pathMtuProbesLost: mtu.counters.probesLost,
    pathMtuBlackHoles: mtu.counters.blackHoles,
    ecnState: ecn.state,
    congestionMarks: ecn.congestionMarks,
    isResumed: connection.tls.isResumed,
    earlyData: connection.handshake.early.verdict,
    migrations: connection.paths.counters.migrations,
    keyUpdates: connection.applicationKeys?.updates ?? 0,
    receiveWindow: host.receiveCredit.window,
    receiveBufferedBytes: connection.receiveBufferedBytes,
    sendBufferedBytes: connection.sendBufferedBytes,
  }
}
