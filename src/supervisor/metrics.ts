// The status as Prometheus text (exposition format 0.0.4), with the counters that have no place in /status.
// Used by those who answer /metrics: one server, or one of workers.
import type { Counters } from './counters.ts'
import type { ServerStatus } from './status.ts'

interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly value: number
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: 'gauge', value }
}

function counter(name: string, help: string, value: number): Metric {
  return { name: `${name}_total`, help, type: 'counter', value }
}

/** One text with every number. */
export function prometheusText(status: ServerStatus, counters: Counters): string {
  const metrics = [...levels(status, counters), ...totals(status, counters), ...transport(counters)]
  const lines = metrics.flatMap(({ name, help, type, value }) => [
    `# HELP quactor_${name} ${help}`,
    `# TYPE quactor_${name} ${type}`,
    `quactor_${name} ${value}`,
  ])
  const { udp, aead } = status.backends
  lines.push(
    '# HELP quactor_backend_info Implementations in use.',
    '# TYPE quactor_backend_info gauge',
    `quactor_backend_info{udp="${udp}",aead="${aead}"} 1`,
  )
  return `${lines.join('\n')}\n`
}

function levels(status: ServerStatus, counters: Counters): Metric[] {
  return [
    gauge('connections_live', 'Connections that are not forgotten yet.', status.connections.live),
    gauge('streams_live', 'Streams in a state that is not final.', status.streams.live),
    gauge('streams_stuck', 'Streams past a deadline.', status.streams.stuck),
    gauge('actors_live', 'Stream actors.', status.actors.live),
    gauge('handlers_live', 'Request handlers that have not ended.', status.handlers.live),
    gauge('webtransport_sessions_live', 'WebTransport sessions.', counters.sessionsLive),
    gauge('datagram_channels_live', 'Datagram channels.', status.datagramChannels.live),
    gauge('timers_armed', 'Armed timers.', status.timers.armed),
    gauge('receive_buffer_bytes', 'Bytes that handlers have not read.', status.buffers.receiveBytes),
    gauge('send_buffer_bytes', 'Bytes that peers have not acknowledged.', status.buffers.sendBytes),
    gauge('process_rss_bytes', 'Resident memory of the process.', status.process.rss),
    gauge('event_loop_lag_p99_ms', 'Lateness of the event loop.', status.process.eventLoopLagP99Ms),
  ]
}

function totals(status: ServerStatus, counters: Counters): Metric[] {
  return [
    counter('connections_opened', 'Connections.', status.connections.opened),
    counter('streams_opened', 'Streams.', status.streams.opened),
    counter('webtransport_sessions_opened', 'WebTransport sessions.', counters.sessionsOpened),
    counter('handlers_started', 'Request handlers.', counters.handlersStarted),
    counter('handlers_crashed', 'Handlers that failed.', counters.crashed),
    counter('crash_resets', 'Streams reset because of a crash.', counters.crashResets),
    counter('handlers_late_faults', 'Errors of handlers after their response.', counters.lateFaults),
    counter('handlers_hung', 'Handlers without a response at their deadline.', counters.hung),
    counter('handlers_abandoned', 'Handlers that outlived their connection.', counters.abandoned),
    counter('handlers_cut', 'Handlers cut off by a drain.', counters.handlersCut),
    counter('intensity_closes', 'Connections closed for crashing handlers.', counters.intensityCloses),
    counter('internal_errors', 'Connections ended by a defect.', counters.internalErrors),
    counter('stuck_reports', 'Actors found past a deadline.', counters.stuckReports),
    counter('stuck_resets', 'Streams reset because they were stuck.', counters.stuckResets),
    counter('invariant_violations', 'Invariants found broken.', counters.invariantViolations),
    counter('missed_transitions', 'Events where they are impossible.', status.actors.missedTransitions),
    counter('datagrams_received', 'UDP datagrams received.', counters.datagramsReceived),
    counter('datagrams_sent', 'UDP datagrams sent.', counters.datagramsSent),
    counter('received_bytes', 'UDP payload received.', counters.bytesReceived),
    counter('sent_bytes', 'UDP payload sent.', counters.bytesSent),
    counter('datagrams_unroutable', 'Datagrams of nobody.', counters.unroutable),
    counter('datagrams_backlog_dropped', 'Datagrams beyond a backlog.', counters.backlogDropped),
    counter('datagrams_handed_over', 'Datagrams given to another worker.', counters.handedOver),
    counter(
      'datagrams_hand_over_dropped',
      'Datagrams another worker could not take.',
      counters.handOverDropped,
    ),
    counter('connections_refused', 'First packets turned away by a limit.', counters.refused),
    counter('version_negotiations', 'Version Negotiation packets sent.', counters.versionNegotiations),
    counter('stateless_resets', 'Stateless resets sent.', counters.statelessResets),
    counter('retries', 'Retry packets sent.', counters.retries),
    counter('tokens_accepted', 'Tokens that proved an address.', counters.tokensAccepted),
    counter('tokens_rejected', 'Tokens that proved nothing.', counters.tokensRejected),
  ]
}

function transport(counters: Counters): Metric[] {
  return [
    counter('packets_sent', 'QUIC packets sent, as far as they count as in flight.', counters.packetsSent),
    counter('packets_acknowledged', 'Of these, acknowledged by the peer.', counters.packetsAcknowledged),
    counter('packets_lost', 'Of these, declared lost.', counters.packetsLost),
    counter('packets_spuriously_lost', 'Declared lost, and arrived after all.', counters.spuriousLosses),
    counter('probe_timeouts', 'Probe timeouts.', counters.probeTimeouts),
    counter('persistent_congestions', 'Times of persistent congestion.', counters.persistentCongestions),
    counter('migrations', 'Connections that moved to another path.', counters.migrations),
    counter('key_updates', 'Updates of packet protection keys.', counters.keyUpdates),
    counter('handshakes_resumed', 'Handshakes that rested on a ticket.', counters.handshakesResumed),
    counter('early_data_accepted', 'Connections whose 0-RTT data was taken.', counters.earlyDataAccepted),
    counter('early_data_rejected', 'Connections whose 0-RTT data was refused.', counters.earlyDataRejected),
  ]
}
