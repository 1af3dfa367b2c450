// What may not be left when a simulated world has come to its end. Used by every scenario of this folder.
import { statusOf } from '../../src/supervisor/status.ts'
import { PlannedCrash } from './order.ts'
import type { World } from './world.ts'

/** Every registry of every endpoint that is not empty, and everything that must never be counted. */
export function leftovers(world: World): string[] {
  const problems: string[] = []
  const process = { rss: () => 0, eventLoopLagP99Ms: () => 0 }
  const clients = world.clients.map((client, index) => [`client ${index}`, client] as const)
  for (const [name, endpoint] of [['server', world.server] as const, ...clients]) {
    const status = statusOf(endpoint, process)
    const { counters } = endpoint
    const zeros: Record<string, number> = {
      'live connections': status.connections.live,
      'live streams': status.streams.live,
      'live actors': status.actors.live,
      'live handlers': status.handlers.live,
      'armed timers': status.timers.armed,
      'received bytes': status.buffers.receiveBytes,
      'bytes to send': status.buffers.sendBytes,
      'connection IDs': endpoint.ids.size,
      'missed transitions': status.actors.missedTransitions,
      'abandoned handlers': counters.abandoned,
      'crashes without a reset': counters.crashed - counters.crashResets,
    }
    for (const [what, count] of Object.entries(zeros))
      if (count !== 0) problems.push(`${name}: ${count} ${what}`)
    for (const missed of endpoint.missed.list()) problems.push(`${name}: missed ${JSON.stringify(missed)}`)
  }
  for (const { kind, error } of world.faults) {
    if (!(error instanceof PlannedCrash)) problems.push(`server: ${kind}: ${error}`)
  }
  if (world.clock.armed !== 0) problems.push(`${world.clock.armed} timers of the clock are armed`)
  return problems
}
