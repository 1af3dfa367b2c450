// What the simulated server is told by a path, and what both of its APIs (server-side.ts, fetch-side.ts) share.
import type { VirtualClock } from './virtual-clock.ts'
import type { RequestKind } from './workload.ts'

/** What the path says. */
export interface Order {
  readonly kind: RequestKind
  readonly key: number
  readonly bytes: number
  readonly piece: number
  readonly pause: number
  readonly isFetch: boolean
}

export function orderOf(path: string): Order {
  const url = new URL(path, 'https://server.test')
  const number = (name: string): number => Number(url.searchParams.get(name))
  const [, api, kind] = url.pathname.split('/')
  return {
    kind: kind as RequestKind,
    key: number('key'),
    bytes: number('bytes'),
    piece: number('piece'),
    pause: number('pause'),
    isFetch: api === 'fetch',
  }
}

/** The error of handlers that are meant to crash, so that a real one is not taken for it. */
export class PlannedCrash extends Error {}

/** Text of the answer to an upload: what the server counted, or what was wrong with it. */
export function countText(received: number, difference: number | undefined): string {
  return difference === undefined ? `received ${received}` : `byte ${difference} differs`
}

export function sleep(clock: VirtualClock, time: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(clock.now() + time, resolve)
  })
}
