/**
 * The same clients once more where the network or the server is not so kind: through a proxy that loses 2 % each way,
 * through one that gives them new addresses, against a server that answers everybody with a Retry, and against one that
 * prefers version 2.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LossyProxy, type ProxyOptions } from '../lossy-proxy.ts'
import type { Peer, PeerContext } from '../peer.ts'
import { type ServerUnderTest, startServer } from '../server.ts'
import { readMetric, readStatus, waitUntilQuiet } from '../status.ts'
import { gtlsclient, requestBy } from './gtlsclient.ts'
import { quinn } from './quinn.ts'
import { aioquic, bun, chromium, currentspace, deno, impit, quicGo } from './scripted.ts'

const LOSS = 0.02
const UPLOAD = 1_000_000
/** Datagrams of the client: few enough that an upload has three new addresses. */
const REBIND_AFTER = 150

/** The transfers; what else the clients can do was looked at before. */
const TRANSFERS = /^(QUIC handshake|GET \/|POST )/

/** ngtcp2 as the others are run: a download and an upload. */
const ngtcp2: Peer = {
  name: 'gtlsclient',
  stack: 'ngtcp2',
  isRequired: true,
  absence: gtlsclient.absence,
  async run(context) {
    const body = join(context.folder, 'upload')
    writeFileSync(body, new Uint8Array(UPLOAD).fill(7))
    await context.check('GET /bytes/1000000', async () => {
      await requestBy(context, '/bytes/1000000', ['--quiet'])
    })
    await context.check('POST 1 MB to /echo', async () => {
      const output = await requestBy(context, '/echo', ['-m', 'POST', '-d', body])
      if (!output.includes('[:status: 200]')) throw new Error('no response with status 200')
    })
  },
}

const CLIENTS: readonly Peer[] = [ngtcp2, chromium, bun, impit, deno, quicGo, aioquic, quinn, currentspace]

function behind(server: ServerUnderTest, proxy: LossyProxy): ServerUnderTest {
  const { port } = proxy
  return { ...server, port, origin: `https://localhost:${port}`, tcpPort: server.port }
}

async function throughProxy(
  context: PeerContext,
  what: ProxyOptions,
  run: (proxied: ServerUnderTest, proxy: LossyProxy) => Promise<void>,
): Promise<void> {
  const proxy = await LossyProxy.start(what)
  try {
    await run(behind(context.server, proxy), proxy)
  } finally {
    proxy.close()
  }
}

async function withLoss(context: PeerContext, client: Peer, stack: string): Promise<void> {
  await throughProxy(context, { target: context.server.port, loss: LOSS }, async (server, proxy) => {
    const here = context.about('loss', { server, stack, only: TRANSFERS })
    await client.run(here)
    const { lost } = proxy.counters
    await here.check(`${lost} datagrams of ${client.name} were lost on the way`, async () => {
      if (lost === 0) throw new Error('the network was kind')
    })
  })
}

/** Uploads: a client that only waits for data says nothing, and its server cannot know where it is. */
async function withRebinding(context: PeerContext, client: Peer, stack: string): Promise<void> {
  const what = { target: context.server.port, rebindAfter: REBIND_AFTER }
  await throughProxy(context, what, async (server, proxy) => {
    const here = context.about('rebinding', { server, stack, only: /^(QUIC handshake|GET \/ |POST )/ })
    await client.run(here)
    const { rebindings } = proxy.counters
    await here.check(`${client.name} had ${rebindings} more addresses`, async () => {
      if (rebindings === 0) throw new Error('it was done before the first')
    })
  })
}

async function withRetry(context: PeerContext, server: ServerUnderTest, client: Peer, stack: string) {
  const before = await readMetric(server.inspector, 'retries_total')
  const here = context.about('retry', { server, stack, only: TRANSFERS })
  await client.run(here)
  await here.check(`${client.name} came back from a Retry`, async () => {
    if ((await readMetric(server.inspector, 'retries_total')) === before) throw new Error('there was none')
  })
}

/** How many connections the server has taken without having sent a Retry. */
async function spared({ inspector }: ServerUnderTest): Promise<number> {
  const { connections } = await readStatus(inspector)
  return connections.opened - (await readMetric(inspector, 'retries_total'))
}

/** The second visit of a client that keeps tokens needs no Retry, although everybody else gets one. */
async function withToken(context: PeerContext, server: ServerUnderTest, client: Peer) {
  const before = await spared(server)
  const here = context.about('newToken', { server, stack: client.name, only: /comes back with a token/ })
  await client.run(here)
  await here.check(`the token of ${client.name} spared it a Retry`, async () => {
    const count = (await spared(server)) - before
    if (count !== 1) throw new Error(`${count} connections without a Retry`)
  })
}

/** One after another, each in its own row of the table. */
async function forEach(context: PeerContext, run: (client: Peer, stack: string) => Promise<void>) {
  for (const client of CLIENTS) {
    if (client.absence() !== undefined) continue
    const stack = client.stack ?? client.name
    try {
      await run(client, stack)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      context.about('loss', { stack }).record(`${client.name} runs`, reason)
    }
  }
}

async function serverOf(
  context: PeerContext,
  options: string[],
  use: (server: ServerUnderTest) => Promise<void>,
) {
  const server = await startServer(context.folder, options)
  try {
    await use(server)
    await context.check('nothing is left behind', async () => {
      await waitUntilQuiet(server.inspector)
    })
  } finally {
    await server.stop()
  }
}

export const loss: Peer = {
  name: 'loss',
  stack: 'all',
  isRequired: true,
  absence: () => undefined,
  run: (context) => forEach(context, (client, stack) => withLoss(context, client, stack)),
}

export const rebinding: Peer = {
  name: 'rebinding',
  stack: 'all',
  isRequired: true,
  absence: () => undefined,
  run: (context) => forEach(context, (client, stack) => withRebinding(context, client, stack)),
}

export const retryForAll: Peer = {
  name: 'retry for all',
  stack: 'all',
  isRequired: true,
  absence: () => undefined,
  run: (context) =>
    serverOf(context, ['--retry', 'always'], async (server) => {
      await forEach(context, (client, stack) => withRetry(context, server, client, stack))
      // quic-go's first flight is two datagrams, each of which gets a Retry: there is nothing to count.
      for (const client of [aioquic, quinn])
        if (client.absence() === undefined) await withToken(context, server, client)
    }),
}
