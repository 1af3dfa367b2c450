// The invariants of an endpoint: its counters against its tables, in constant time, and once a second the sums over
// all connections. Called through invariants.ts.
import { MAX_ISSUED_CONNECTION_IDS } from '../transport/connection/index.ts'
import type { Endpoint } from './endpoint.ts'
import type { Complain } from './invariants.ts'

/** Timers per actor: one per connection, one for its drain, the endpoint's sweep and hard stop. */
const TIMERS_PER_ACTOR = 4

export function endpointRules(endpoint: Endpoint, complain: Complain): void {
  const { counters, entries, ids } = endpoint
  const { connectionsLive, streamsLive, sessionsLive, actorsLive, handlersLive, timersArmed } = counters
  if (connectionsLive !== entries.size) {
    complain('connections = opened - closed', `${entries.size}, ${connectionsLive}`)
  }
  if (actorsLive !== streamsLive + sessionsLive) {
    complain('actors = streams + WebTransport sessions', `${actorsLive}, ${streamsLive} + ${sessionsLive}`)
  }
  if (streamsLive < 0 || sessionsLive < 0 || handlersLive < 0 || timersArmed < 0) {
    complain('nothing ends twice', `${streamsLive} streams, ${handlersLive} handlers, ${timersArmed} timers`)
  }
  const actors = 1 + connectionsLive + actorsLive + handlersLive
  if (timersArmed > TIMERS_PER_ACTOR * actors) {
    complain('armed timers <= 4 x actors', `${timersArmed} timers, ${actors} actors`)
  }
  if (counters.crashed !== counters.crashResets) {
    complain('crashes = resets for a crash', `${counters.crashed}, ${counters.crashResets}`)
  }
  const routes = entries.size * (2 * MAX_ISSUED_CONNECTION_IDS + 1)
  if (ids.size > routes) complain('connection IDs <= 9 per connection', `${ids.size} > ${routes}`)
}

/** In time proportional to the connections. */
export function sumRules(endpoint: Endpoint, complain: Complain): void {
  const { counters } = endpoint
  let streams = 0
  let handlers = endpoint.leavingHandlers
  let channels = 0
  let sessions = 0
  for (const { supervisor } of endpoint.entries) {
    streams += supervisor.streamCount
    handlers += supervisor.handlerCount
    channels += supervisor.channelCount
    sessions += supervisor.sessions.count
  }
  if (streams !== counters.streamsLive)
    complain('sum of streams = streams', `${streams}, ${counters.streamsLive}`)
  if (handlers !== counters.handlersLive) {
    complain('sum of handlers = handlers', `${handlers}, ${counters.handlersLive}`)
  }
  if (sessions !== counters.sessionsLive) {
    complain('sum of sessions = sessions', `${sessions}, ${counters.sessionsLive}`)
  }
  if (channels !== counters.channelsLive) {
    complain('sum of channels = channels', `${channels}, ${counters.channelsLive}`)
  }
}
