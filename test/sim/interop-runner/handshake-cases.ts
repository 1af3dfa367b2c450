// The cases of the interop runner that are about handshakes: Retry, resumption, early data, the limit against
// amplification, version 2, and fifty handshakes over links that lose or corrupt 30 %.
import assert from 'node:assert/strict'

import type { ClientSession } from '../../../src/client/session.ts'
import { MemorySessionStore } from '../../../src/client/session-store.ts'
import { PacketType, QUIC_VERSION_1, QUIC_VERSION_2 } from '../../../src/transport/wire/index.ts'
import type { LinkProfile } from '../link-profile.ts'
import { longChain } from './long-chain.ts'
import { KB, RunnerRun } from './runner-run.ts'

const ORIGIN = 'https://server'
const CONNECTIONS = 50
const MULTICONNECT_LIMIT = 300_000
const ZERO_RTT_FILES = 40
const ZERO_RTT_NAME = 250

export async function retry(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { world: { retry: 'always' } })
  await run.visit([10 * KB])
  const { recorder } = run
  const [answer] = recorder.sent('server', PacketType.retry)
  assert.ok(answer !== undefined && answer.token !== '', 'a Retry with a token')
  const initials = recorder.sent('client', PacketType.initial)
  assert.ok(
    initials.some(({ token, at }) => token === answer.token && at > answer.at),
    'the token comes back',
  )
  const numbers = recorder.client.log.filter(({ type }) => type === 'initial').map(({ number }) => number)
  assert.ok(
    numbers.every((number, index) => index === 0 || number > numbers[index - 1]!),
    `packet numbers ${numbers.join()}`,
  )
  await run.finish(1)
}

/** Two visits, of which the second has what the first was given. */
class Visitor {
  readonly store = new MemorySessionStore()
  readonly run: RunnerRun

  constructor(run: RunnerRun) {
    this.run = run
  }

  open(earlyData: boolean): ClientSession {
    const session = this.store.take(ORIGIN)
    return this.run.open({ resumption: { store: this.store, origin: ORIGIN, session, earlyData } })
  }
}

export async function resumption(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { world: { resumption: {} } })
  const visitor = new Visitor(run)
  const first = visitor.open(false)
  await run.download(first, [5 * KB])
  await run.until(first.resumable)
  first.close()
  const second = visitor.open(false)
  await run.download(second, [10 * KB])
  second.close()
  const certificates = [first, second].map(({ connection }) => connection.tls.peerCertificates.length)
  assert.deepEqual(certificates, [1, 0], 'certificates')
  assert.deepEqual([first.isResumed, second.isResumed], [false, true])
  await run.finish(2)
}

export async function zeroRtt(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { world: { resumption: { earlyData: true } } })
  const visitor = new Visitor(run)
  const first = visitor.open(false)
  await run.until(first.opened)
  await run.until(first.resumable)
  first.close()
  const before = run.recorder.client.log.length
  const second = visitor.open(true)
  const name = `/${'abcdefghijklmnopqrstuvwxyz'.repeat(10)}`.slice(0, ZERO_RTT_NAME)
  await run.download(second, new Array<number>(ZERO_RTT_FILES).fill(32), name)
  assert.equal(second.earlyData, 'accepted')
  second.close()
  const sizes = { early: 0, late: 0 }
  for (const { type, frames } of run.recorder.client.log.slice(before)) {
    for (const frame of frames) {
      if (frame.frame_type !== 'stream') continue
      const { payload_length: length } = frame.raw as { payload_length: number }
      if (type === '0RTT') sizes.early += length
      else sizes.late += length
    }
  }
  assert.ok(sizes.early > 0)
  assert.ok(sizes.late <= (ZERO_RTT_FILES * ZERO_RTT_NAME) / 2, `${sizes.late} bytes came late`)
  await run.finish(2)
}

/** Nine certificates do not fit into three times the first datagram, and the client's next six get lost. */
export async function amplificationLimit(seed: number): Promise<void> {
  const identity = longChain()
  const received = { bytes: 0 }
  const sent = { bytes: 0 }
  const run = new RunnerRun(seed, { world: { identity }, drop: (number) => number >= 2 && number <= 7 })
  const { world, recorder } = run
  const deliver = world.serverSocket.deliver.bind(world.serverSocket)
  let isProved = false
  world.serverSocket.deliver = (bytes, remote) => {
    received.bytes += bytes.length
    deliver(bytes, remote)
    isProved ||= recorder.sent('client', PacketType.handshake).length > 0
  }
  const send = world.serverSocket.send.bind(world.serverSocket)
  world.serverSocket.send = (batch) => {
    for (let i = 0; i < batch.count; i++) sent.bytes += batch.lengths[i]!
    assert.ok(isProved || sent.bytes <= 3 * received.bytes, `${sent.bytes} sent for ${received.bytes}`)
    send(batch)
  }
  await run.visit([5 * KB])
  const offsets = recorder.server.log
    .filter(({ type }) => type === 'handshake')
    .flatMap(({ frames }) => frames.map(({ offset }) => Number(offset ?? 0)))
  assert.ok(Math.max(...offsets) >= 7_500, 'the chain is long')
  await run.finish(1)
}

/**
 * Fifty connections, one after the other. Of a ClientHello in two datagrams, four attempts in ten seconds are too few
 * for one handshake in 1,500: both sides are given as long as the case has for all.
 */
async function multiconnect(seed: number, link: Partial<LinkProfile>): Promise<void> {
  const transport = { handshakeTimeout: MULTICONNECT_LIMIT, maxIdleTimeout: MULTICONNECT_LIMIT }
  const run = new RunnerRun(seed, { link, timeLimit: MULTICONNECT_LIMIT, world: { transport } })
  for (let i = 0; i < CONNECTIONS; i++) await run.visit([KB])
  await run.finish(CONNECTIONS)
}

export function handshakeLoss(seed: number): Promise<void> {
  return multiconnect(seed, { loss: 0.3, lossBurst: 3 })
}

export function handshakeCorruption(seed: number): Promise<void> {
  return multiconnect(seed, { corrupt: 0.3, corruptBurst: 3, corruptWithin: 51 })
}

export async function version2(seed: number): Promise<void> {
  const run = new RunnerRun(seed, { world: { serverVersions: [QUIC_VERSION_2, QUIC_VERSION_1] } })
  await run.visit([KB])
  const versions = (side: 'client' | 'server', type: number): number[] => [
    ...new Set(run.recorder.sent(side, type).map(({ version }) => version)),
  ]
  assert.equal(versions('client', PacketType.initial)[0], QUIC_VERSION_1)
  assert.ok(versions('server', PacketType.initial).includes(QUIC_VERSION_2))
  for (const side of ['client', 'server'] as const)
    assert.deepEqual(versions(side, PacketType.handshake), [QUIC_VERSION_2])
  await run.finish(1, [QUIC_VERSION_1, QUIC_VERSION_2])
}
