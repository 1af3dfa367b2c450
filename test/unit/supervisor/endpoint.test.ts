import { describe, expect, it } from 'vitest'
import { Endpoint } from '../../../src/supervisor/endpoint.ts'
import type { DatagramBatch, RemoteAddress } from '../../../src/transport/connection/index.ts'
import { selectBackends } from '../../../src/transport/crypto/index.ts'
import type { DatagramReceiver, DatagramSocket } from '../../../src/transport/io/datagram-socket.ts'
import { loadIdentity } from '../../../src/transport/tls/index.ts'
import {
  PacketHeader,
  PacketType,
  parsePacketHeader,
  versionAt,
  versionCount,
} from '../../../src/transport/wire/index.ts'
import { SIM_CERTIFICATE, SIM_KEY } from '../../sim/identity.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { Random, seededEntropy } from '../../sim/random.ts'
import { VirtualClock } from '../../sim/virtual-clock.ts'
import { World } from '../../sim/world.ts'
import { SupervisedWorld } from './supervised-world.ts'

const PEER: RemoteAddress = { address: '192.0.2.1', port: 1234, family: 4 }

/** Keeps what is sent, and hands over what a test makes up. */
class HandSocket implements DatagramSocket {
  readonly name = 'hand'
  readonly localAddress = '10.0.0.1'
  readonly localPort = 4433
  isBlocked = false
  readonly sent: Uint8Array[] = []
  receiver: DatagramReceiver = () => {}

  start(receiver: DatagramReceiver): void {
    this.receiver = receiver
  }

