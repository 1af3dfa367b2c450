/** Clients that come back with early data, and Chromium over version 2: each against a server of its own. */
import { serve } from '../../../src/index.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { type ServerUnderTest, startServer } from '../server.ts'
import { waitUntilQuiet } from '../status.ts'
import { quinn } from './quinn.ts'
import { aioquic, chromium, chromiumReturning, quicGoEarly, quicGoV2 } from './scripted.ts'

const EARLY = /early data/
/** Chromium comes back when its connection is over, so it has to be over soon, ms. */
const IDLE_TIMEOUT = 1_000

/** About every second Chromium waits for its handshakes, as long as it runs, instead of sending early data. */
const CHROMIUM_LAUNCHES = 6

async function against(
  context: PeerContext,
  options: string[],
  use: (server: ServerUnderTest) => Promise<void>,
): Promise<void> {
  const server = await startServer(context.folder, options)
  try {
    await use(server)
    await context.check('nothing is left behind', async () => {
      await waitUntilQuiet(server.inspector)
    })
  } finally {
    await server.stop()
  }
}

function isHere(peer: Peer): boolean {
  return peer.absence() === undefined
}

export const returning: Peer = {
  name: 'early data',
  stack: 'all',
  isRequired: false,
  absence: () => undefined,
  async run(context) {
    await against(context, ['--early-data'], async (server) => {
      for (const client of [quicGoEarly, aioquic, quinn].filter(isHere)) {
        const stack = client.stack ?? client.name
        await client.run(context.about('earlyData', { server, stack, only: EARLY }))
      }
    })
    if (!isHere(chromium)) return
    const early: boolean[] = []
    const server = await serve({
      port: 0,
      host: 'localhost',
      earlyData: true,
      transport: { maxIdleTimeout: IDLE_TIMEOUT },
      fetch: (request) => {
        if (new URL(request.url).pathname === '/visit') early.push(request.earlyData)
        return new Response('<!doctype html><title>visit</title>', {
          headers: { 'content-type': 'text/html' },
        })
      },
    })
    const { port, certificate } = server
    const here = context.about('earlyData', {
      stack: 'Chromium',
      server: {
        ...context.server,
        port,
        origin: `https://localhost:${port}`,
        spkiHash: certificate?.spkiHash ?? '',
      },
    })
    try {
      for (let launch = 0; launch < CHROMIUM_LAUNCHES && !early.includes(true); launch++) {
        await chromiumReturning.run(here)
      }
      await here.check('a second visit came as early data', async () => {
        if (!early.includes(true) || early.filter((_, visit) => visit % 2 === 0).includes(true)) {
          throw new Error(`early: ${early}`)
        }
      })
    } finally {
      await server.close({ timeout: 1_000 })
    }
  },
}

export const version2: Peer = {
  name: 'version 2',
  stack: 'all',
  isRequired: false,
  absence: () => undefined,
  run: (context) =>
    against(context, ['--versions', 'v2'], async (server) => {
      const only = /^GET \/|^POST /
      if (isHere(chromium)) {
        const here = context.about('version2', { server, stack: 'Chromium', only })
        await chromium.run(here)
      }
      if (isHere(quicGoV2)) await quicGoV2.run(context.about('version2', { server, stack: 'quic-go', only }))
    }),
}
