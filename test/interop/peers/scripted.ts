/** The peers that are scripts in ../clients, each run by its own runtime. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBounded } from '../bounded-process.ts'
import type { Feature } from '../features.ts'
import { clientEnvironment, describeEnd, type Peer, type PeerContext, runClient } from '../peer.ts'
import { digestOf, fetchOverTcp } from '../server.ts'

const INTEROP = fileURLToPath(new URL('..', import.meta.url))
const CLIENTS = join(INTEROP, 'clients')
const RUN_TIMEOUT = 240_000
const INSTALL_TIMEOUT = 300_000

/** The native client and its Linux build; its package names a build that was never published. */
const CURRENTSPACE = ['@currentspace/http3@0.9.0', '@currentspace/http3-linux-x64-gnu@0.9.2'] as const

/** aioquic, and what frames its WebSockets. */
const AIOQUIC = ['aioquic==1.7.2', 'wsproto==1.2.0'] as const

function installed(path: string): string | undefined {
  return existsSync(join(INTEROP, 'node_modules', path)) ? undefined : 'npm ci --prefix test/interop'
}

/** Why a program cannot be run, or undefined. */
export function onPath(command: string): string | undefined {
  const found = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
  return found ? undefined : `${command} is not on this machine`
}

async function reference(context: PeerContext): Promise<string> {
  return digestOf((await fetchOverTcp(context.server, '/bytes/1000000')).body)
}

async function runScript(
  context: PeerContext,
  command: string,
  parameters: readonly string[],
): Promise<void> {
  const env = clientEnvironment(context, await reference(context))
  await runClient(context, { command, parameters, timeout: RUN_TIMEOUT, cwd: INTEROP, env })
}

/** Where clients that have to be built or installed are, for all peers of a run. */
const workshop = mkdtempSync(join(tmpdir(), 'quactor-workshop-'))
process.once('exit', () => rmSync(workshop, { recursive: true, force: true, maxRetries: 3 }))
const ready = new Map<string, Promise<string>>()

/** Does once what a client needs before it can run; its failure is the peer's failure. Resolves with its folder. */
export function prepareOnce(name: string, steps: (folder: string) => Promise<void>): Promise<string> {
  let folder = ready.get(name)
  if (folder === undefined) {
    const path = join(workshop, name)
    mkdirSync(path)
    folder = steps(path).then(() => path)
    ready.set(name, folder)
  }
  return folder
}

/** One step of it. */
export async function prepare(command: string, parameters: readonly string[], cwd: string): Promise<void> {
  const result = await runBounded({ command, parameters, timeout: INSTALL_TIMEOUT, cwd })
  const failure = describeEnd(result)
  if (failure !== undefined) {
    throw new Error(`${command} ${parameters.join(' ')}: ${failure}\n${result.output.slice(-2000)}`)
  }
}

export const chromium: Peer = {
  name: 'chromium',
  stack: 'Chromium',
  isRequired: true,
  absence: () =>
    existsSync(process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium')
      ? installed('playwright-core')
      : 'apt-get install chromium',
  run: (context) => runScript(context, process.execPath, [join(CLIENTS, 'chromium.mjs')]),
}

/** Visits one page twice, with enough time between for the connection to be over. */
export const chromiumReturning: Peer = {
  ...chromium,
  run: (context) =>
    runClient(context, {
      command: process.execPath,
      parameters: [join(CLIENTS, 'chromium-returning.mjs')],
      timeout: RUN_TIMEOUT,
      cwd: INTEROP,
      env: clientEnvironment(context, ''),
    }),
}

export const bun: Peer = {
  name: 'bun',
  stack: 'lsquic (bun)',
  isRequired: true,
  absence: () => installed('.bin/bun'),
  run: (context) => runScript(context, join(INTEROP, 'node_modules/.bin/bun'), [join(CLIENTS, 'bun.mjs')]),
}

export const impit: Peer = {
  name: 'impit',
  stack: 'h3 (impit)',
  isRequired: true,
  absence: () => installed('impit'),
  run: (context) => runScript(context, process.execPath, [join(CLIENTS, 'impit.mjs')]),
}

export const deno: Peer = {
  name: 'deno',
  stack: 'quinn (deno)',
  isRequired: true,
  absence: () => installed('.bin/deno'),
  run: (context) =>
    runScript(context, join(INTEROP, 'node_modules/.bin/deno'), [
      'run',
      '--quiet',
      '--unstable-net',
      '--allow-all',
      join(CLIENTS, 'deno.mjs'),
    ]),
}

export const currentspace: Peer = {
  name: '@currentspace/http3',
  stack: 'quiche',
  isRequired: false,
  absence: () =>
    process.platform === 'linux' && process.arch === 'x64' ? undefined : 'it has no build for this platform',
  async run(context) {
    const folder = await prepareOnce('currentspace', async (path) => {
      await prepare('npm', ['install', '--no-audit', '--no-fund', '--prefix', '.', ...CURRENTSPACE], path)
      for (const name of ['checks.mjs', 'currentspace.mjs'])
        copyFileSync(join(CLIENTS, name), join(path, name))
    })
    await runScript(context, process.execPath, [join(folder, 'currentspace.mjs')])
  },
}

function quicGoClient(name: string, feature: Feature, options: readonly string[]): Peer {
  return {
    name,
    stack: 'quic-go',
    isRequired: false,
    absence: () => onPath('go'),
    async run(context) {
      const folder = await prepareOnce('quic-go', (path) =>
        prepare('go', ['build', '-o', join(path, 'client'), './client'], join(INTEROP, 'go')),
      )
      const { origin, certificateFile } = context.server
      const digest = await reference(context)
      const parameters = ['-url', origin, '-ca', certificateFile, '-digest', digest, ...options]
      const env = clientEnvironment(context, digest)
      const here = feature === 'requests' ? context : context.about(feature)
      await runClient(here, { command: join(folder, 'client'), parameters, timeout: RUN_TIMEOUT, env })
    },
  }
}

export const quicGo: Peer = quicGoClient('quic-go', 'requests', [])

/** The same checks over QUIC version 2 (RFC 9369). */
export const quicGoV2: Peer = quicGoClient('quic-go v2', 'version2', ['-v2'])

export const aioquic: Peer = {
  name: 'aioquic',
  isRequired: false,
  absence: () => onPath('python3'),
  async run(context) {
    const folder = await prepareOnce('aioquic', async (path) => {
      await prepare('python3', ['-m', 'venv', path], path)
      await prepare(join(path, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...AIOQUIC], path)
    })
    await runScript(context, join(folder, 'bin/python'), [join(CLIENTS, 'aioquic_client.py')])
  },
}

/** quic-go with early data, against a server that takes it. */
export const quicGoEarly: Peer = quicGoClient('quic-go 0-RTT', 'earlyData', ['-early'])