  send(batch: DatagramBatch): void {
    for (let index = 0; index < batch.count; index++) {
      const start = batch.starts[index]
      this.sent.push(Uint8Array.from(batch.buffer.subarray(start, start + batch.lengths[index])))
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  deliver(bytes: Uint8Array, remote = PEER): void {
    this.receiver(bytes, 0, bytes.length, remote)
  }
}

function serverOnHand() {
  const socket = new HandSocket()
  const clock = new VirtualClock()
  const endpoint = new Endpoint({
    clock,
    entropy: seededEntropy(new Random(7)),
    sockets: [socket],
    backends: selectBackends(),
    supervision: { maxHalfOpen: 3, maxConnections: 5 },
    server: {
      tls: { identities: [loadIdentity(SIM_CERTIFICATE, SIM_KEY)], alpn: ['h3'] },
      application: () => {
        throw new Error('no application is needed here')
      },
    },
  })
  endpoint.start()
  return { socket, clock, endpoint }
}

/** A long header packet: first byte, version, both IDs, then zeros. */
function longHeader(
  firstByte: number,
  version: number,
  dcid: number[],
  scid: number[],
  size: number,
): Uint8Array {
  const bytes = new Uint8Array(size)
  const head = [firstByte, version >>> 24, version >>> 16, version >>> 8, version]
  bytes.set([...head.map((byte) => byte & 0xff), dcid.length, ...dcid, scid.length, ...scid])
  return bytes
}

const DCID = [1, 2, 3, 4, 5, 6, 7, 8]
const SCID = [9, 8, 7]
const UNKNOWN_VERSION = 0x1a2a3a4a

describe('version negotiation (RFC 9000 section 6)', () => {
  it('answers an unknown version in a datagram of 1,200 bytes, with the IDs swapped', () => {
    const { socket, endpoint } = serverOnHand()
    socket.deliver(longHeader(0xc0, UNKNOWN_VERSION, DCID, SCID, 1_200))
    const [answer] = socket.sent
    const header = new PacketHeader()
    expect(parsePacketHeader(answer, 0, answer.length, 8, header)).toBe(true)
    expect(header.type).toBe(PacketType.versionNegotiation)
    expect([...answer.subarray(header.dcidStart, header.dcidStart + header.dcidLength)]).toEqual(SCID)
    expect([...answer.subarray(header.scidStart, header.scidStart + header.scidLength)]).toEqual(DCID)
    // Ours, and a reserved one that nobody speaks (section 6.3).
    const versions = Array.from({ length: versionCount(header) }, (_, i) => versionAt(answer, header, i))
    expect(versions.length).toBe(3)
    expect(versions).toEqual(expect.arrayContaining([1, 0x6b3343cf]))
    expect(versions.filter((version) => (version & 0x0f0f0f0f) === 0x0a0a0a0a).length).toBe(1)
    expect(endpoint.counters.versionNegotiations).toBe(1)
  })

  it('answers IDs of more than 20 bytes too (RFC 8999 section 6)', () => {
    const { socket } = serverOnHand()
    const long = Array.from({ length: 255 }, (_, index) => index)
    socket.deliver(longHeader(0xc0, UNKNOWN_VERSION, long, long, 1_200))
    expect(socket.sent[0].length).toBe(7 + 255 + 255 + 12)
  })

  it('ignores smaller datagrams (section 5.2.2)', () => {
    const { socket, endpoint } = serverOnHand()
    socket.deliver(longHeader(0xc0, UNKNOWN_VERSION, DCID, SCID, 1_199))
    expect(socket.sent).toHaveLength(0)
    expect(endpoint.counters.unroutable).toBe(1)
  })

  it('never answers version negotiation with version negotiation (section 6.1)', () => {
    const { socket } = serverOnHand()
    socket.deliver(longHeader(0xc0, 0, DCID, SCID, 1_200))
    expect(socket.sent).toHaveLength(0)
  })

  it('answers at most 200 at once and 100 per second', () => {
    const { socket, clock } = serverOnHand()
    for (let index = 0; index < 1_000; index++)
      socket.deliver(longHeader(0xc0, UNKNOWN_VERSION, DCID, SCID, 1_200))
    expect(socket.sent).toHaveLength(200)
    clock.setTimer(clock.now() + 1_000, () => {})
    clock.step()
    for (let index = 0; index < 1_000; index++)
      socket.deliver(longHeader(0xc0, UNKNOWN_VERSION, DCID, SCID, 1_200))
    expect(socket.sent).toHaveLength(300)
  })
})

describe('stateless reset (RFC 9000 section 10.3)', () => {
  const shortHeader = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size).fill(0xaa)
    bytes.set([0x40, ...DCID].slice(0, size))
    return bytes
  }

  it.each([
    [29, 28],
    [40, 39],
    [44, 43],
    [1_200, 43],
  ])('a datagram of %i bytes for nobody gets one of %i', (trigger, answer) => {
    const { socket } = serverOnHand()
    socket.deliver(shortHeader(trigger))
    expect(socket.sent[0]).toHaveLength(answer)
    expect(socket.sent[0][0] & 0xc0).toBe(0x40)
  })

  it('packets that are too short to be one get no answer', () => {
    const { socket, endpoint } = serverOnHand()
    for (let size = 1; size < 29; size++) socket.deliver(shortHeader(size))
    expect(socket.sent).toHaveLength(0)
    expect(endpoint.counters.unroutable).toBe(28)
  })

  it('ends with the token of the connection ID that was used: always the same, different per ID', () => {
    const { socket } = serverOnHand()
    const tokenOf = (bytes: Uint8Array): string => {
      socket.deliver(bytes)
      return Buffer.from(socket.sent.at(-1)!.subarray(-16)).toString('hex')
    }
    const first = tokenOf(shortHeader(100))
    const other = shortHeader(100)
    other[8] ^= 1
    expect(tokenOf(shortHeader(200))).toBe(first)
    expect(tokenOf(other)).not.toBe(first)
  })

  it('is not sent for long headers, and limited in rate', () => {
    const { socket } = serverOnHand()
    socket.deliver(longHeader(0xe0, 1, DCID, SCID, 1_200))
    expect(socket.sent).toHaveLength(0)
    for (let index = 0; index < 1_000; index++) socket.deliver(shortHeader(100))
    expect(socket.sent).toHaveLength(200)
  })

  it('ends a connection whose server has forgotten it', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    for (const entry of [...world.server.entries]) entry.supervisor.kill()
    expect(world.server.entries.size).toBe(0)
    session.request().catch(() => {})
    const reason = await world.run(session.closed, 5_000)
    expect(reason.message).toContain('forgotten')
    expect(world.server.counters.statelessResets).toBeGreaterThan(0)
  })
})

