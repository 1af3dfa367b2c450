/** ngtcp2 against a server of three processes on one port: what it moves, resumes and comes back to is in one of them. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerStatus } from '../../../src/index.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { digestOf, fetchOverTcp, startServer } from '../server.ts'
import { waitUntilQuiet } from '../status.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'

const LARGE = 10_000_000
const UPLOAD = 5_000_000
/** Two in three moves reach another worker; all of these stay at home once in 19,683 runs. */
const MOST_MOVES = 9
const MOVED = 'Local address is now'

async function handedOver({ server }: PeerContext): Promise<number> {
  const status = (await (await fetch(`${server.inspector}/status`)).json()) as ServerStatus
  return status.workers!.reduce((sum, worker) => sum + worker.handedOver, 0)
}

/** Repeats a transfer that moves, until the kernel has given it to another worker meanwhile. */
async function untilHandedOver(
  context: PeerContext,
  transfer: (round: number) => Promise<string>,
): Promise<void> {
  const before = await handedOver(context)
  for (let round = 0; round < MOST_MOVES; round++) {
    if (!(await transfer(round)).includes(MOVED)) throw new Error('the client was done before it moved')
    if ((await handedOver(context)) > before) return
  }
  throw new Error('nothing was handed over')
}

async function moveWhileDownloading(context: PeerContext): Promise<void> {
  const reference = digestOf((await fetchOverTcp(context.server, `/bytes/${LARGE}`)).body)
  await untilHandedOver(context, async (round) => {
    const folder = join(context.folder, `workers-${round}`)
    mkdirSync(folder)
    const options = [`--download=${folder}`, '--change-local-addr=30ms']
    const output = await requestBy(context, `/bytes/${LARGE}`, options)
    if (digestOf(readFileSync(join(folder, String(LARGE)))) !== reference) throw new Error('the bytes differ')
    return output
  })
}

async function reboundWhileUploading(context: PeerContext): Promise<void> {
  const sent = randomBytes(UPLOAD)
  const file = join(context.folder, 'workers-upload')
  writeFileSync(file, sent)
  await untilHandedOver(context, async (round) => {
    const folder = join(context.folder, `workers-echo-${round}`)
    mkdirSync(folder)
    const move = ['--change-local-addr=30ms', '--nat-rebinding']
    const output = await requestBy(context, '/echo', [
      '-m',
      'POST',
      '-d',
      file,
      `--download=${folder}`,
      ...move,
    ])
    if (!readFileSync(join(folder, 'echo')).equals(sent)) throw new Error('the bytes differ')
    return output
  })
}

/** The ticket of one worker is good for early data at any other. */
async function comeBack(context: PeerContext): Promise<void> {
  const file = (name: string): string => join(context.folder, `workers-${name}`)
  const files = [`--session-file=${file('session')}`, `--tp-file=${file('parameters')}`]
  await requestBy(context, '/health', files)
  for (let visit = 0; visit < 5; visit++) {
    const output = await requestBy(context, '/health', files)
    if (!output.includes('type=0RTT')) throw new Error('it sent no 0-RTT packet')
    if (output.includes('Early data was rejected by server')) throw new Error('the early data was rejected')
    if (!output.includes('[:status: 200]')) throw new Error('no response with status 200')
  }
}

export const workers: Peer = {
  name: 'workers',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const server = await startServer(context.folder, ['--workers', '3', '--early-data'])
    const here = { ...context, server }
    try {
      await context.check('GET /bytes/10000000 while the client moves from worker to worker', () =>
        moveWhileDownloading(here),
      )
      await context.check('POST 5 MB to /echo while a NAT changes the address, and with it the worker', () =>
        reboundWhileUploading(here),
      )
      await context.check('0-RTT is accepted, whichever worker the kernel chooses', () => comeBack(here))
      await context.check('nothing is left behind in any worker', async () => {
        await waitUntilQuiet(server.inspector)
      })
    } finally {
      const code = await server.stop()
      context.record('SIGINT ends all of them', code === 0 ? undefined : `exit code ${code}`)
    }
  },
}
