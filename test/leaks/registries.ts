// Everything that an endpoint counts, in one flat object: what has to be the same before and after a scenario.
// Numbers come from the counters and, independently of them, from the tables themselves. Used by test/leaks.
import { H3Connection } from '../../src/http3/index.ts'
import type { ConnectionSupervisor } from '../../src/supervisor/connection-supervisor.ts'
import type { Endpoint } from '../../src/supervisor/endpoint.ts'

const SPACES = [0, 1, 2] as const

/** Numbers of one connection; each is a registry, a debt or a queue. */
function connectionRegistries(supervisor: ConnectionSupervisor): Record<string, number> {
  const { connection } = supervisor
  const { host, recovery } = connection
  const { table, receiveCredit } = host
  const application = supervisor.application
  return {
    'stream table': connection.streams.size,
    'opened - closed': table.opened - table.closed,
    'stream actors': supervisor.streamCount,
    'request streams': supervisor.requestStreams,
    'handler registry': supervisor.handlerCount,
    'datagram channels': supervisor.channelCount,
    'lingering requests': application instanceof H3Connection ? application.lingering.size : 0,
    'flow-control debt': receiveCredit.received - receiveCredit.consumed,
    'received bytes held': connection.receiveBufferedBytes,
    'bytes to send': connection.sendBufferedBytes,
    'streams queued to send': host.sendQueue.size,
    'bytes in flight': recovery.bytesInFlight,
    'packets to be acknowledged': SPACES.filter((space) => recovery.hasAckElicitingInFlight(space)).length,
    'datagrams queued': connection.datagrams.queued,
    'control frames queued': connection.control.hasOutput ? 1 : 0,
    'active connection IDs': connection.localIds.active.length,
    'request credit not returned': table.peer[0].opened - table.peer[0].returned,
    'uni credit not returned': table.peer[1].opened - table.peer[1].returned,
  }
}

/** The endpoint's own registries, and the sums over its connections. */
export function registriesOf(endpoint: Endpoint): Record<string, number> {
  const { counters } = endpoint
  const sums: Record<string, number> = {
    connections: endpoint.entries.size,
    'connections live': counters.connectionsLive,
    'streams live': counters.streamsLive,
    'actors live': counters.actorsLive,
    'handlers live': counters.handlersLive,
    'timers armed': counters.timersArmed,
    'connection IDs routed': endpoint.ids.size,
    'channels live': counters.channelsLive,
    'handlers that outlive their connection': endpoint.leavingHandlers,
    'broken invariants': counters.invariantViolations,
    'defects of ours': counters.internalErrors,
    'missed transitions': counters.missedTransitions,
    'crashes without a reset': counters.crashed - counters.crashResets,
  }
  for (const { supervisor } of endpoint.entries) {
    for (const [name, value] of Object.entries(connectionRegistries(supervisor)))
      sums[name] = (sums[name] ?? 0) + value
  }
  return sums
}

/** What is left of an endpoint that should be empty; {} when it is. */
export function nonZero(registries: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(registries).filter(([, value]) => value !== 0))
}
