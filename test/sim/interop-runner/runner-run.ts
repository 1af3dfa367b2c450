// One run of a case of the interop runner in the simulator: a world on the runner's link, the download of files whose
// every byte is known, and what is checked after each case. Used by the cases of this folder.
import assert from 'node:assert/strict'
import type { SessionSettings } from '../../../src/client/open-session.ts'
import type { ClientSession } from '../../../src/client/session.ts'
import type { Exchange } from '../../../src/handlers/exchange.ts'
import { PacketType, QUIC_VERSION_1 } from '../../../src/transport/wire/index.ts'
import { leftovers } from '../leftovers.ts'
import { type LinkProfile, PERFECT_LINK } from '../link-profile.ts'
import { PatternChecker, patternBytes } from '../pattern.ts'
import { World, type WorldOptions } from '../world.ts'
import { Recorder } from './recorder.ts'

/** Both directions where a case says nothing else: 15 ms, 10 Mbit/s, 25 datagrams in the queue. */
export const RUNNER_LINK: LinkProfile = { ...PERFECT_LINK, delay: 15, rate: 1_250, queuePackets: 25 }

/** The runner's megabytes are of 1024 * 1024 bytes. */
export const KB = 1_024
export const MB = 1_024 * KB

/** Time limit of a case where the runner says nothing else, ms. */
const TIME_LIMIT = 60_000
/** Until nothing is left of connections, tickets and probes. */
const AFTERMATH = 1_000_000
const PIECE = 65_536

export interface RunOptions {
  /** Changes of the link, in both directions. */
  readonly link?: Partial<LinkProfile>
  readonly world?: Partial<WorldOptions>
  /** Datagrams to the server that are dropped, by their number from 1. */
  readonly drop?: (number: number) => boolean
  /** Virtual ms from the first packet to the last byte. */
  readonly timeLimit?: number
}

export class RunnerRun {
  readonly recorder = new Recorder()
  readonly world: World
  readonly #deadline: number
  /** Virtual ms that the client took. */
  elapsed = 0
  #start: number

  constructor(seed: number, options: RunOptions = {}) {
    const link = { ...RUNNER_LINK, ...options.link }
    this.world = new World({
      seed,
      handler: () => serveFile,
      toServer: link,
      toClient: link,
      openQlog: this.recorder.openQlog,
      ...options.world,
      network: {
        linkName: (_from, to) =>
          this.world.serverAddresses.includes(to) ? 'to the server' : 'to the client',
        translatesOnArrival: true,
      },
    })
    this.recorder.attach(this.world, options.drop)
    this.#start = this.world.clock.now()
    this.#deadline = this.#start + (options.timeLimit ?? TIME_LIMIT)
  }

  open(settings: Partial<SessionSettings> = {}): ClientSession {
    return this.world.open(settings)
  }

  /** Downloads files of these sizes at once and compares every byte. @throws Error after the time limit of the case */
  async download(session: ClientSession, sizes: readonly number[], suffix = ''): Promise<void> {
    const { world } = this
    const all = sizes.map((size, index) => download(session, `/${index}/${size}${suffix}`, index, size))
    await world.run(Promise.all(all), this.#deadline - world.clock.now())
    this.elapsed = world.clock.now() - this.#start
  }

  /** Lets time pass within the time limit. */
  async until(promise: Promise<unknown>): Promise<void> {
    await this.world.run(promise, this.#deadline - this.world.clock.now())
  }

  /** A connection as the runner's clients make it: open, download, close. */
  async visit(sizes: readonly number[], settings: Partial<SessionSettings> = {}): Promise<ClientSession> {
    const session = this.open(settings)
    await this.download(session, sizes)
    session.close()
    return session
  }

  /**
   * What every case is checked for: the number of handshakes, the versions, and that nothing is left.
   * @param expected versions in the order in which they appear
   */
  async finish(handshakes: number, expected: readonly number[] = [QUIC_VERSION_1]): Promise<void> {
    const { recorder, world } = this
    await world.pass(AFTERMATH)
    assert.deepEqual(leftovers(world), [])
    assert.equal(recorder.handshakes, handshakes, 'handshakes')
    // What the frames of packets are taken from is complete; a corrupted connection ID may get a stateless reset.
    const { statelessResets } = world.server.counters
    assert.equal(recorder.client.onWire, recorder.client.log.length, 'packets that the client logged')
    assert.equal(recorder.server.onWire, recorder.server.log.length + statelessResets, 'and the server')
    const long = recorder.packets.filter(
      ({ type }) => type !== PacketType.oneRtt && type !== PacketType.versionNegotiation,
    )
    assert.deepEqual([...new Set(long.map(({ version }) => version))], expected, 'versions')
  }
}

async function download(session: ClientSession, path: string, key: number, size: number): Promise<void> {
  const response = await session.request({ path })
  assert.equal(response.status, 200)
  const checker = new PatternChecker(key)
  for await (const chunk of response) checker.add(chunk)
  assert.equal(checker.verdict(size), undefined, `file ${path.slice(0, 20)}`)
}

async function serveFile(exchange: Exchange): Promise<void> {
  const [, key, size] = exchange.path.split('/')
  const bytes = Number.parseInt(size ?? '0', 10)
  exchange.begin(200, ['content-length', String(bytes)])
  for (let sent = 0; sent < bytes; sent += PIECE) {
    const room = exchange.write(patternBytes(Number(key), sent, Math.min(PIECE, bytes - sent)))
    if (room !== undefined) await room
  }
  exchange.end()
}