describe('output', () => {
  it('goes through the socket of the handshake, whatever arrives on another one', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200, [], 'fine'))
    const session = await world.connected()
    const [entry] = world.server.entries
    const [id] = entry.supervisor.connection.localIds.active
    const other = new HandSocket()
    const forged = Uint8Array.of(0x40, ...id.bytes, ...new Uint8Array(50))
    world.server.arrivals.receive(other, forged, 0, forged.length, {
      address: '2001:db8::1',
      port: 9,
      family: 6,
    })
    const response = await world.run(session.request(), 5_000)
    expect(await world.run(response.text(), 5_000)).toBe('fine')
    expect(other.sent).toHaveLength(0)
  })
})

describe('accepting connections', () => {
  it.each([
    ['an Initial of 1,199 bytes (RFC 9000 section 14.1)', longHeader(0xc0, 1, DCID, SCID, 1_199)],
    ['an Initial with an ID of 7 bytes (section 7.2)', longHeader(0xc0, 1, DCID.slice(1), SCID, 1_200)],
    ['a Handshake packet for nobody', longHeader(0xe0, 1, DCID, SCID, 1_200)],
    ['an empty datagram', new Uint8Array(0)],
    ['one byte', Uint8Array.of(0xc0)],
    ['a header that promises more than there is', Uint8Array.of(0xc0, 0, 0, 0, 1, 20, 1, 2, 3)],
    ['garbage', new Uint8Array(1_200).fill(0xff)],
  ])('%s is dropped', (_name, bytes) => {
    const { socket, endpoint } = serverOnHand()
    socket.deliver(bytes)
    expect(endpoint.entries.size).toBe(0)
    expect(endpoint.counters.connectionsOpened).toBe(0)
  })

  it('half-open connections are limited, and time out', async () => {
    const world = new World({
      seed: 3,
      handler: () => (exchange) => exchange.respond(200),
      toServer: PERFECT_LINK,
      toClient: PERFECT_LINK,
      supervision: { maxHalfOpen: 2 },
    })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    for (let index = 0; index < 5; index++) world.open().opened.catch(() => {})
    await world.pass(200)
    expect(world.server.entries.size).toBe(2)
    expect(world.server.counters.refused).toBeGreaterThanOrEqual(3)
    world.network.setBlackhole('10.0.0.2:50000', '10.0.0.1:4433', true)
    await world.pass(20_000)
    expect(world.server.entries.size).toBe(0)
    expect(world.server.ids.size).toBe(0)
    expect(world.server.counters.timersArmed).toBe(0)
  })

  it('connections whose handshake is complete do not count as half-open', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200), { maxHalfOpen: 1 })
    const sessions = []
    for (let index = 0; index < 4; index++) sessions.push(await world.connected())
    expect(world.server.entries.size).toBe(4)
    for (const session of sessions) session.close()
    await world.pass(2_000)
    world.expectNothingLeft()
  })

  it('the number of connections is limited', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200), { maxConnections: 2 })
    await world.connected()
    await world.connected()
    const outcome = world.open().opened.then(
      () => 'opened',
      () => 'refused',
    )
    expect(await world.run(outcome, 60_000)).toBe('refused')
  })

  it('a client that is turned away is told so within a round trip (RFC 9000 section 5.2.2)', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200), { maxConnections: 1 })
    await world.connected()
    const refused = world.open()
    const begun = world.clock.now()
    const reason = await world.run(refused.closed, 5_000)
    expect(world.clock.now() - begun).toBeLessThan(1_000)
    expect(refused.connection.closing.info).toMatchObject({ code: 0x02, isLocal: false })
    expect(String(reason)).toContain('CONNECTION_REFUSED')
  })
})
