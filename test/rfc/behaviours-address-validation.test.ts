// Behaviours 5 and 6 of the catalogue: Retry and NEW_TOKEN (RFC 9000 sections 8.1 and 17.2.5, RFC 9001 section 5.8).
import { describe, expect, test } from 'vitest'
import { TokenStore } from '../../src/client/token-store.ts'
import { RETRY_THRESHOLD, RETRY_TOKEN_LIFETIME } from '../../src/supervisor/limits.ts'
import { MAX_TOKEN_LENGTH } from '../../src/transport/connection/index.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../src/transport/wire/index.ts'
import { SIM_SERVER_NAME } from '../sim/identity.ts'
import { PERFECT_LINK } from '../sim/link-profile.ts'
import { SERVER_ADDRESS, World, type WorldOptions } from '../sim/world.ts'
import * as frame from './frame-bytes.ts'
import { headerOf, RETRY_ID, RetryFlight, TOKEN } from './retry-flight.ts'
import { Level, ScriptedPeer } from './scripted-peer.ts'

const { TRANSPORT_PARAMETER_ERROR, INVALID_TOKEN, PROTOCOL_VIOLATION } = TransportErrorCode

const SERVER = `${SIM_SERVER_NAME}:${SERVER_ADDRESS.port}`

function worldWith(options: Partial<WorldOptions> = {}): World {
  const handler = () => (exchange: { respond(status: number): void }) => exchange.respond(200)
  return new World({ seed: 1, handler, toServer: PERFECT_LINK, toClient: PERFECT_LINK, ...options })
}

async function opened(world: World, tokens?: TokenStore): Promise<void> {
  const session = world.open({ tokens })
  await world.run(session.opened, 10_000)
  await world.pass(100)
  session.close()
  await world.pass(2_000)
}

describe('5 Retry, as a client sees it (RFC 9000 section 17.2.5.2)', () => {
  test('the ClientHello goes out again, to the new ID, with the token; packet numbers go on', () => {
    const flight = new RetryFlight()
    const again = flight.give(flight.retry())
    expect(again.length).toBe(flight.first.length)
    for (const datagram of again) {
      const header = headerOf(datagram)
      expect(header.type).toBe(PacketType.initial)
      expect(datagram.length).toBe(1_200)
      expect(datagram.subarray(header.dcidStart, header.dcidStart + 8)).toEqual(RETRY_ID)
      expect(datagram.subarray(header.tokenStart, header.tokenStart + header.tokenLength)).toEqual(TOKEN)
    }
    const { recovery } = flight.client.connection
    expect(recovery.nextPacketNumber(0)).toBe(flight.first.length + again.length)
    // RFC 9002 section 6.2.3: what was in flight before the Retry counts no more.
    expect(recovery.bytesInFlight).toBe(1_200 * again.length)
  })

  test('the handshake completes, and both IDs are checked (section 7.3)', () => {
    const flight = new RetryFlight()
    flight.finish(flight.give(flight.retry()))
    expect(flight.client.application.isComplete).toBe(true)
    expect(flight.server!.application.isComplete).toBe(true)
    expect(flight.client.connection.handshake.peer).toMatchObject({
      originalDestinationConnectionId: flight.originalId,
      retrySourceConnectionId: RETRY_ID,
    })
  })

  test.each([
    ['does not speak of it', undefined],
    ['speaks of another one', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    ['speaks of the start of its ID only', RETRY_ID.subarray(0, 7)],
  ])('a server that %s is not the one that sent it (section 7.3)', (_what, announced) => {
    const flight = new RetryFlight()
    flight.finish(flight.give(flight.retry()), announced ?? null)
    expect(flight.client.application.closing).toMatchObject({
      code: TRANSPORT_PARAMETER_ERROR,
      isLocal: true,
    })
  })

  test('a server that speaks of a Retry which never came is refused (section 7.3)', () => {
    const peer = new ScriptedPeer({ role: 'server', parameters: { retrySourceConnectionId: RETRY_ID } })
    peer.handshake()
    expect(peer.close).toMatchObject({ code: TRANSPORT_PARAMETER_ERROR })
  })

  test('one is accepted, not two', () => {
    const flight = new RetryFlight()
    flight.give(flight.retry())
    const other = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1)
    expect(flight.give(flight.retry(other))).toEqual([])
    expect(flight.client.connection.peerIds.current).toEqual(RETRY_ID)
  })

  test('none is accepted after any other packet of the server', () => {
    const peer = new ScriptedPeer({ role: 'server' })
    peer.start()
    peer.send(Level.initial, frame.ping())
    const { retry } = peer.connection
    const flight = new RetryFlight()
    peer.sendDatagram(flight.retry())
    expect(retry.sourceConnectionId).toBeUndefined()
  })

  test.each([
    ['with a wrong integrity tag', (retry: Uint8Array) => (retry[retry.length - 1] ^= 1)],
    ['with a changed token', (retry: Uint8Array) => (retry[retry.length - 30] ^= 1)],
    ['of another version', (retry: Uint8Array) => (retry[4] = 2)],
    ['to another ID', (retry: Uint8Array) => (retry[8] ^= 1)],
  ])('one %s is dropped', (_what, damage) => {
    const flight = new RetryFlight()
    const retry = flight.retry()
    damage(retry)
    expect(flight.give(retry)).toEqual([])
    expect(flight.client.connection.retry.sourceConnectionId).toBeUndefined()
    expect(flight.client.connection.isEnding).toBe(false)
  })

  test('one without a token, with the old ID, or with a token that no packet has room for is dropped', () => {
    const flight = new RetryFlight()
    expect(flight.give(flight.retry(RETRY_ID, new Uint8Array(0)))).toEqual([])
    expect(flight.give(flight.retry(new Uint8Array(flight.originalId)))).toEqual([])
    expect(flight.give(flight.retry(RETRY_ID, new Uint8Array(MAX_TOKEN_LENGTH + 1)))).toEqual([])
    expect(flight.give(flight.retry(RETRY_ID, new Uint8Array(MAX_TOKEN_LENGTH))).length).toBeGreaterThan(1)
  })

  test('Version Negotiation after it is ignored (section 6.2)', () => {
    const flight = new RetryFlight()
    flight.give(flight.retry())
    const ours = flight.client.connection.localIds.first
    const ids = [Uint8Array.of(8), ours, Uint8Array.of(8), flight.originalId]
    flight.give(frame.bytesOf(Uint8Array.of(0xc0, 0, 0, 0, 0), ...ids, Uint8Array.of(0x6b, 0x33, 0x43, 0xcf)))
    expect(flight.client.connection.isEnding).toBe(false)
  })

  test('it means nothing to a server', () => {
    const peer = new ScriptedPeer()
    peer.sendDatagram(new RetryFlight().retry())
    expect(peer.connection.isEnding).toBe(false)
    expect(peer.packets).toEqual([])
  })
})

