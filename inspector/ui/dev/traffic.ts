/**
 * Requests of every kind to a server with the demo's routes, to have something to look at:
 * `node inspector/ui/dev/traffic.ts https://localhost:4433 --connections 3 --seconds 60`. Used by the browser checks and
 * by the screenshots, too.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '../../../src/index.ts'

const PATHS = [
  '/bytes/200000',
  '/',
  '/health',
  '/slow/800',
  '/bytes/1000000',
  '/slow/2500',
  '/crash',
  '/sse',
  '/slow/4000',
]
/** Between two requests of a connection, ms. */
const PAUSE = 250

/** Requests until the signal fires; what fails is part of it. */
export async function makeTraffic(url: string, connections: number, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: connections }, (_, number) => busyConnection(url, number, signal)))
}

async function busyConnection(url: string, number: number, signal: AbortSignal): Promise<void> {
  const session = await connect(url, { insecure: true })
  try {
    for (let request = number; !signal.aborted; request++) {
      const path = PATHS[request % PATHS.length]!
      void visit(session, path, signal)
      await delay(PAUSE)
    }
  } finally {
    session.close()
  }
}

type Session = Awaited<ReturnType<typeof connect>>

async function visit(session: Session, path: string, signal: AbortSignal): Promise<void> {
  try {
    const enough = AbortSignal.timeout(path === '/sse' ? 3_000 : 20_000)
    const response = await session.request({ path, signal: AbortSignal.any([signal, enough]) })
    for await (const _chunk of response) if (signal.aborted) break
  } catch {
    // Aborted, or /crash: seen in the inspector.
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { connections: { type: 'string', default: '3' }, seconds: { type: 'string', default: '60' } },
  })
  await makeTraffic(
    positionals[0] ?? 'https://localhost:4433',
    +values.connections,
    AbortSignal.timeout(+values.seconds * 1_000),
  )
}
