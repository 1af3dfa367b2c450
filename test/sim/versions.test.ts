// Versions between whole endpoints: Version Negotiation and what a client makes of it, forged ones, Retry in version 2,
// tickets and tokens that stay with their version (RFC 9368, RFC 9369).
import { describe, expect, it } from 'vitest'
import { settingsAfterNegotiation } from '../../src/client/open-session.ts'
import { MemorySessionStore } from '../../src/client/session-store.ts'
import { encodeVersionNegotiation, QUIC_VERSION_1, QUIC_VERSION_2 } from '../../src/transport/wire/index.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { SERVER_ADDRESS, World, type WorldOptions } from './world.ts'

const V1 = QUIC_VERSION_1
const V2 = QUIC_VERSION_2

function worldOf(versions: readonly number[] | undefined, options: Partial<WorldOptions> = {}): World {
  return new World({
    seed: 3,
    toServer: PERFECT_LINK,
    toClient: PERFECT_LINK,
    handler: () => (exchange) => exchange.respond(200, [], 'hello'),
    ...(versions && { serverVersions: versions }),
    ...options,
  })
}

async function hello(world: World, settings: Parameters<World['open']>[0]): Promise<number> {
  const session = world.open(settings)
  const text = session.request({ path: '/' }).then((response) => response.text())
  expect(await world.run(text, 10_000)).toBe('hello')
  const { version } = session.connection
  await world.run(session.end(), 10_000)
  return version
}

async function expectClean(world: World): Promise<void> {
  await world.pass(130_000)
  expect(leftovers(world)).toEqual([])
}

describe('versions between endpoints', () => {
  it.each([
    ['nothing said', undefined, undefined, V1],
    ['the server prefers version 2', [V2, V1], undefined, V2],
    ['the client prefers version 2', undefined, [V2, V1], V2],
    ['both speak version 2 only', [V2], [V2], V2],
    ['the client speaks version 1 only', [V2, V1], [V1], V1],
  ] as const)('%s', async (_title, server, client, expected) => {
    const world = worldOf(server)
    expect(await hello(world, client === undefined ? {} : { versions: client })).toBe(expected)
    await expectClean(world)
  })

  it('Retry in version 2 has the integrity tag of version 2 (RFC 9369 section 3.3.3)', async () => {
    const world = worldOf([V2], { retry: 'always' })
    expect(await hello(world, { versions: [V2] })).toBe(V2)
    expect(world.server.counters.retries).toBeGreaterThan(0)
    await expectClean(world)
  })

  it('Retry and then a move: the Retry has the first version', async () => {
    const world = worldOf([V2, V1], { retry: 'always' })
    expect(await hello(world, {})).toBe(V2)
    await expectClean(world)
  })

  it('tickets belong to the negotiated version (RFC 9369 section 5)', async () => {
    const world = worldOf([V2, V1], { resumption: {} })
    const store = new MemorySessionStore()
    const session = world.open({ resumption: { store, origin: 'https://sim' } })
    await world.run(session.resumable, 10_000)
    const stored = store.take('https://sim')!
    expect(stored.ticket.version).toBe(V2)
    await world.run(session.end(), 10_000)
    const resume = async (versions: readonly number[], version?: number): Promise<boolean> => {
      const again = world.open({
        versions,
        version,
        resumption: { store, origin: 'https://sim', session: stored },
      })
      await world.run(again.opened, 10_000)
      await world.run(again.end(), 10_000)
      return again.isResumed
    }
    expect(await resume([V1], V1)).toBe(false)
    expect(await resume([V1, V2], V1)).toBe(false)
    // Without being told it begins with the version of the ticket.
    expect(await resume([V1, V2])).toBe(true)
    expect(await resume([V2])).toBe(true)
  })
})

describe('a client and Version Negotiation packets (RFC 9368 sections 2.1 and 4)', () => {
  it('tries again with the version that both speak', async () => {
    const world = worldOf([V2])
    const settings = { versions: [V1, V2] }
    const first = world.open(settings)
    await world.run(
      first.opened.catch(() => {}),
      10_000,
    )
    const next = settingsAfterNegotiation(first, {
      remote: SERVER_ADDRESS,
      serverName: '',
      authority: '',
      ...settings,
    })
    expect(next).toMatchObject({ version: V2, afterVersionNegotiation: true })
    const { version, versions, afterVersionNegotiation } = next!
    expect(await hello(world, { version, versions, afterVersionNegotiation })).toBe(V2)
    await expectClean(world)
  })

  it('gives up when there is none, or when that was not the reason', async () => {
    const world = worldOf([V2])
    const first = world.open({ versions: [V1] })
    await world.run(
      first.opened.catch(() => {}),
      10_000,
    )
    const settings = { remote: SERVER_ADDRESS, serverName: '', authority: '' }
    expect(settingsAfterNegotiation(first, settings)).toBeUndefined()
    const other = world.open({ versions: [V2] })
    await world.run(other.opened, 10_000)
    expect(settingsAfterNegotiation(other, settings)).toBeUndefined()
    other.close()
    await expectClean(world)
  })

  it('notices a forged one that hides version 1 (attack catalogue, row 60)', async () => {
    const world = worldOf(undefined)
    const first = world.open({ versions: [V1, V2] })
    const { originalDestinationConnectionId: original, localIds } = first.connection
    const forged = new Uint8Array(7 + original.length + localIds.first.length + 4)
    encodeVersionNegotiation(forged, localIds.first, original, [V2], 0)
    world.clientSocket.deliver(forged, SERVER_ADDRESS)
    await world.run(
      first.opened.catch(() => {}),
      10_000,
    )
    const next = settingsAfterNegotiation(first, {
      remote: SERVER_ADDRESS,
      serverName: '',
      authority: '',
      versions: [V1, V2],
    })
    const second = world.open({
      version: next!.version,
      versions: next!.versions,
      afterVersionNegotiation: true,
    })
    const error = await world.run(
      second.opened.then(
        () => undefined,
        (reason: { code?: number }) => reason,
      ),
      10_000,
    )
    expect(second.connection.closing.info).toMatchObject({ code: 0x11, isLocal: true })
    expect(error).toBeDefined()
    await expectClean(world)
  })
})
