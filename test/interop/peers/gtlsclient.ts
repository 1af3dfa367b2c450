/** gtlsclient of Debian's ngtcp2-client: ngtcp2, nghttp3 and GnuTLS. */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runBounded } from '../bounded-process.ts'
import { describeEnd, type Peer, type PeerContext } from '../peer.ts'
import { digestOf, fetchOverTcp } from '../server.ts'

export const COMMAND = '/usr/bin/gtlsclient'
const LARGE = 10_000_000
const UPLOAD = 5_000_000
const REQUESTS = 1000
const TIMEOUT = 120_000

/** Runs gtlsclient against one path and returns its output. */
export async function requestBy(
  context: PeerContext,
  path: string,
  options: readonly string[],
): Promise<string> {
  const { port } = context.server
  const fixed = ['--exit-on-all-streams-close', '--no-quic-dump', '--no-http-dump', '--timeout=30s']
  const parameters = [...fixed, ...options, 'localhost', String(port), `https://localhost:${port}${path}`]
  const result = await runBounded({ command: COMMAND, parameters, timeout: TIMEOUT })
  const failure = describeEnd(result)
  if (failure !== undefined) throw new Error(`${failure}\n${result.output.slice(-2000)}`)
  return result.output
}

/** A transfer that is over before the address changes shows nothing. */
function requireMove(options: readonly string[], output: string): void {
  if (!options.some((option) => option.startsWith('--change-local-addr'))) return
  if (!output.includes('Local address is now')) throw new Error('the client was done before it moved')
}

async function download(
  context: PeerContext,
  name: string,
  reference: string,
  options: readonly string[],
): Promise<void> {
  const folder = join(context.folder, name)
  mkdirSync(folder)
  requireMove(options, await requestBy(context, `/bytes/${LARGE}`, [`--download=${folder}`, ...options]))
  const body = readFileSync(join(folder, String(LARGE)))
  if (body.length !== LARGE) throw new Error(`${body.length} bytes arrived`)
  if (digestOf(body) !== reference) throw new Error('the bytes differ')
}

async function upload(context: PeerContext, name = 'echo', options: readonly string[] = []): Promise<void> {
  const sent = randomBytes(UPLOAD)
  const file = join(context.folder, `upload-${name}`)
  const folder = join(context.folder, name)
  mkdirSync(folder)
  writeFileSync(file, sent)
  const parameters = ['-m', 'POST', '-d', file, `--download=${folder}`, ...options]
  requireMove(options, await requestBy(context, '/echo', parameters))
  const received = readFileSync(join(folder, 'echo'))
  if (!received.equals(sent)) throw new Error(`${received.length} bytes came back, not the same`)
}

async function manyRequests(context: PeerContext): Promise<void> {
  const output = await requestBy(context, '/health', ['-n', String(REQUESTS)])
  const answered = output.match(/\[:status: 200\]/g)?.length ?? 0
  if (answered !== REQUESTS) throw new Error(`${answered} of ${REQUESTS} requests were answered with 200`)
}

export const gtlsclient: Peer = {
  name: 'gtlsclient',
  stack: 'ngtcp2',
  isRequired: true,
  absence: () => (existsSync(COMMAND) ? undefined : 'apt-get install ngtcp2-client'),
  async run(context) {
    const reference = digestOf((await fetchOverTcp(context.server, `/bytes/${LARGE}`)).body)
    await context.check('GET /bytes/10000000 arrives intact', () => download(context, 'plain', reference, []))
    await context.check('1,000 requests on one connection', () => manyRequests(context))
    await context.check('POST 5 MB to /echo returns the same bytes', () => upload(context))
    await context
      .about('loss')
      .check('GET /bytes/10000000 with 10 % loss each way', () =>
        download(context, 'loss', reference, ['-t', '0.1', '-r', '0.1']),
      )
    for (const cipher of ['AES-128-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']) {
      const ciphers = `NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+${cipher}`
      await context
        .about('ciphers')
        .check(`GET /bytes/10000000 with only ${cipher}`, () =>
          download(context, cipher, reference, [`--ciphers=${ciphers}`]),
        )
    }
    await context
      .about('keyUpdate')
      .check('GET /bytes/10000000 with a key update by the client', () =>
        download(context, 'key-update', reference, ['--key-update=20ms']),
      )
    await context
      .about('migration')
      .check('GET /bytes/10000000 while the client moves to another address', () =>
        download(context, 'migration', reference, ['--change-local-addr=30ms']),
      )
    await context
      .about('migration')
      .check('POST 5 MB to /echo while the client moves to another address', () =>
        upload(context, 'migration-echo', ['--change-local-addr=30ms']),
      )
    // A client that only downloads drops what comes to its old port and says nothing: no server could find it.
    await context
      .about('rebinding')
      .check('POST 5 MB to /echo while a NAT changes the address', () =>
        upload(context, 'rebinding-echo', ['--change-local-addr=30ms', '--nat-rebinding']),
      )
    await context.check('GET /bytes/10000000 with only P-256', () =>
      download(context, 'p256', reference, ['--groups=-GROUP-ALL:+GROUP-SECP256R1']),
    )
  },
}
