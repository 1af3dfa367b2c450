// Behaviours of connection migration: RFC 9000 sections 8.2, 9 and 5.1.2, between two real connections.
import { describe, expect, test } from 'vitest'
import { PathPhase } from '../../src/machines/index.ts'
import { MAX_PATHS } from '../../src/transport/connection/index.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS } from '../unit/transport/connection/pair.ts'
import { type Place, RoamingPair, type Sent } from '../unit/transport/connection/roaming-pair.ts'

const MEGABYTE = 1_000_000

function toClientAt(pair: RoamingPair, address: string, port: number): Sent[] {
  return pair.sent.filter(({ toServer, to }) => !toServer && to.address === address && to.port === port)
}

/** Moves the client to another socket of its own. */
function move(pair: RoamingPair, place: Place): Promise<boolean> {
  const { paths } = pair.client.connection
  return new Promise((resolve) => {
    if (!paths.move(place, paths.active.remote, resolve)) resolve(false)
  })
}

function expectSound(pair: RoamingPair): void {
  for (const { supervisor, connection } of [pair.client, pair.server]) {
    expect(supervisor.missed).toEqual([])
    expect(connection.stats.internalErrors).toBe(0)
    expect(connection.paths.list.length).toBeLessThanOrEqual(MAX_PATHS)
  }
}

describe('36 NAT rebinding (RFC 9000 sections 8.2 and 9.3)', () => {
  test('a download goes on at the new address, and a challenge is the first that it gets', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    pair.run(200)
    expect(download.isDone()).toBe(false)
    const { paths } = pair.server.connection
    pair.rebind('10.9.9.9', 6_000)
    pair.run(10_000, () => paths.active.remote.port === 6_000)
    expect(paths.active.actor.phase).toBe(PathPhase.validating)
    expect(paths.active.isChallengeDue).toBe(false)
    expect(paths.active.bytesSent).toBeLessThanOrEqual(3 * paths.active.bytesReceived)
    // The handlers still see the proved address.
    expect(pair.server.connection.remote).toEqual(CLIENT_ADDRESS)
    pair.run(20_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expect(pair.client.application.bytes(download.id).length).toBe(MEGABYTE)
    expect(pair.server.connection.remote.port).toBe(6_000)
    expect(paths.active.isValidated).toBe(true)
    pair.run(5_000)
    expect(paths.list).toHaveLength(1)
    expectSound(pair)
  })

  test('until the new address is proved, three times what came from it is the most that goes there', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    pair.run(200)
    pair.rebind('10.9.9.9', 6_000)
    pair.drop = ({ toServer, to }) => !toServer && to.port === 6_000
    const { connection } = pair.server
    pair.run(2_000, () => {
      for (const { isValidated, bytesSent, bytesReceived } of connection.paths.list) {
        if (!isValidated) expect(bytesSent).toBeLessThanOrEqual(3 * bytesReceived)
      }
      return false
    })
    expect(toClientAt(pair, '10.9.9.9', 6_000).length).toBeGreaterThan(0)
    expect(download.isDone()).toBe(false)
    expectSound(pair)
  })

  test('a client discards what comes from an unknown address of the server (section 9)', () => {
    const pair = new RoamingPair()
    const { paths } = pair.client.connection
    expect(paths.handleArrival({ address: '10.6.6.6', port: 1, family: 4 }, pair.clientPlaces[0], 100)).toBe(
      false,
    )
    expect(paths.list).toHaveLength(1)
  })
})

