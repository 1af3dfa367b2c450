/** A server of its own that answers every first packet with a Retry, and what clients that nobody here wrote make of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer, PeerContext } from '../peer.ts'
import { type ServerUnderTest, startServer } from '../server.ts'
import { waitUntilQuiet } from '../status.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'
import { quicGo } from './scripted.ts'

/** A number of the server's /metrics. */
async function metric({ inspector }: ServerUnderTest, name: string): Promise<number> {
  const text = await (await fetch(`${inspector}/metrics`, { signal: AbortSignal.timeout(5_000) })).text()
  const match = new RegExp(`^quactor_${name} (\\d+)$`, 'm').exec(text)
  if (match === null) throw new Error(`no ${name} in /metrics`)
  return Number(match[1])
}

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
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const server = await startServer(context.folder, ['--retry', 'always'])
    const here: PeerContext = { ...context, server }
    try {
      await context.check('gtlsclient: a Retry, the answer, a token for next time', () =>
        gtlsclientAfterRetry(here),
      )
      await context.check('gtlsclient: ten connections with 20 % loss each way', () => underLoss(here))
      if (quicGo.absence() === undefined) {
        const before = await metric(server, 'tokens_accepted_total')
        await quicGo.run(here)
        await context.check('quic-go came with tokens', async () => {
          if ((await metric(server, 'tokens_accepted_total')) === before) throw new Error('it did not')
        })
      }
      await context.check('no connection was accepted without a token, and nothing is left', async () => {
        const { connections } = await waitUntilQuiet(server.inspector)
        const accepted = await metric(server, 'tokens_accepted_total')
        if (connections.opened !== accepted) throw new Error(`${connections.opened}, tokens ${accepted}`)
      })
    } finally {
      await server.stop()
    }
  },
}
