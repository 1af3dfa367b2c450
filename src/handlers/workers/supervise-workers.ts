// serve({ workers }) in the process that the user started: makes what the workers share, starts them, looks after them,
// and answers for all of them. It has no socket of the port itself. Called by serve().
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSecret, secretOf } from '../../supervisor/endpoint-secret.ts'
import { systemClock } from '../../transport/io/clock.ts'
import { systemEntropy } from '../../transport/io/entropy.ts'
import { bindNodeSocket } from '../../transport/io/node-socket.ts'
import { bindPorts } from '../bind-ports.ts'
import { CertificateStore } from '../certificate-store.ts'
import { reporterOf } from '../fault-report.ts'
import type { QuactorServer, ServeOptions } from '../serve.ts'
import { certificateOf } from '../server-certificate.ts'
import { removeFolder } from './shared-replay-memory.ts'
import { WorkersServer } from './workers-server.ts'

let isSupervising = false

/**
 * Starts the workers; resolves when all of them serve.
 * @throws Error of the system when a port is busy or may not be bound or cannot be shared; Error when a worker does not
 *   start, or when this process has a server with workers already
 */
export async function superviseWorkers(options: ServeOptions, count: number): Promise<QuactorServer> {
  if (process.argv[1] === undefined) {
    throw new Error('workers run the program again, and this one is not in a file')
  }
  if (isSupervising) throw new Error('a process can have one server with workers')
  isSupervising = true
  try {
    return await start(options, count)
  } catch (error) {
    isSupervising = false
    throw error
  }
}

async function start(options: ServeOptions, count: number): Promise<QuactorServer> {
  if (options.secret !== undefined) checkSecret(options.secret)
  const certificate = await certificateOf(options)
  const certificates = new CertificateStore(certificate.chains)
  await checkSharing()
  const { port, address } = await findPort(options, certificates)
  const server = new WorkersServer({
    options,
    count,
    port,
    address,
    certificate,
    secret: secretOf(options.secret, systemEntropy()),
    directory: mkdtempSync(join(tmpdir(), 'quactor-')),
    clock: systemClock(),
    report: reporterOf(options),
    handleEnd: (directory) => {
      isSupervising = false
      removeFolder(directory)
    },
  })
  await server.start()
  return server
}

/** SO_REUSEPORT that spreads datagrams is Linux's and FreeBSD's; elsewhere Node refuses it. */
async function checkSharing(): Promise<void> {
  try {
    const probe = await bindNodeSocket({ address: '127.0.0.1', port: 0, shared: true })
    await probe.close()
  } catch (error) {
    throw new Error(`workers share a port by SO_REUSEPORT, which is not to be had on ${process.platform}`, {
      cause: error,
    })
  }
}

/** Binds the port for a moment and alone: it is free then, and nobody else's workers share it. */
async function findPort(
  { host, port = 4433, tcp, preferredAddress }: ServeOptions,
  certificates: CertificateStore,
): Promise<{ readonly port: number; readonly address: string }> {
  const nobody = { certificates, handler: () => {}, report: () => {} }
  const ports = await bindPorts({
    host,
    port,
    preferred: preferredAddress,
    tcp: tcp === false ? undefined : nobody,
  })
  const [{ localPort, localAddress }] = ports.udp
  await Promise.all([...ports.udp.map((socket) => socket.close()), ...ports.tcp.map((tcp) => tcp.close(0))])
  return { port: localPort, address: localAddress }
}
