/**
 * The other way round: servers that nobody here wrote, and quactor's own client (../clients/quactor.ts). Each server says
 * how it is started; certificate, files and checks are the same for all.
 */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'
import { endGroup, runBounded, start } from '../bounded-process.ts'
import { describeEnd, type Peer, type PeerContext, runClient } from '../peer.ts'
import { digestOf, freePort } from '../server.ts'

const INTEROP = fileURLToPath(new URL('..', import.meta.url))
const CLIENT = join(INTEROP, 'clients/quactor.ts')
const RUN_TIMEOUT = 240_000
const READY_TIMEOUT = 10_000
const INSTALL_TIMEOUT = 300_000
const LARGE = 10_000_000

/** What a server is started with. */
interface Site {
  readonly port: number
  readonly folder: string
  /** Files to serve: /health and /large. */
  readonly root: string
  readonly cert: string
  readonly key: string
}

interface ForeignServer {
  readonly name: string
  readonly isRequired: boolean
  absence(): string | undefined
  /** What has to be done before it can be started. */
  install?(folder: string): Promise<void>
  /** Command, parameters and environment of a server on 127.0.0.1 at the site's port. */
  command(site: Site): {
    command: string
    parameters: readonly string[]
    env?: Readonly<Record<string, string>>
  }
  readonly asksForCertificate?: boolean
  /** What the client is to expect of it; see clients/quactor.ts. */
  readonly expected: Readonly<Record<string, string>>
}

async function prepareSite(folder: string): Promise<{ site: Site; digest: string }> {
  const root = join(folder, 'root')
  mkdirSync(root)
  const large = randomBytes(LARGE)
  writeFileSync(join(root, 'large'), large)
  writeFileSync(join(root, 'health'), 'ok\n')
  const { certPem, keyPem } = await createSelfSigned({ names: ['localhost', '127.0.0.1'] })
  const [cert, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  writeFileSync(cert, certPem)
  writeFileSync(key, keyPem, { mode: 0o600 })
  return { site: { port: await freePort(), folder, root, cert, key }, digest: digestOf(large) }
}

/** Waits until somebody has taken the UDP port. */
async function untilTaken(port: number, exited: Promise<string>): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT
  let failure: string | undefined
  void exited.then((log) => {
    failure = log
  })
  while (Date.now() < deadline) {
    if (failure !== undefined) throw new Error(`the server ended: ${failure.slice(-2000)}`)
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createSocket('udp4')
      probe.once('error', () => resolve(false))
      probe.bind({ port, address: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
    })
    if (!isFree) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server did not bind UDP port ${port} within ${READY_TIMEOUT} ms`)
}

async function runServer(context: PeerContext, server: ForeignServer): Promise<void> {
  const { site, digest } = await prepareSite(context.folder)
  await server.install?.(site.folder)
  const child = start({ ...server.command(site), cwd: context.folder })
  let log = ''
  const collect = (chunk: Buffer): void => {
    log = (log + chunk.toString('utf8')).slice(-10_000)
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(String(error)))
    child.once('exit', () => resolve(log))
  })
  try {
    await untilTaken(site.port, exited)
    const env = {
      SERVER_ORIGIN: `https://localhost:${site.port}`,
      SERVER_CA: readFileSync(site.cert, 'utf8'),
      SERVER_LARGE: '/large',
      SERVER_DIGEST: digest,
      ...(server.asksForCertificate === true && {
        SERVER_ASKS: readFileSync(site.cert, 'utf8') + readFileSync(site.key, 'utf8'),
      }),
      ...server.expected,
    }
    await runClient(context, { command: process.execPath, parameters: [CLIENT], timeout: RUN_TIMEOUT, env })
  } finally {
    endGroup(child, 'SIGKILL')
  }
}

function peerOf(server: ForeignServer): Peer {
  return {
    name: server.name,
    isRequired: server.isRequired,
    absence: () => server.absence(),
    run: (context) => runServer(context, server),
  }
}

/** quic-go behind Go's crypto/tls, as Caddy ships it. */
export const caddyServer: Peer = peerOf({
  name: 'caddy server',
  isRequired: true,
  absence: () => (existsSync('/usr/bin/caddy') ? undefined : 'apt-get install caddy'),
  command({ port, folder, root, cert, key }) {
    const file = join(folder, 'Caddyfile')
    writeFileSync(
      file,
      `{
        admin off
        auto_https off
        skip_install_trust
      }
      https://localhost:${port} {
        bind 127.0.0.1
        tls ${cert} ${key}
        root * ${root}
        respond /echo "{http.request.body}"
        file_server
      }`,
    )
    const env = { XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config') }
    return { command: '/usr/bin/caddy', parameters: ['run', '--config', file, '--adapter', 'caddyfile'], env }
  },
  expected: {
    SERVER_ALT_SVC: '1',
    SERVER_ECHO: '10000',
    SERVER_STILL:
      'Caddy 2.6 has a quic-go that answers at the address of the handshake, whatever comes from elsewhere',
  },
})

/** lsquic and BoringSSL, as Bun ships them. */
export const bunServer: Peer = peerOf({
  name: 'bun server',
  isRequired: true,
  absence: () =>
    existsSync(join(INTEROP, 'node_modules/.bin/bun')) ? undefined : 'npm ci --prefix test/interop',
  command: ({ port, root, cert, key }) => ({
    command: join(INTEROP, 'node_modules/.bin/bun'),
    parameters: [join(INTEROP, 'clients/bun-server.mjs'), String(port), root, cert, key],
  }),
  expected: { SERVER_ALT_SVC: '1', SERVER_ECHO: '1000000', SERVER_EARLY: 'its tickets allow none' },
})

/** ngtcp2, nghttp3 and GnuTLS. */
export const gtlsServer: Peer = peerOf({
  name: 'gtlsserver',
  isRequired: true,
  absence: () => (existsSync('/usr/sbin/gtlsserver') ? undefined : 'apt-get install ngtcp2-server'),
  command: ({ port, root, cert, key }) => ({
    command: '/usr/sbin/gtlsserver',
    parameters: ['--quiet', '--verify-client', `--htdocs=${root}`, '127.0.0.1', String(port), key, cert],
  }),
  asksForCertificate: true,
  expected: {},
})

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

/** aioquic, Python. */
export const aioquicServer: Peer = peerOf({
  name: 'aioquic server',
  isRequired: false,
  absence: () => (isOnPath('python3') ? undefined : 'python3 is not on this machine'),
  async install(folder) {
    await runStep('python3', ['-m', 'venv', join(folder, 'venv')])
    await runStep(join(folder, 'venv/bin/python'), ['-m', 'pip', 'install', '--quiet', 'aioquic==1.7.2'])
  },
  command: ({ port, folder, root, cert, key }) => ({
    command: join(folder, 'venv/bin/python'),
    parameters: [join(INTEROP, 'clients/aioquic_server.py'), String(port), root, cert, key],
  }),
  expected: { SERVER_ECHO: '1000000' },
})

async function runStep(command: string, parameters: readonly string[]): Promise<void> {
  const result = await runBounded({ command, parameters, timeout: INSTALL_TIMEOUT })
  const failure = describeEnd(result)
  if (failure !== undefined) throw new Error(`${command}: ${failure}\n${result.output.slice(-2000)}`)
}
