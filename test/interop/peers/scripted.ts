/** The peers that are scripts in ../clients, each run by its own runtime. */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBounded } from '../bounded-process.ts'
import { clientEnvironment, describeEnd, type Peer, type PeerContext, runClient } from '../peer.ts'
import { digestOf, fetchOverTcp } from '../server.ts'

const INTEROP = fileURLToPath(new URL('..', import.meta.url))
const CLIENTS = join(INTEROP, 'clients')
const RUN_TIMEOUT = 240_000
const INSTALL_TIMEOUT = 300_000

/** The native client and its Linux build; its package names a build that was never published. */
const CURRENTSPACE = ['@currentspace/http3@0.9.0', '@currentspace/http3-linux-x64-gnu@0.9.2'] as const

function installed(path: string): string | undefined {
  return existsSync(join(INTEROP, 'node_modules', path)) ? undefined : 'npm ci --prefix test/interop'
}

function onPath(command: string): string | undefined {
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

/** One step before the client can run; its failure is the peer's failure. */
async function prepare(command: string, parameters: readonly string[], cwd: string): Promise<void> {
  const result = await runBounded({ command, parameters, timeout: INSTALL_TIMEOUT, cwd })
  const failure = describeEnd(result)
  if (failure !== undefined) {
    throw new Error(`${command} ${parameters.join(' ')}: ${failure}\n${result.output.slice(-2000)}`)
  }
}

export const chromium: Peer = {
  name: 'chromium',
  isRequired: true,
  absence: () =>
    existsSync(process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium')
      ? installed('playwright-core')
      : 'apt-get install chromium',
  run: (context) => runScript(context, process.execPath, [join(CLIENTS, 'chromium.mjs')]),
}

export const bun: Peer = {
  name: 'bun',
  isRequired: true,
  absence: () => installed('.bin/bun'),
  run: (context) => runScript(context, join(INTEROP, 'node_modules/.bin/bun'), [join(CLIENTS, 'bun.mjs')]),
}

export const impit: Peer = {
  name: 'impit',
  isRequired: true,
  absence: () => installed('impit'),
  run: (context) => runScript(context, process.execPath, [join(CLIENTS, 'impit.mjs')]),
}

export const deno: Peer = {
  name: 'deno',
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
  isRequired: false,
  absence: () =>
    process.platform === 'linux' && process.arch === 'x64' ? undefined : 'it has no build for this platform',
  async run(context) {
    await prepare(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefix', '.', ...CURRENTSPACE],
      context.folder,
    )
    for (const name of ['checks.mjs', 'currentspace.mjs'])
      copyFileSync(join(CLIENTS, name), join(context.folder, name))
    await runScript(context, process.execPath, [join(context.folder, 'currentspace.mjs')])
  },
}

function quicGoClient(name: string, options: readonly string[]): Peer {
  return {
    name,
    isRequired: false,
    absence: () => onPath('go'),
    async run(context) {
      const client = join(context.folder, 'client')
      await prepare('go', ['build', '-o', client, './client'], join(INTEROP, 'go'))
      const { origin, certificateFile } = context.server
      const digest = await reference(context)
      const parameters = ['-url', origin, '-ca', certificateFile, '-digest', digest, ...options]
      await runClient(context, { command: client, parameters, timeout: RUN_TIMEOUT })
    },
  }
}

export const quicGo: Peer = quicGoClient('quic-go', [])

/** The same checks over QUIC version 2 (RFC 9369). */
export const quicGoV2: Peer = quicGoClient('quic-go v2', ['-v2'])

export const aioquic: Peer = {
  name: 'aioquic',
  isRequired: false,
  absence: () => onPath('python3'),
  async run(context) {
    const environment = join(context.folder, 'venv')
    const python = join(environment, 'bin/python')
    await prepare('python3', ['-m', 'venv', environment], context.folder)
    await prepare(
      python,
      ['-m', 'pip', 'install', '--quiet', 'aioquic==1.7.2', 'wsproto==1.2.0'],
      context.folder,
    )
    await runScript(context, python, [join(CLIENTS, 'aioquic_client.py')])
  },
}