describe('37 what moves the path (RFC 9000 sections 9.1 and 9.3)', () => {
  test('an old packet from another address does not', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    let old: Sent | undefined
    pair.drop = (sent) => {
      if (old !== undefined || !sent.toServer || pair.now < 100) return false
      old = sent
      return true
    }
    pair.run(400)
    expect(old).toBeDefined()
    pair.carry(old!, { address: '10.7.7.7', port: 7, family: 4 }, 0)
    pair.run(100)
    pair.run(30_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expect(toClientAt(pair, '10.7.7.7', 7)).toEqual([])
    expect(pair.server.connection.paths.list).toHaveLength(1)
    expectSound(pair)
  })

  test('old packets of the old address do not move it back', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    const held: Sent[] = []
    pair.drop = (sent) => {
      if (!sent.toServer || held.length >= 5 || pair.now < 100) return false
      held.push(sent)
      return true
    }
    pair.run(300)
    pair.rebind('10.9.9.9', 6_000)
    const { paths } = pair.server.connection
    pair.run(3_000, () => paths.active.remote.port === 6_000 && paths.active.isValidated)
    const then = pair.now
    for (const sent of held) pair.carry(sent, CLIENT_ADDRESS, 1)
    pair.run(50)
    const { address, port } = CLIENT_ADDRESS
    expect(toClientAt(pair, address, port).filter(({ at }) => at > then)).toEqual([])
    expect(held).toHaveLength(5)
    expect(paths.active.remote.port).toBe(6_000)
    pair.run(20_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expectSound(pair)
  })

  test('probing packets do not: the client probes, and the server answers there and stays', () => {
    const pair = new RoamingPair()
    const { client, server } = pair
    const place = pair.addPlace(pair.clientPlaces, '10.0.0.77', 7_000)
    // The response never arrives, so that the probe stays a probe.
    pair.drop = ({ toServer, to }) => !toServer && to.port === 7_000
    expect(move(pair, place)).toBeDefined()
    pair.run(200)
    expect(toClientAt(pair, '10.0.0.77', 7_000).length).toBeGreaterThan(0)
    expect(server.connection.path.remote).toEqual(CLIENT_ADDRESS)
    pair.run(10_000)
    expect(client.connection.paths.list).toHaveLength(1)
    expect(server.connection.paths.list).toHaveLength(1)
    expectSound(pair)
  })
})

describe('38 datagrams of challenges and responses (RFC 9000 sections 8.2.1 and 8.2.2)', () => {
  test('they have 1,200 bytes, unless the 3x limit forbids; then a second challenge follows that has', () => {
    const pair = new RoamingPair()
    const { paths } = pair.server.connection
    pair.rebind('10.9.9.9', 6_000)
    const stream = pair.client.connection.openStream('bidi')!
    stream.application = pair.client.application
    stream.write(Buffer.from('small'))
    pair.run(200)
    const sizes = toClientAt(pair, '10.9.9.9', 6_000).map(({ size }) => size)
    expect(sizes[0]).toBeLessThan(1_200)
    expect(sizes).toContain(1_200)
    expect(paths.active.actor.phase).toBe(PathPhase.validated)
    expectSound(pair)
  })

  test('a response goes back on the path that the challenge came from', async () => {
    const pair = new RoamingPair()
    const place = pair.addPlace(pair.clientPlaces, '10.0.0.77', 7_000)
    const moved = move(pair, place)
    pair.run(25)
    const [first] = toClientAt(pair, '10.0.0.77', 7_000)
    expect(first?.size).toBe(1_200)
    expect(pair.server.connection.path.remote).toEqual(CLIENT_ADDRESS)
    pair.run(500)
    expect(await moved).toBe(true)
    expect(pair.server.connection.path.remote.port).toBe(7_000)
    expect(pair.client.connection.path.local).toBe(place)
    pair.run(3_000)
    expect(pair.client.connection.paths.list).toHaveLength(1)
    expect(pair.server.connection.paths.list).toHaveLength(1)
    expectSound(pair)
  })
})

