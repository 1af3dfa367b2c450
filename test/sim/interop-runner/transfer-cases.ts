// The cases of the interop runner that move files: over the plain link, a link that loses, corrupts or goes dark, and
// with other ciphers, keys and addresses.
import assert from 'node:assert/strict'
import { backends } from '../world.ts'
import { KB, MB, RunnerRun } from './runner-run.ts'

const BLACKHOLE = { on: 5_000, off: 7_000 } as const
const CHACHA20 = 0x1303
const V6 = (host: string, port: number) => ({ address: host, port, family: 6 }) as const

export async function handshake(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  await run.visit([KB])
  assert.equal(run.world.server.counters.retries, 0)
  await run.finish(1)
}

export async function transfer(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  await run.visit([2 * MB, 3 * MB, 5 * MB])
  // Windows that did not grow would let one stream carry 2 MB in eight round trips and 10 MB in much longer.
  assert.ok(run.elapsed < 12_000, `${run.elapsed} ms`)
  await run.finish(1)
}

/** The client takes the round trip of 1.5 s for a loss: its ClientHello goes out more than once. */
export async function longRtt(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { link: { delay: 750 } })
  await run.visit([KB])
  const hellos = run.recorder.client.log.filter(
    ({ type, frames }) =>
      type === 'initial' && frames.some((frame) => frame.frame_type === 'crypto' && frame.offset === 0),
  )
  assert.ok(hellos.length >= 2, `${hellos.length} ClientHellos`)
  await run.finish(1)
}

export async function chacha20(seed: number): Promise<void> {
  const clientBackends = {
    name: 'chacha20 only',
    preferredSuites: [CHACHA20],
    aeadFor: backends.aeadFor.bind(backends),
    headerProtectorFor: backends.headerProtectorFor.bind(backends),
  }
  const run = new RunnerRun(seed, { world: { clientBackends } })
  const session = await run.visit([3 * MB])
  assert.equal(session.connection.tls.cipherSuite?.id, CHACHA20)
  await run.finish(1)
}

export async function multiplexing(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  await run.visit(new Array<number>(1_999).fill(32))
  const limits = run.recorder.client.parameters.map(({ initial_max_streams_bidi: limit }) => limit)
  assert.equal(limits.filter((limit) => typeof limit === 'number' && limit <= 1_000).length, 1)
  await run.finish(1)
}

export async function http3(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  await run.visit([5 * KB, 10 * KB, 500 * KB])
  await run.finish(1)
}

export async function blackhole(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  const { world } = run
  const setDark = (isDark: boolean): void => {
    const [server] = world.serverAddresses
    world.network.setBlackhole(server!, world.clientSocket.key, isDark)
    world.network.setBlackhole(world.clientSocket.key, server!, isDark)
  }
  const start = world.clock.now()
  world.clock.setTimer(start + BLACKHOLE.on, () => setDark(true))
  world.clock.setTimer(start + BLACKHOLE.off, () => setDark(false))
  await run.visit([10 * MB])
  // Nine seconds of transfer and two of darkness, and not long until somebody notices the light.
  assert.ok(run.elapsed > 10_500 && run.elapsed < 14_500, `${run.elapsed} ms`)
  await run.finish(1)
}

/** Both sides send packets of key phase 1, and the client of the runner begins. */
export async function keyUpdate(seed: number): Promise<void> {
  const run = new RunnerRun(seed)
  const session = run.open()
  await run.until(session.opened)
  const { connection } = session
  const request = (): void => {
    if (!connection.updateKeys()) run.world.clock.setTimer(run.world.clock.now() + 20, request)
  }
  request()
  await run.download(session, [3 * MB])
  session.close()
  for (const { log } of [run.recorder.client, run.recorder.server])
    assert.ok(log.some(({ type, keyPhase }) => type === '1RTT' && keyPhase))
  await run.finish(1)
}

export async function transferLoss(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { link: { loss: 0.02, lossBurst: 3 } })
  await run.visit([2 * MB])
  await run.finish(1)
}

export async function transferCorruption(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { link: { corrupt: 0.02, corruptBurst: 3, corruptWithin: 51 } })
  await run.visit([2 * MB])
  await run.finish(1)
}

export async function ipv6(seed: number): Promise<void> {
  const addresses = {
    serverAddress: V6('fd00:cafe:cafe:100::100', 443),
    clientAddress: V6('fd00:cafe:cafe::100', 50_000),
  }
  const run = new RunnerRun(seed, { world: addresses })
  await run.visit([5 * KB, 10 * KB])
  for (const { from, to } of run.recorder.packets) assert.ok(from.startsWith('fd00') && to.startsWith('fd00'))
  await run.finish(1)
}
