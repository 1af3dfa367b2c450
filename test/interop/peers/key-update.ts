/** A server of its own that updates its keys every few hundred packets, and ngtcp2 that has to follow. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from '../../../src/index.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { digestOf, fetchOverTcp } from '../server.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'

/** Long enough for several updates, which are 3 PTO (about 100 ms here) apart, however fast the machine is. */
const SIZE = 25_000_000
const PACKETS_PER_KEY = 3_000

async function follow(context: PeerContext, name: string, options: readonly string[]): Promise<void> {
  const folder = join(context.folder, name)
  mkdirSync(folder)
  const output = await requestBy(context, `/bytes/${SIZE}`, [`--download=${folder}`, ...options])
  const updates = output.match(/key update confirmed/g)?.length ?? 0
  if (updates < 2) throw new Error(`it followed ${updates} key updates`)
  const expected = digestOf((await fetchOverTcp(context.server, `/bytes/${SIZE}`)).body)
  const digest = digestOf(readFileSync(join(folder, String(SIZE))))
  if (digest !== expected) throw new Error('the bytes differ')
}

export const keyUpdate: Peer = {
  name: 'key update',
  stack: 'ngtcp2',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const transport = { packetsPerKey: PACKETS_PER_KEY }
    const server = await serve({ port: 0, host: 'localhost', transport })
    const here = context.about('keyUpdate', { server: { ...context.server, port: server.port } })
    try {
      await here.check('gtlsclient follows key updates of the server', () => follow(here, 'updates', []))
      await here.check('and makes one of its own meanwhile', () =>
        // Long before the server's first one: this client gives up when its own comes within 3 PTO of another.
        follow(here, 'both', ['--key-update=5ms']),
      )
      await here.check('and follows with 5 % loss each way', () =>
        follow(here, 'loss', ['-t', '0.05', '-r', '0.05']),
      )
    } finally {
      await server.close({ timeout: 1_000 })
    }
  },
}
