// Two workers behind one port in virtual time: what the kernel does, and when, is up to the test.
import { describe, expect, it } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import { http3Service } from '../../src/handlers/http3-service.ts'
import { Endpoint } from '../../src/supervisor/endpoint.ts'
import type { DatagramBatch } from '../../src/transport/connection/index.ts'
import { selectBackends } from '../../src/transport/crypto/index.ts'
import type { DatagramReceiver, DatagramSocket } from '../../src/transport/io/datagram-socket.ts'
import { loadIdentity } from '../../src/transport/tls/index.ts'
import { SIM_CERTIFICATE, SIM_KEY } from './identity.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { Random, seededEntropy } from './random.ts'
import { World } from './world.ts'

const SIZE = 400_000
const LOSSY: LinkProfile = { ...PERFECT_LINK, loss: 0.03 }
const identity = loadIdentity(SIM_CERTIFICATE, SIM_KEY)
const backends = selectBackends()

/** A worker's own socket of the port that they share. */
class WorkerSocket implements DatagramSocket {
  readonly name = 'shared'
  readonly localAddress: string
  readonly localPort: number
  readonly isBlocked = false
  receiver: DatagramReceiver = () => {}
  readonly #port: DatagramSocket

  constructor(port: DatagramSocket) {
    this.#port = port
    this.localAddress = port.localAddress
    this.localPort = port.localPort
  }

  start(receiver: DatagramReceiver): void {
    this.receiver = receiver
  }

  send(batch: DatagramBatch): void {
    this.#port.send(batch)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

class WorkersWorld extends World {
  readonly workers: Endpoint[] = []
  readonly #sockets: WorkerSocket[] = []
  readonly #retry: 'always' | 'never'
  /** What the kernel does with a datagram from this port. */
  choose = (port: number): number => port % 2

  constructor(link: LinkProfile = PERFECT_LINK, retry: 'always' | 'never' = 'never') {
    super({ seed: 3, handler: () => () => {}, toServer: link, toClient: link })
    this.#retry = retry
    for (const index of [0, 1]) this.startWorker(index)
    this.serverSocket.start((buffer, start, end, remote, ecn) => {
      this.#sockets[this.choose(remote.port)].receiver(buffer, start, end, remote, ecn)
    })
  }

  /** A second one of the same number takes the place of the first, without knowing its connections. */
  startWorker(index: number): void {
    const socket = new WorkerSocket(this.serverSocket)
    const worker = new Endpoint({
      clock: this.clock,
      entropy: seededEntropy(new Random(100 + 10 * index + this.workers.length)),
      sockets: [socket],
      backends,
      secret: new Uint8Array(32).fill(7),
      retry: this.#retry,
      supervision: { invariants: 'check' },
      server: {
        tls: { identities: [identity], alpn: ['h3'] },
        application: http3Service((exchange) => exchange.respond(200, [], new Uint8Array(SIZE))),
      },
      worker: {
        index,
        count: 2,
        since: this.clock.wallTime(),
        send: (to, buffer, start, end, remote, number, ecn) => {
          const bytes = new Uint8Array(buffer.subarray(start, end))
          this.clock.immediate(() => this.workers[to].takeOver(number, bytes, 0, bytes.length, remote, ecn))
          return true
        },
      },
    })
    worker.start()
    this.workers[index] = worker
    this.#sockets[index] = socket
  }

  async connected(): Promise<ClientSession> {
    const session = this.open()
    await this.run(session.opened, 10_000)
    // Confirmed on both sides: before, nobody may move (RFC 9000 section 9).
    await this.pass(1_000)
    return session
  }

  async download(session: ClientSession): Promise<number> {
    const response = await session.request({ path: '/' })
    return (await response.bytes()).length
  }

  /** Takes one number of both workers. */
  both(
    name: 'connectionsOpened' | 'handedOver' | 'takenOver' | 'statelessResets' | 'tokensAccepted',
  ): number[] {
    return this.workers.map(({ counters }) => counters[name])
  }
}

describe('two workers behind one port', () => {
  it('whatever the kernel gives to the wrong one after a rebinding reaches the connection', async () => {
    const world = new WorkersWorld()
    const session = await world.connected()
    expect(world.both('connectionsOpened')).toEqual([1, 0])
    const download = world.download(session)
    await world.pass(30)
    world.network.rebind(world.clientSocket, '10.0.0.2', 50_001)
    // A client that says nothing after its address has changed cannot be found by any server.
    expect(await world.run(world.download(session), 20_000)).toBe(SIZE)
    expect(await world.run(download, 20_000)).toBe(SIZE)
    const [handed, taken] = [world.both('handedOver'), world.both('takenOver')]
    expect(handed[1]).toBeGreaterThan(10)
    expect(taken).toEqual([handed[1], handed[0]])
    expect(world.both('connectionsOpened')).toEqual([1, 0])
    expect(world.both('statelessResets')).toEqual([0, 0])
  })

  it('a client that is rebound again and again on a lossy path finishes', async () => {
    const world = new WorkersWorld(LOSSY)
    const session = await world.connected()
    for (let round = 0; round < 6; round++) {
      world.network.rebind(world.clientSocket, '10.0.0.2', 50_001 + round)
      expect(await world.run(world.download(session), 60_000)).toBe(SIZE)
    }
    expect(world.both('connectionsOpened')).toEqual([1, 0])
    expect(world.both('handedOver')[1]).toBeGreaterThan(0)
  })

  it('a handshake goes on although the kernel changes its mind in the middle of it', async () => {
    const world = new WorkersWorld()
    let datagrams = 0
    // The ClientHello takes two datagrams; what follows bears the ID that worker 0 has chosen.
    world.choose = () => (datagrams++ < 2 ? 0 : 1)
    const session = await world.connected()
    expect(await world.run(world.download(session), 20_000)).toBe(SIZE)
    expect(world.both('connectionsOpened')).toEqual([1, 0])
    expect(world.both('handedOver')[0]).toBe(0)
  })

  it('a Retry token comes back to the worker that made it', async () => {
    const world = new WorkersWorld(PERFECT_LINK, 'always')
    let datagrams = 0
    world.choose = () => (datagrams++ < 2 ? 0 : 1)
    const session = await world.connected()
    expect(await world.run(world.download(session), 20_000)).toBe(SIZE)
    expect(world.both('tokensAccepted')).toEqual([1, 0])
    expect(world.both('connectionsOpened')).toEqual([1, 0])
  })

  it('only the successor of a worker resets its connections (RFC 9000 section 21.11)', async () => {
    const world = new WorkersWorld()
    const session = await world.connected()
    world.choose = () => 1
    world.startWorker(0)
    const download = world.download(session)
    await expect(world.run(download, 20_000)).rejects.toThrow()
    expect(world.both('statelessResets')[0]).toBeGreaterThan(0)
    expect(world.both('statelessResets')[1]).toBe(0)
    expect(world.both('handedOver')[1]).toBeGreaterThan(0)
  })
})