describe('39 spoofed migration (RFC 9000 sections 9.3.2, 9.3.3 and 9.4)', () => {
  test('a rewritten source address: the connection comes back, congestion control and RTT as they were', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    pair.run(150)
    const { connection } = pair.server
    const { congestion } = connection.recovery
    let isAttacking = true
    let spoofed = 0
    pair.rewrite = (from, toServer) => {
      if (!toServer || !isAttacking) return from
      spoofed++
      isAttacking = false
      return { address: '203.0.113.5', port: 9, family: 4 }
    }
    pair.run(5_000, () => connection.path.remote.port === 9)
    expect(spoofed).toBe(1)
    expect(connection.remote).toEqual(CLIENT_ADDRESS)
    pair.run(30_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expect(connection.path.remote).toEqual(CLIENT_ADDRESS)
    expect(connection.recovery.congestion).toBe(congestion)
    expect(connection.paths.counters.migrations).toBe(0)
    const bytes = toClientAt(pair, '203.0.113.5', 9).reduce((sum, { size }) => sum + size, 0)
    expect(bytes).toBeLessThanOrEqual(3 * 1_500)
    pair.run(5_000)
    expect(connection.paths.list).toHaveLength(1)
    expectSound(pair)
  })

  test('a real change of the address begins congestion control, RTT and MTU anew; of the port alone does not', () => {
    const pair = new RoamingPair()
    const { connection } = pair.server
    const send = (): void => {
      const stream = pair.client.connection.openStream('bidi')!
      stream.application = pair.client.application
      stream.write(new Uint8Array(3_000))
      pair.run(400)
    }
    send()
    const { congestion } = connection.recovery
    pair.rebind(CLIENT_ADDRESS.address, 6_001)
    send()
    expect(connection.remote.port).toBe(6_001)
    expect(connection.recovery.congestion).toBe(congestion)
    pair.rebind('10.5.5.5', 6_001)
    send()
    expect(connection.remote.address).toBe('10.5.5.5')
    expect(connection.recovery.congestion).not.toBe(congestion)
    expect(connection.paths.counters.migrations).toBe(2)
    expect(connection.recovery.bytesInFlight).toBeGreaterThanOrEqual(0)
    expectSound(pair)
  })

  test('an address that flips to and fro ends nothing', () => {
    const pair = new RoamingPair()
    const download = pair.download(MEGABYTE)
    let number = 0
    pair.rewrite = (from, toServer) => {
      if (!toServer || number++ > 200 || number % 2 === 0) return from
      return { address: '203.0.113.5', port: 9, family: 4 }
    }
    pair.run(60_000, download.isDone)
    expect(download.isDone()).toBe(true)
    pair.rewrite = (from) => from
    pair.run(8_000)
    expect(pair.server.connection.remote).toEqual(CLIENT_ADDRESS)
    expectSound(pair)
  })

  test('a new port for each packet: no more than a few paths are kept', () => {
    const pair = new RoamingPair()
    const download = pair.download(200_000)
    let port = 10_000
    pair.rewrite = (from, toServer) => (toServer && port < 10_300 ? { ...from, port: port++ } : from)
    const { paths } = pair.server.connection
    pair.run(60_000, () => {
      expect(paths.list.length).toBeLessThanOrEqual(MAX_PATHS)
      return download.isDone()
    })
    expect(download.isDone()).toBe(true)
    expectSound(pair)
  })
})

