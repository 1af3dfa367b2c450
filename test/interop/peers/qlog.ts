/** The qlog of a real transfer with ngtcp2, read by jq, which knows JSON text sequences (RFC 7464) and nothing of ours. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggedEvent } from '../../unit/transport/connection/qlog/memory-log.ts'
import { schemaFaults } from '../../unit/transport/connection/qlog/schema.ts'
import { runBounded } from '../bounded-process.ts'
import { describeEnd, type Peer, type PeerContext } from '../peer.ts'
import { startServer } from '../server.ts'
import { waitUntilQuiet } from '../status.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'

const JQ = '/usr/bin/jq'
const JQ_TIMEOUT = 30_000
/** In the head of a file: what the drafts ask for, and what qvis asks for. */
const HEAD = {
  file_schema: 'urn:ietf:params:qlog:file:sequential',
  serialization_format: 'application/qlog+json-seq',
  qlog_version: '0.3',
  qlog_format: 'JSON-SEQ',
} as const

async function recordsOf(file: string): Promise<Record<string, unknown>[]> {
  const parameters = ['--seq', '--compact-output', '.', file]
  const result = await runBounded({ command: JQ, parameters, timeout: JQ_TIMEOUT })
  const failure = describeEnd(result)
  if (failure !== undefined) throw new Error(`${failure}\n${result.output.slice(-500)}`)
  const lines = result.output.replaceAll('\u001e', '').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

function requireEvents(events: readonly LoggedEvent[]): void {
  const faults = events.flatMap(schemaFaults)
  if (faults.length > 0) throw new Error(faults.slice(0, 5).join('; '))
  const names = new Set(events.map(({ name }) => name))
  for (const name of [
    'quic:packet_sent',
    'quic:packet_received',
    'quic:connection_closed',
    'http3:frame_parsed',
  ])
    if (!names.has(name)) throw new Error(`there is no ${name}`)
  // qvis draws nothing of an event without a category, or of one that steps back in time.
  const isReadable = events.every(
    ({ category, time }, index) => category !== undefined && time >= (events[index - 1]?.time ?? 0),
  )
  if (!isReadable) throw new Error('an event has no category, or its time goes back')
}

async function readable(context: PeerContext, folder: string): Promise<void> {
  await requestBy(context, '/bytes/1000000', ['--quiet'])
  await waitUntilQuiet(context.server.inspector)
  const [file, ...others] = readdirSync(folder)
  if (file === undefined || others.length > 0) throw new Error(`${others.length + 1} files`)
  const path = join(folder, file)
  const [head, ...events] = await recordsOf(path)
  const written = readFileSync(path, 'utf8').split('\u001e').length - 1
  if (events.length + 1 !== written) throw new Error(`jq read ${events.length + 1} of ${written} records`)
  for (const [field, value] of Object.entries(HEAD))
    if (head?.[field] !== value) throw new Error(`${field} is ${JSON.stringify(head?.[field])}`)
  requireEvents(events as unknown as LoggedEvent[])
}

export const qlog: Peer = {
  name: 'qlog',
  stack: 'all',
  isRequired: false,
  absence: () => (existsSync(JQ) ? gtlsclient.absence() : 'apt-get install jq'),
  async run(context) {
    const folder = join(context.folder, 'qlog')
    mkdirSync(folder)
    const server = await startServer(context.folder, ['--qlog', folder])
    try {
      await context.check('jq reads every record of a transfer, each as the drafts want it', () =>
        readable(context.about('requests', { server }), folder),
      )
    } finally {
      await server.stop()
    }
  },
}
