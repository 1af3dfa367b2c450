/** ngtcp2 against a server that prefers version 2 and another address: Version Negotiation, the move to version 2, the move. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runBounded } from '../bounded-process.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { digestOf, fetchOverTcp, freePort, startServer } from '../server.ts'
import { readMetric, waitUntilQuiet } from '../status.ts'
import { COMMAND, gtlsclient, requestBy } from './gtlsclient.ts'

const V1 = '0x00000001'
const V2 = '0x6b3343cf'
const BOTH = [`--preferred-versions=${V2},${V1}`, `--other-versions=${V2},${V1}`]
/** Reserved by RFC 9000 section 15, so that nobody speaks it. */
const UNKNOWN = '0x1a2a3a4a'
const SIZE = 3_000_000
const PROBE_TIMEOUT = 2_000

/** It names the versions that it does not know before it does anything else. */
async function knowsVersion2(): Promise<boolean> {
  const parameters = [...BOTH, 'localhost', '1', 'https://localhost:1/']
  const { output } = await runBounded({ command: COMMAND, parameters, timeout: PROBE_TIMEOUT })
  return !output.includes('unsupported version')
}

async function negotiation(context: PeerContext): Promise<void> {
  // This client shows what the server offers and leaves it at that.
  const output = await requestBy(context, '/health', ['-v', UNKNOWN])
  for (const version of [V1, V2])
    if (!output.includes(`VN v=${version}`)) throw new Error(`the server did not offer ${version}`)
}

async function speak(context: PeerContext, version: string, options: string[]): Promise<void> {
  const output = await requestBy(context, '/health', options)
  if (!output.includes('[:status: 200]')) throw new Error('no response with status 200')
  if (!output.includes(`the negotiated version is ${version}`)) throw new Error('it was another version')
}

async function follow(context: PeerContext, inspector: string): Promise<void> {
  const before = await readMetric(inspector, 'migrations_total')
  const folder = join(context.folder, 'preferred')
  mkdirSync(folder)
  const output = await requestBy(context, `/bytes/${SIZE}`, [`--download=${folder}`])
  if (!output.includes('selected server preferred_address')) throw new Error('it did not take the address')
  const expected = digestOf((await fetchOverTcp(context.server, `/bytes/${SIZE}`)).body)
  if (digestOf(readFileSync(join(folder, String(SIZE)))) !== expected) throw new Error('the bytes differ')
  if ((await readMetric(inspector, 'migrations_total')) === before) throw new Error('the server saw no move')
}

export const ngtcp2Versions: Peer = {
  name: 'versions',
  stack: 'ngtcp2',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const address = `127.0.0.1:${await freePort()}`
    const server = await startServer(context.folder, ['--versions', 'v2,v1', '--preferred', address])
    const to = (feature: Parameters<PeerContext['about']>[0]): PeerContext =>
      context.about(feature, { server })
    try {
      await to('negotiation').check('gtlsclient is offered the versions of the server', () =>
        negotiation(to('negotiation')),
      )
      if (await knowsVersion2()) {
        await to('version2').check('gtlsclient speaks version 2 from the first packet', () =>
          speak(to('version2'), V2, ['-v', V2]),
        )
        await to('compatible').check('gtlsclient is moved to version 2', () =>
          speak(to('compatible'), V2, BOTH),
        )
      } else {
        const reason = "this build of ngtcp2 knows version 2 only by a draft's number"
        for (const feature of ['version2', 'compatible'] as const) context.cannot(feature, reason)
      }
      await to('preferred').check('gtlsclient moves to the address that the server prefers', () =>
        follow(to('preferred'), server.inspector),
      )
      await to('preferred').check('and does not when told not to', async () => {
        const output = await requestBy(to('preferred'), '/health', ['--no-preferred-addr'])
        if (output.includes('selected server preferred_address')) throw new Error('it did')
      })
      await context.check('nothing is left behind', async () => {
        await waitUntilQuiet(server.inspector)
      })
    } finally {
      await server.stop()
    }
  },
}