describe('40 connection IDs of paths (RFC 9000 sections 5.1.2, 9.5, 9.6 and 18.2)', () => {
  test('a path that the client chose has an ID of its own, and the old one is retired', async () => {
    const pair = new RoamingPair()
    const { client, server } = pair
    const before = [client.connection.peerIds.current, server.connection.peerIds.current]
    const moved = move(pair, pair.addPlace(pair.clientPlaces, '10.0.0.77', 7_000))
    pair.run(5_000)
    expect(await moved).toBe(true)
    expect(client.connection.peerIds.current).not.toEqual(before[0])
    expect(server.connection.peerIds.current).not.toEqual(before[1])
    const active = server.connection.localIds.active.map(({ bytes }) => Buffer.from(bytes).toString('hex'))
    expect(active).not.toContain(Buffer.from(before[0]!).toString('hex'))
    expect(active).toHaveLength(4)
    expectSound(pair)
  })

  test('a client that moves has the server retire all its old IDs (section 9.5)', async () => {
    const pair = new RoamingPair()
    const { localIds } = pair.client.connection
    const old = localIds.active.map(({ bytes }) => bytes)
    for (const port of [7_000, 7_001, 7_002]) {
      const moved = move(pair, pair.addPlace(pair.clientPlaces, '10.0.0.77', port))
      pair.run(5_000)
      expect(await moved).toBe(true)
      expect(localIds.active).toHaveLength(4)
      for (const { bytes } of localIds.active) expect(old).not.toContainEqual(bytes)
      expect(old).not.toContainEqual(pair.server.connection.peerIds.current)
      old.push(...localIds.active.map(({ bytes }) => bytes))
    }
    expectSound(pair)
  })

  test('a NAT that rebinds keeps the ID: the client does not know', () => {
    const pair = new RoamingPair()
    const before = pair.server.connection.peerIds.current
    pair.rebind('10.9.9.9', 6_000)
    pair.client.connection.control.queuePing()
    pair.run(500)
    expect(pair.server.connection.remote.port).toBe(6_000)
    expect(pair.server.connection.peerIds.current).toEqual(before)
    expectSound(pair)
  })

  test('without a spare ID a move is not tried, and one that is seen is not followed', async () => {
    const pair = new RoamingPair({
      client: { activeConnectionIdLimit: 2 },
      server: { activeConnectionIdLimit: 2 },
    })
    const { client, server } = pair
    expect(client.connection.peerIds.takeSpare()).toBeDefined()
    expect(await move(pair, pair.addPlace(pair.clientPlaces, '10.0.0.77', 7_000))).toBe(false)
    expect(server.connection.peerIds.takeSpare()).toBeDefined()
    const known = server.connection.localIds.active[1]!.bytes
    server.connection.paths.handleArrival(
      { address: '10.0.0.77', port: 7_000, family: 4 },
      pair.serverPlaces[0],
      100,
    )
    server.connection.paths.beginPacket(Buffer.from(known).readUIntBE(0, 6))
    server.connection.paths.endPacket(true, false)
    expect(server.connection.paths.counters.refused).toBe(1)
    expect(server.connection.path.remote).toEqual(CLIENT_ADDRESS)
    expectSound(pair)
  })

  test('disable_active_migration is off by default, and a client honours it', async () => {
    const open = new RoamingPair()
    expect(open.client.connection.handshake.peer!.disableActiveMigration).toBe(false)
    const pair = new RoamingPair({ server: { disableActiveMigration: true } })
    expect(pair.client.connection.handshake.peer!.disableActiveMigration).toBe(true)
    expect(await move(pair, pair.addPlace(pair.clientPlaces, '10.0.0.77', 7_000))).toBe(false)
    expect(pair.client.connection.paths.list).toHaveLength(1)
  })

  test('preferred_address: the client moves there once the handshake is confirmed', () => {
    const preferred = { address: '10.0.0.200', port: 8_443, family: 4 } as const
    const pair = new RoamingPair({ serverChanges: { preferredAddress: { ipv4: preferred } } })
    const place = pair.addPlace(pair.serverPlaces, preferred.address, preferred.port)
    pair.run(4_000)
    expect(pair.client.connection.path.remote).toEqual(preferred)
    expect(pair.client.connection.peerIds.currentId.sequence).toBe(1)
    expect(pair.server.connection.path.local).toBe(place)
    const download = pair.download(MEGABYTE)
    pair.run(20_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expectSound(pair)
  })

  test('a preferred address that does not answer: the client stays', () => {
    const preferred = { address: '10.0.0.200', port: 8_443, family: 4 } as const
    const pair = new RoamingPair({ serverChanges: { preferredAddress: { ipv4: preferred } } })
    pair.run(6_000)
    expect(pair.client.connection.path.remote).toEqual(SERVER_ADDRESS)
    expect(pair.client.connection.paths.list).toHaveLength(1)
    const download = pair.download(MEGABYTE)
    pair.run(20_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expectSound(pair)
  })

  test('IDs are rotated on request: the peer goes on with new ones and retires the old', () => {
    const pair = new RoamingPair()
    const { client, server } = pair
    const old = server.connection.localIds.active.map(({ bytes }) => bytes)
    expect(server.connection.localIds.rotate()).toBe(true)
    expect(server.connection.localIds.rotate()).toBe(false)
    expect(server.connection.localIds.active.length).toBeLessThanOrEqual(8)
    server.connection.wake()
    pair.run(500)
    expect(server.connection.localIds.active).toHaveLength(4)
    for (const { bytes } of server.connection.localIds.active) expect(old).not.toContainEqual(bytes)
    expect(old).not.toContainEqual(client.connection.peerIds.current)
    const download = pair.download(100_000)
    pair.run(5_000, download.isDone)
    expect(download.isDone()).toBe(true)
    expectSound(pair)
  })
})