describe('5 Retry, as a server sends it', () => {
  test('always: nothing is kept for a client before it has proved its address', async () => {
    const world = worldWith({ retry: 'always' })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    world.open().opened.catch(() => {})
    await world.pass(1_000)
    expect(world.server.counters.retries).toBeGreaterThan(0)
    expect(world.server.entries.size).toBe(0)
    expect(world.server.ids.size).toBe(0)
    expect(world.server.counters.connectionsOpened).toBe(0)
  })

  test('always: the answer is smaller than the question', async () => {
    const world = worldWith({ retry: 'always' })
    const sizes: number[] = []
    world.network.trace = ({ from, bytes }) => from.startsWith('10.0.0.1:') && sizes.push(bytes)
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    world.open().opened.catch(() => {})
    await world.pass(1_000)
    expect(Math.max(...sizes)).toBeLessThan(200)
  })

  test('always: a client comes back with its token and is served', async () => {
    const world = worldWith({ retry: 'always' })
    await opened(world)
    expect(world.server.counters).toMatchObject({
      tokensAccepted: 1,
      tokensRejected: 0,
      connectionsOpened: 1,
    })
    expect(world.server.counters.retries).toBeGreaterThan(0)
  })

  test('never: no Retry, however many handshakes are under way', async () => {
    const world = worldWith({ retry: 'never' })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    for (let i = 0; i < RETRY_THRESHOLD + 20; i++) world.open().opened.catch(() => {})
    await world.pass(500)
    expect(world.server.counters.retries).toBe(0)
    expect(world.server.entries.size).toBe(RETRY_THRESHOLD + 20)
  })

  test('auto: beyond the threshold of half-open connections, and no more when they are gone', async () => {
    const world = worldWith({ retry: 'auto' })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    for (let i = 0; i < RETRY_THRESHOLD + 20; i++) world.open().opened.catch(() => {})
    await world.pass(500)
    expect(world.server.entries.size).toBe(RETRY_THRESHOLD + 1)
    expect(world.server.counters.retries).toBeGreaterThanOrEqual(19)
    const { retries } = world.server.counters
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', false)
    await world.pass(20_000)
    await opened(world)
    expect(world.server.counters.retries).toBeGreaterThanOrEqual(retries)
    const settled = world.server.counters.retries
    await opened(world)
    expect(world.server.counters.retries).toBe(settled)
  })

  test('a Retry token that comes too late closes with INVALID_TOKEN (section 8.1.2)', async () => {
    const world = worldWith({ retry: 'always' })
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', true)
    const session = world.open()
    const failure = session.opened.then(
      () => undefined,
      (error: Error) => error,
    )
    await world.pass(900)
    world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', false)
    const wallTime = world.clock.wallTime.bind(world.clock)
    let offset = 0
    world.clock.wallTime = () => wallTime() + offset
    world.network.trace = ({ from }) => {
      // From the moment that the Retry has left, the server's clock is ahead.
      if (from.startsWith('10.0.0.1:')) offset = RETRY_TOKEN_LIFETIME + 1
    }
    await world.run(failure, 20_000)
    expect(session.connection.closing.info).toMatchObject({ code: INVALID_TOKEN, isLocal: false })
    expect(world.server.entries.size).toBe(0)
  })

  test('lifts the 3x limit: nothing of the server waits (section 8.1)', () => {
    const flight = new RetryFlight()
    flight.finish(flight.give(flight.retry()))
    expect(flight.server!.connection.path.sendAllowance).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('6 NEW_TOKEN (RFC 9000 sections 8.1.3 and 19.7)', () => {
  test('a client gets one after the handshake, and needs no Retry with it next time', async () => {
    const world = worldWith({ retry: 'always' })
    const tokens = new TokenStore()
    await opened(world, tokens)
    expect(tokens.size).toBe(1)
    const { retries } = world.server.counters
    await opened(world, tokens)
    expect(world.server.counters).toMatchObject({ retries, tokensAccepted: 2, tokensRejected: 0 })
    expect(tokens.size).toBe(1)
  })

  test('one used twice is treated as absent: there is a Retry, and the connection works', async () => {
    const world = worldWith({ retry: 'always' })
    const tokens = new TokenStore()
    await opened(world, tokens)
    const token = tokens.take(SERVER)!
    tokens.put(SERVER, token)
    await opened(world, tokens)
    tokens.put(SERVER, token)
    const { retries } = world.server.counters
    await opened(world, tokens)
    // Once per datagram of the first flight.
    expect(world.server.counters.tokensRejected).toBeGreaterThan(0)
    expect(world.server.counters.retries).toBeGreaterThan(retries)
    expect(world.server.counters.connectionsOpened).toBe(3)
  })

  test('one that is no token of ours is treated as absent, and needs no Retry without need', async () => {
    const world = worldWith({ retry: 'auto' })
    const tokens = new TokenStore()
    tokens.put(SERVER, new Uint8Array(70).fill(3))
    await opened(world, tokens)
    expect(world.server.counters).toMatchObject({ tokensRejected: 1, retries: 0, connectionsOpened: 1 })
  })

  test('one from another address is treated as absent', async () => {
    const world = worldWith({ retry: 'always' })
    const tokens = new TokenStore()
    await opened(world, tokens)
    const { retries } = world.server.counters
    const session = world.open({ tokens }, world.addClient())
    await world.run(session.opened, 10_000)
    expect(world.server.counters.tokensRejected).toBeGreaterThan(0)
    expect(world.server.counters.retries).toBeGreaterThan(retries)
  })

  test('is sent again until it is acknowledged (section 13.3)', () => {
    const peer = new ScriptedPeer({ connection: { newToken: () => TOKEN } }).handshake()
    const sent = () => peer.frames(FrameType.newToken, Level.application).length
    peer.advance(100)
    expect(sent()).toBe(1)
    peer.advance(5_000)
    expect(sent()).toBe(1)
    const silent = new ScriptedPeer({ autoAck: false, connection: { newToken: () => TOKEN } }).handshake()
    silent.advance(5_000)
    expect(silent.frames(FrameType.newToken).length).toBeGreaterThan(1)
    expect(
      silent.packets.filter(({ level }) => level < 2).flatMap((packet) => packet.frames),
    ).not.toContainEqual(expect.objectContaining({ type: FrameType.newToken }))
  })

  test('a client keeps a copy of what it gets, unless it is too long to be sent', () => {
    const kept: Uint8Array[] = []
    const connection = { handleNewToken: (token: Uint8Array) => kept.push(token) }
    const peer = new ScriptedPeer({ role: 'server', connection }).handshake()
    const frameOf = (token: Uint8Array) => frame.bytesOf(0x07, token.length, token)
    peer.send(Level.application, frameOf(TOKEN), frameOf(new Uint8Array(MAX_TOKEN_LENGTH + 1)))
    expect(kept).toEqual([TOKEN])
  })

  test('a server takes none', () => {
    const peer = new ScriptedPeer().handshake()
    peer.send(Level.application, frame.bytesOf(0x07, 1, 1))
    expect(peer.close).toMatchObject({ code: PROTOCOL_VIOLATION })
  })
})
