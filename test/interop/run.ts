/**
 * `npm run interop [-- --peer NAME]`: starts the server with `npm start` and lets clients that nobody here
 * wrote use it, one after another. After each, /status has to show that nothing is left behind.
 *
 * Options: --peer NAME (repeatable), --keylog FILE, and for a server that runs already
 * --origin URL --inspector URL --spki HASH.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Feature, Matrix } from './features.ts'
import type { Peer, PeerContext } from './peer.ts'
import { earlyData } from './peers/early-data.ts'
import { foreignServer } from './peers/foreign-server.ts'
import { gtlsclient } from './peers/gtlsclient.ts'
import { keyUpdate } from './peers/key-update.ts'
import { ngtcp2Versions } from './peers/ngtcp2-versions.ts'
import { qlog } from './peers/qlog.ts'
import { quinn } from './peers/quinn.ts'
import { retry } from './peers/retry.ts'
import { returning, version2 } from './peers/returning.ts'
import { loss, rebinding, retryForAll } from './peers/rough.ts'
import { aioquic, bun, chromium, currentspace, deno, impit, quicGo, quicGoV2 } from './peers/scripted.ts'
import { aioquicServer, bunServer, caddyServer, gtlsServer } from './peers/servers.ts'
import { tcp } from './peers/tcp.ts'
import { webtransportGo } from './peers/webtransport-go.ts'
import { workers } from './peers/workers.ts'
import { attachServer, type ServerUnderTest, startServer } from './server.ts'
import { waitUntilQuiet } from './status.ts'

const PEERS: readonly Peer[] = [
  tcp,
  gtlsclient,
  retry,
  keyUpdate,
  earlyData,
  ngtcp2Versions,
  qlog,
  workers,
  chromium,
  bun,
  impit,
  deno,
  quicGo,
  quicGoV2,
  webtransportGo,
  aioquic,
  quinn,
  currentspace,
  returning,
  version2,
  loss,
  rebinding,
  retryForAll,
  foreignServer,
  caddyServer,
  bunServer,
  gtlsServer,
  aioquicServer,
]

const { values: options } = parseArgs({
  options: {
    peer: { type: 'string', multiple: true },
    keylog: { type: 'string' },
    origin: { type: 'string' },
    inspector: { type: 'string' },
    spki: { type: 'string' },
  },
})

const matrix = new Matrix()
const counts = { passed: 0, failed: 0, skipped: 0 }

/** Where an outcome belongs in the table; undefined for what is about the server alone. */
interface TableCell {
  readonly stack: string
  readonly feature: Feature
}

/** Outcomes of the peer that runs now: they count when its run counts. */
let outcomes: { readonly cell: TableCell | undefined; readonly failure: string | undefined }[] = []

function record(title: string, failure: string | undefined, cell?: TableCell): void {
  outcomes.push({ cell, failure })
  console.log(failure === undefined ? `  ok     ${title}` : `  FAILED ${title}: ${failure}`)
}

/** Takes over what was recorded since the last call. */
function settle(): void {
  for (const { cell, failure } of outcomes) {
    if (failure === undefined) counts.passed++
    else counts.failed++
    if (cell !== undefined) matrix.note(cell.stack, cell.feature, failure)
  }
  outcomes = []
}

async function check(title: string, body: () => Promise<void>, note = record): Promise<void> {
  const started = performance.now()
  try {
    await body()
    note(`${title} (${((performance.now() - started) / 1000).toFixed(2)} s)`, undefined)
  } catch (error) {
    note(title, error instanceof Error ? error.message : String(error))
  }
}

/** The context of one peer, for one feature; all of its checks count in the table. */
function contextOf(
  stack: string,
  feature: Feature,
  server: ServerUnderTest,
  folder: string,
  only?: RegExp,
): PeerContext {
  const note = (title: string, failure: string | undefined): void =>
    record(title, failure, stack === 'all' ? undefined : { stack, feature })
  return {
    server,
    folder,
    stack,
    feature,
    only,
    about: (other, changes = {}) =>
      contextOf(changes.stack ?? stack, other, changes.server ?? server, folder, changes.only ?? only),
    cannot: (other, reason) => matrix.cannot(stack, other, reason),
    remark: (text) => matrix.remark(stack, feature, text),
    check: (title, body) => check(title, body, note),
    record: note,
  }
}

/**
 * Runs a peer; one of which something failed runs a second time, whole, and the second time counts. Peers are programs
 * on a busy machine with timers of their own: what fails twice is a fault, what fails once is said at the end.
 */
async function runPeer(peer: Peer, server: ServerUnderTest): Promise<void> {
  await attempt(peer, server)
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  if (failed > 0 && peer.absence() === undefined) {
    console.log(`${peer.name} once more, because ${failed} of its checks failed`)
    outcomes = []
    unsteady.push(`${peer.name} (${failed} failed the first time)`)
    await attempt(peer, server)
  }
  settle()
}

/** Peers that had to run twice. */
const unsteady: string[] = []

async function attempt(peer: Peer, server: ServerUnderTest): Promise<void> {
  console.log(peer.name)
  const absence = peer.absence()
  if (absence !== undefined) {
    if (peer.isRequired && process.env.CI === 'true') record('is installed', absence)
    else {
      counts.skipped++
      matrix.cannot(peer.stack ?? peer.name, 'requests', absence)
      console.log(`  skipped: ${absence}`)
    }
    return
  }
  const started = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'quactor-peer-'))
  const context = contextOf(peer.stack ?? peer.name, 'requests', server, folder)
  try {
    await peer.run(context)
  } catch (error) {
    context.record('runs', error instanceof Error ? error.message : String(error))
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  await check('nothing is left behind in /status', async () => {
    await waitUntilQuiet(server.inspector)
  })
  console.log(`  ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

function obtainServer(folder: string): Promise<ServerUnderTest> {
  if (options.origin !== undefined) {
    return attachServer(options.origin, options.inspector ?? '', options.spki ?? '', folder)
  }
  return startServer(folder, options.keylog === undefined ? [] : ['--keylog', options.keylog])
}

const selected = PEERS.filter((peer) => options.peer === undefined || options.peer.includes(peer.name))
if (selected.length === 0)
  throw new Error(`no such peer; there are ${PEERS.map((peer) => peer.name).join(', ')}`)
const folder = mkdtempSync(join(tmpdir(), 'quactor-interop-'))
try {
  const server = await obtainServer(folder)
  for (const peer of selected) await runPeer(peer, server)
  await check('SIGINT drains the server and it ends with exit code 0', async () => {
    const code = await server.stop()
    if (code !== 0) throw new Error(`exit code ${code}`)
  })
  settle()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`\n${matrix}\n`)
if (unsteady.length > 0) console.log(`run twice: ${unsteady.join(', ')}`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1)
