/** ngtcp2 with GnuTLS comes back: session tickets, resumption and 0-RTT, accepted and rejected. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from '../../../src/index.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'

/** A visitor with the files in which gtlsclient keeps its session. */
function visitor(context: PeerContext, name: string): string[] {
  const folder = join(context.folder, name)
  mkdirSync(folder)
  return [`--session-file=${join(folder, 'session')}`, `--tp-file=${join(folder, 'parameters')}`]
}

function expectEarly(output: string, isAccepted: boolean): void {
  if (!output.includes('type=0RTT')) throw new Error('it sent no 0-RTT packet')
  const isRejected = output.includes('Early data was rejected by server')
  if (isRejected === isAccepted) throw new Error(`the early data was ${isRejected ? 'rejected' : 'accepted'}`)
  if (!output.includes('[:status: 200]')) throw new Error('no response with status 200')
}

/** Two visits; the second one sends early data. */
async function comeBack(
  context: PeerContext,
  name: string,
  isAccepted: boolean,
  ...options: string[]
): Promise<void> {
  const files = visitor(context, name)
  await requestBy(context, '/health', [...files, ...options])
  expectEarly(await requestBy(context, '/health', [...files, ...options]), isAccepted)
}

async function replay(context: PeerContext): Promise<void> {
  const files = visitor(context, 'replay')
  await requestBy(context, '/health', files)
  const session = readFileSync(join(context.folder, 'replay', 'session'))
  expectEarly(await requestBy(context, '/health', files), true)
  writeFileSync(join(context.folder, 'replay', 'session'), session)
  expectEarly(await requestBy(context, '/health', files), false)
}

async function unsafe(context: PeerContext): Promise<void> {
  const files = visitor(context, 'unsafe')
  const body = join(context.folder, 'body')
  writeFileSync(body, randomBytes(200))
  await requestBy(context, '/health', files)
  const output = await requestBy(context, '/echo', [...files, '-m', 'POST', '-d', body])
  if (!output.includes('type=0RTT')) throw new Error('it sent no 0-RTT packet')
  if (!output.includes('[:status: 425]')) throw new Error('the unsafe request was not answered with 425')
}

export const earlyData: Peer = {
  name: '0-RTT',
  stack: 'ngtcp2',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    await context
      .about('resumption')
      .check('gtlsclient resumes with a server that takes no early data', () =>
        comeBack(context, 'off', false),
      )
    const server = await serve({ port: 0, host: 'localhost', earlyData: true })
    const here = context.about('earlyData', { server: { ...context.server, port: server.port } })
    try {
      await here.check('gtlsclient sends early data, which is accepted', () => comeBack(here, 'on', true))
      await here.check('and over a path with 20 % loss each way', () =>
        comeBack(here, 'loss', true, '-t', '0.2', '-r', '0.2'),
      )
      for (const cipher of ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']) {
        const ciphers = `--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+${cipher}`
        await here.check(`and with ${cipher}`, () => comeBack(here, cipher, true, ciphers))
      }
      await here.check('the same ticket is good for early data once', () => replay(here))
      await here.check('an unsafe request as early data gets 425', () => unsafe(here))
    } finally {
      await server.close({ timeout: 1_000 })
    }
  },
}
