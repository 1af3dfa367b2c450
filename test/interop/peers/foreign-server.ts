/** The other way round: quactor's own client against a server that nobody here wrote (quic-go). */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endGroup, runBounded, start } from '../bounded-process.ts'
import { describeEnd, type Peer, type PeerContext, runClient } from '../peer.ts'
import { digestOf } from '../server.ts'

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url))
const COMMAND = join(PROJECT, 'src/cli/main.ts')
const CLIENT = join(PROJECT, 'test/interop/clients/quactor.ts')
const GO_MODULE = join(PROJECT, 'test/interop/go')
const BUILD_TIMEOUT = 300_000
const READY_TIMEOUT = 10_000
const REQUEST_TIMEOUT = 60_000
const UPLOAD = 5_000_000
const DOWNLOAD = 10_000_000

/** Runs the quactor command and returns what it printed. */
async function quactor(parameters: readonly string[]): Promise<string> {
  const request = {
    command: process.execPath,
    parameters: [COMMAND, ...parameters],
    timeout: REQUEST_TIMEOUT,
  }
  const result = await runBounded(request)
  const failure = describeEnd(result)
  if (failure !== undefined) throw new Error(`${failure}\n${result.output.slice(-2000)}`)
  return result.output
}

async function build(context: PeerContext): Promise<string> {
  const program = join(context.folder, 'server')
  const parameters = ['build', '-o', program, './server']
  const result = await runBounded({ command: 'go', parameters, cwd: GO_MODULE, timeout: BUILD_TIMEOUT })
  const failure = describeEnd(result)
  if (failure !== undefined) throw new Error(`go build: ${failure}\n${result.output.slice(-2000)}`)
  return program
}

async function download(context: PeerContext, origin: string, ca: string): Promise<void> {
  const file = join(context.folder, 'download')
  await quactor(['get', `${origin}/bytes/${DOWNLOAD}`, '--ca', ca, '-o', file])
  const body = readFileSync(file)
  if (body.length !== DOWNLOAD) throw new Error(`${body.length} bytes arrived`)
  const wrong = body.findIndex((byte, index) => byte !== index % 251)
  if (wrong !== -1) throw new Error(`byte ${wrong} is wrong`)
}

async function echo(context: PeerContext, origin: string, ca: string): Promise<void> {
  const sent = randomBytes(UPLOAD)
  const [source, file] = [join(context.folder, 'upload'), join(context.folder, 'echo')]
  writeFileSync(source, sent)
  await quactor(['get', `${origin}/echo`, '-X', 'POST', '-d', `@${source}`, '--ca', ca, '-o', file])
  if (!readFileSync(file).equals(sent)) throw new Error('what came back is not the same')
}

async function manyRequests(origin: string, ca: string): Promise<void> {
  const output = await quactor([
    'bench',
    `${origin}/health`,
    '--ca',
    ca,
    '-c',
    '1',
    '-m',
    '50',
    '-n',
    '1000',
    '--json',
  ])
  if (!/"failed":\s*0\b/.test(output)) throw new Error(output)
}

async function refusesUnknownCertificate(origin: string): Promise<void> {
  const parameters = [COMMAND, 'get', `${origin}/health`]
  const result = await runBounded({ command: process.execPath, parameters, timeout: REQUEST_TIMEOUT })
  if (result.code === 0 || result.timedOut)
    throw new Error('a certificate that nobody vouches for was accepted')
  if (!/certificate/i.test(result.output)) throw new Error(`the reason is not told: ${result.output}`)
}

async function runChecks(context: PeerContext, origin: string, ca: string): Promise<void> {
  await context.check('GET /health, certificate verified', async () => {
    const output = await quactor(['get', `${origin}/health`, '--ca', ca])
    if (!output.startsWith('ok')) throw new Error(output)
  })
  await context.check('refuses the certificate without --ca', () => refusesUnknownCertificate(origin))
  await context.check('GET /bytes/10000000 arrives intact', () => download(context, origin, ca))
  await context.check('POST 5 MB to /echo returns the same bytes', () => echo(context, origin, ca))
  await context.check('1,000 requests on one connection', () => manyRequests(origin, ca))
  await context.check('comes back with a ticket, and early data that is accepted', async () => {
    const output = await quactor(['get', `${origin}/health`, '--ca', ca, '--0rtt', '-v'])
    if (!/^ok/m.test(output) || !output.includes('resumed handshake')) throw new Error(output)
    if (!output.includes('early data accepted')) throw new Error(output)
  })
}

/** The checks that every foreign server is put to, see servers.ts. */
async function runSharedChecks(context: PeerContext, origin: string, ca: string): Promise<void> {
  const large = Buffer.alloc(DOWNLOAD)
  for (let index = 0; index < DOWNLOAD; index++) large[index] = index % 251
  const env = {
    SERVER_ORIGIN: origin,
    SERVER_CA: readFileSync(ca, 'utf8'),
    SERVER_LARGE: `/bytes/${DOWNLOAD}`,
    SERVER_DIGEST: digestOf(large),
    SERVER_ECHO: String(UPLOAD),
  }
  await runClient(context, {
    command: process.execPath,
    parameters: [CLIENT],
    timeout: 4 * REQUEST_TIMEOUT,
    env,
  })
}

export const foreignServer: Peer = {
  name: 'quic-go server',
  isRequired: false,
  absence: () =>
    (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'go')))
      ? undefined
      : 'go is not on this machine',
  async run(context) {
    const program = await build(context)
    const ca = join(context.folder, 'ca.pem')
    const child = start({ command: program, parameters: ['-ca', ca] })
    try {
      if (child.stdout === null) throw new Error('the server has no standard output')
      const signal = AbortSignal.timeout(READY_TIMEOUT)
      const [line] = await once(createInterface({ input: child.stdout }), 'line', { signal })
      const { port } = JSON.parse(line) as { port: number }
      await runChecks(context, `https://localhost:${port}`, ca)
      await runSharedChecks(context, `https://localhost:${port}`, ca)
    } finally {
      endGroup(child, 'SIGKILL')
    }
  },
}
