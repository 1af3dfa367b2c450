/** A server of its own that answers every first packet with a Retry, and what clients that nobody here wrote make of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer, PeerContext } from '../peer.ts'
import { startServer } from '../server.ts'
import { readMetric, waitUntilQuiet } from '../status.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'

async function gtlsclientAfterRetry(context: PeerContext): Promise<void> {
  const file = join(context.folder, 'token')
  const output = await requestBy(context, '/health', [`--token-file=${file}`])
  if (!output.includes('type=Retry')) throw new Error('it received no Retry')
  if (!readFileSync(file, 'latin1').includes('QUIC TOKEN')) throw new Error('it received no NEW_TOKEN')
}

async function underLoss(context: PeerContext): Promise<void> {
  for (let i = 0; i < 10; i++) await requestBy(context, '/health', ['-t', '0.2', '-r', '0.2'])
}

export const retry: Peer = {
  name: 'retry',
  stack: 'ngtcp2',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const server = await startServer(context.folder, ['--retry', 'always'])
    const here = context.about('retry', { server })
    try {
      await here.check('gtlsclient: a Retry, the answer, a token for next time', () =>
        gtlsclientAfterRetry(here),
      )
      here.cannot('newToken', 'gtlsclient does not read the token file that it writes')
      await here.check('gtlsclient: ten connections with 20 % loss each way', () => underLoss(here))
      await here.check('no connection was accepted without a token, and nothing is left', async () => {
        const { connections } = await waitUntilQuiet(server.inspector)
        const accepted = await readMetric(server.inspector, 'tokens_accepted_total')
        if (connections.opened !== accepted) throw new Error(`${connections.opened}, tokens ${accepted}`)
      })
    } finally {
      await server.stop()
    }
  },
}
