/** Reads the admin port's /status and waits until nothing of the last peer is left behind. */
import { setTimeout as delay } from 'node:timers/promises'

/** The part of /status that has to come back to zero. */
export interface Status {
  readonly connections: { readonly live: number; readonly opened: number; readonly closed: number }
  readonly streams: {
    readonly live: number
    readonly opened: number
    readonly closed: number
    readonly stuck: number
  }
  readonly actors: {
    readonly live: number
    readonly started: number
    readonly stopped: number
    readonly crashed: number
    readonly missedTransitions: number
  }
  readonly handlers: { readonly live: number }
  readonly datagramChannels: { readonly live: number }
  readonly buffers: { readonly receiveBytes: number; readonly sendBytes: number }
  readonly backends: { readonly udp: string; readonly aead: string }
}

/** Longer than the server's idle timeout of 30 s, for peers that leave without a word. */
const QUIET_TIMEOUT = 45_000
const POLL_INTERVAL = 100

/** Fetches /status once. */
export async function readStatus(inspector: string): Promise<Status> {
  const response = await fetch(`${inspector}/status`, { signal: AbortSignal.timeout(5_000) })
  if (response.status !== 200) throw new Error(`/status answered ${response.status}`)
  return (await response.json()) as Status
}

/** A number of the server's /metrics, named without its prefix. */
export async function readMetric(inspector: string, name: string): Promise<number> {
  const text = await (await fetch(`${inspector}/metrics`, { signal: AbortSignal.timeout(5_000) })).text()
  const match = new RegExp(`^quactor_${name} (\\d+)$`, 'm').exec(text)
  if (match === null) throw new Error(`no ${name} in /metrics`)
  return Number(match[1])
}

/** Names every number that is not zero although no peer is connected any more. */
export function leftovers(status: Status): string[] {
  const expectedZero: Readonly<Record<string, number>> = {
    'connections.live': status.connections.live,
    'streams.live': status.streams.live,
    'streams.stuck': status.streams.stuck,
    'actors.live': status.actors.live,
    'actors.crashed': status.actors.crashed,
    'actors.missedTransitions': status.actors.missedTransitions,
    'handlers.live': status.handlers.live,
    'datagramChannels.live': status.datagramChannels.live,
    'buffers.receiveBytes': status.buffers.receiveBytes,
    'buffers.sendBytes': status.buffers.sendBytes,
    'streams.opened - closed': status.streams.opened - status.streams.closed,
    'actors.started - stopped': status.actors.started - status.actors.stopped,
  }
  return Object.entries(expectedZero)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} = ${value}`)
}

/**
 * Waits until every live number is zero while the server still runs.
 *
 * @throws Error naming what is left when the time is over, or at once for a missed transition.
 */
export async function waitUntilQuiet(inspector: string): Promise<Status> {
  const end = performance.now() + QUIET_TIMEOUT
  for (;;) {
    const status = await readStatus(inspector)
    const left = leftovers(status)
    if (left.length === 0) return status
    if (performance.now() > end || status.actors.missedTransitions > 0)
      throw new Error(`left behind: ${left.join(', ')}`)
    await delay(POLL_INTERVAL)
  }
}
