/** The server under test: started as a user would start it, with `npm start`, and asked over TCP for references. */
import { createHash, X509Certificate } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { endGroup, start } from './bounded-process.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const READY_TIMEOUT = 30_000
const STOP_TIMEOUT = 40_000

/** What peers and checks need to know of a running server. */
export interface ServerUnderTest {
  readonly origin: string
  readonly port: number
  /** Where it is asked over TCP; absent: on the same port. */
  readonly tcpPort?: number
  /** Origin of the admin port. */
  readonly inspector: string
  readonly spkiHash: string
  /** PEM file with the certificate that the server presents. */
  readonly certificateFile: string
  /** Asks for a drain; resolves with the exit code. */
  stop(): Promise<number | undefined>
}

interface ReadyLine {
  readonly event: 'ready'
  readonly port: number
  readonly inspector: string
  readonly pid: number
  readonly spkiHash: string
}

/** A port that is free for UDP and TCP on the loopback addresses at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as { port: number }
    const udp = createSocket('udp4')
    udp.bind(port, '127.0.0.1')
    const free = await Promise.race([
      once(udp, 'listening').then(() => true),
      once(udp, 'error').then(() => false),
    ])
    udp.close()
    tcp.close()
    await once(tcp, 'close')
    if (free) return port
  }
}

/** Starts `npm start` on free ports and waits for its ready line. */
export async function startServer(folder: string, options: readonly string[]): Promise<ServerUnderTest> {
  const port = await freePort()
  const inspectorPort = await freePort()
  const parameters = ['--port', String(port), '--inspector', String(inspectorPort), '--json', ...options]
  const child = start({
    command: 'npm',
    parameters: ['start', '--silent', '--', ...parameters],
    cwd: PROJECT,
  })
  const log: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString('utf8')))
  const exit = once(child, 'close').then(([code]) => code as number | null)
  const kill = (): void => endGroup(child, 'SIGKILL')
  process.once('exit', kill)
  const ready = await Promise.race([
    readyLine(child.stdout, log),
    exit.then((code) => Promise.reject(new Error(`npm start ended with ${code}: ${log.join('')}`))),
    rejectAfter(READY_TIMEOUT, () => `no ready line after ${READY_TIMEOUT} ms: ${log.join('')}`),
  ]).catch((error: unknown) => {
    kill()
    throw error
  })
  const certificateFile = await saveCertificate(ready.port, folder)
  return {
    origin: `https://localhost:${ready.port}`,
    port: ready.port,
    inspector: new URL(ready.inspector).origin,
    spkiHash: ready.spkiHash,
    certificateFile,
    async stop() {
      process.kill(ready.pid, 'SIGINT')
      const stopped = rejectAfter(STOP_TIMEOUT, () => `still running ${STOP_TIMEOUT} ms after SIGINT`)
      const code = await Promise.race([exit, stopped]).finally(kill)
      if (log.length > 0) console.log(`the server wrote to stderr:\n${log.join('')}`)
      return code ?? undefined
    },
  }
}

/** A server that runs already, described on the command line. */
export async function attachServer(
  origin: string,
  inspector: string,
  spkiHash: string,
  folder: string,
): Promise<ServerUnderTest> {
  const port = Number(new URL(origin).port)
  const certificateFile = await saveCertificate(port, folder)
  return { origin, port, inspector, spkiHash, certificateFile, stop: () => Promise.resolve(0) }
}

async function readyLine(stdout: NodeJS.ReadableStream | null, log: string[]): Promise<ReadyLine> {
  if (stdout === null) throw new Error('the server has no standard output')
  const lines = createInterface({ input: stdout })
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const parsed = line.startsWith('{') ? (JSON.parse(line) as { event?: string }) : undefined
      if (parsed?.event === 'ready') resolve(parsed as ReadyLine)
      else log.push(`${line}\n`)
    })
  })
}

function rejectAfter(milliseconds: number, reason: () => string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(reason())), milliseconds).unref()
  })
}

async function saveCertificate(port: number, folder: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { raw } = socket.getPeerCertificate(true) as DetailedPeerCertificate
  socket.destroy()
  const file = join(folder, 'certificate.pem')
  writeFileSync(file, new X509Certificate(raw).toString())
  return file
}

/** One GET over HTTP/1.1 on TCP: the reference that HTTP/3 answers are compared with. */
export async function fetchOverTcp(
  server: ServerUnderTest,
  path: string,
): Promise<{ status: number; altSvc: string | undefined; body: Buffer }> {
  const sent = request({
    host: '127.0.0.1',
    port: server.tcpPort ?? server.port,
    path,
    servername: 'localhost',
    rejectUnauthorized: false,
  })
  sent.end()
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const altSvc = response.headers['alt-svc']
  return { status: response.statusCode, altSvc, body: Buffer.concat(chunks) }
}

/** SHA-256 in hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
