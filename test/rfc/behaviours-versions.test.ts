// Behaviour 8 of the catalogue: version_information, QUIC version 2, compatible negotiation between 1 and 2.
import { describe, expect, test } from 'vitest'
import type { ConnectionOptions } from '../../src/transport/connection/index.ts'
import {
  defaultTransportParameters,
  encodeTransportParameters,
  PacketHeader,
  parsePacketHeader,
  QUIC_VERSION_1,
  QUIC_VERSION_2,
  TransportErrorCode,
  type VersionInformation,
} from '../../src/transport/wire/index.ts'
import { Pair } from '../unit/transport/connection/pair.ts'
import { MemoryLog } from '../unit/transport/connection/qlog/memory-log.ts'

const V1 = QUIC_VERSION_1
const V2 = QUIC_VERSION_2

interface Negotiated {
  readonly pair: Pair
  /** `type version` of each long header, in the order of sending. */
  readonly toServer: string[]
  readonly toClient: string[]
}

function negotiate(client: Partial<ConnectionOptions>, server: Partial<ConnectionOptions>): Negotiated {
  const clientLog = new MemoryLog()
  const serverLog = new MemoryLog()
  const version = client.version ?? V1
  const pair = new Pair({
    clientChanges: { ...client, openQlog: clientLog.open },
    serverChanges: { version, ...server, openQlog: serverLog.open },
  })
  pair.handshake()
  const longHeaders = (log: MemoryLog): string[] =>
    log
      .named('quic:packet_sent')
      .filter(({ data }) => data.header.version !== undefined)
      .map(
        ({ data }) => `${data.header.packet_type} ${Number.parseInt(data.header.version, 16) === V2 ? 2 : 1}`,
      )
  return { pair, toServer: longHeaders(clientLog), toClient: longHeaders(serverLog) }
}

function exchange({ client, server }: Pair, pair: Pair): void {
  const stream = client.connection.openStream('bidi')!
  stream.application = client.application
  stream.write(Buffer.from('over this version'))
  stream.end()
  pair.run(500)
  expect(server.application.bytes(0).toString()).toBe('over this version')
}

describe('8 version_information and version 2 (RFC 9368, RFC 9369)', () => {
  test('a v1 client offering v2 is moved to v2 in the same handshake when the server prefers it', () => {
    const { pair, toServer, toClient } = negotiate(
      { version: V1, versions: [V1, V2] },
      { versions: [V2, V1] },
    )
    expect(pair.server.application.isComplete).toBe(true)
    expect([pair.client.connection.version, pair.server.connection.version]).toEqual([V2, V2])
    // RFC 9369 section 4.1: all CRYPTO frames of the server, and both ends' Handshake packets, in the negotiated version.
    expect(toServer[0]).toBe('initial 1')
    expect(new Set(toClient)).toEqual(new Set(['initial 2', 'handshake 2']))
    expect(toServer).toContain('handshake 2')
    expect(toServer).not.toContain('handshake 1')
    exchange(pair, pair)
  })

  test('the move costs no round trip', () => {
    const plain = negotiate({ version: V1 }, {})
    const moved = negotiate({ version: V1, versions: [V2, V1] }, { versions: [V2, V1] })
    expect(moved.toServer.length).toBe(plain.toServer.length)
    expect(moved.toClient.length).toBe(plain.toClient.length)
  })

  test('without an order of the server that of the client counts, and by default nothing changes', () => {
    expect(negotiate({ version: V1 }, {}).pair.client.connection.version).toBe(V1)
    expect(negotiate({ version: V1, versions: [V2, V1] }, {}).pair.client.connection.version).toBe(V2)
    expect(negotiate({ version: V2, versions: [V2, V1] }, {}).pair.client.connection.version).toBe(V2)
  })

  test('a client that speaks version 1 only is left there', () => {
    const { pair } = negotiate({ version: V1, versions: [V1] }, { versions: [V2, V1] })
    expect(pair.server.connection.version).toBe(V1)
    exchange(pair, pair)
  })

  test('version 2 from the first packet on', () => {
    const { pair, toServer, toClient } = negotiate({ version: V2, versions: [V2] }, { versions: [V2] })
    expect(new Set([...toServer, ...toClient])).toEqual(new Set(['initial 2', 'handshake 2']))
    exchange(pair, pair)
  })

  test('moving works under loss of every single datagram of the handshake', () => {
    for (let lost = 0; lost < 8; lost++) {
      for (const direction of [true, false]) {
        const pair = new Pair({
          clientChanges: { version: V1, versions: [V2, V1] },
          serverChanges: { version: V1, versions: [V2, V1] },
        })
        pair.drop = (index, toServer) => toServer === direction && index === lost
        pair.handshake()
        pair.run(3_000)
        expect(pair.client.application.isComplete).toBe(true)
        expect(pair.client.connection.version).toBe(V2)
        exchange(pair, pair)
        expect(pair.client.supervisor.missed).toEqual([])
      }
    }
  })

  test('a key update after the move uses the labels of version 2', () => {
    const { pair } = negotiate({ version: V1, versions: [V2, V1] }, { versions: [V2, V1] })
    expect(pair.client.connection.updateKeys()).toBe(true)
    exchange(pair, pair)
  })

  test('packet types have their bits of version 2 (RFC 9369 section 3.2)', () => {
    const pair = new Pair({ clientChanges: { version: V2 }, serverChanges: { version: V2 } })
    let first: Uint8Array | undefined
    pair.drop = (_index, toServer, bytes) => {
      if (toServer) first ??= new Uint8Array(bytes)
      return false
    }
    pair.handshake()
    // Initial is 0b01 in version 2.
    expect((first![0] & 0x30) >>> 4).toBe(1)
    const header = new PacketHeader()
    expect(parsePacketHeader(first!, 0, first!.length, 8, header)).toBe(true)
    expect(header.version).toBe(V2)
  })
})

describe('8 what version_information must say (RFC 9368 section 4)', () => {
  function parametersWith(information: VersionInformation | undefined, id: Uint8Array): Uint8Array {
    return encodeTransportParameters(
      { ...defaultTransportParameters(), initialSourceConnectionId: id, versionInformation: information },
      'client',
    )
  }

  /** What a server says to a client with this version_information, as a close code; -1 when it goes on. */
  function serverAnswer(information: VersionInformation | undefined): number {
    const pair = new Pair()
    const { connection } = pair.server
    connection.peerIds.replaceFirst(pair.client.connection.localIds.first)
    const bytes = parametersWith(information, pair.client.connection.localIds.first)
    connection.guard(() => connection.handshake.handlePeerTransportParameters(bytes))
    return pair.server.application.closing?.code ?? -1
  }

  test('the client must have chosen the version of its packets', () => {
    expect(serverAnswer({ chosen: V1, available: [V1, V2] })).toBe(-1)
    expect(serverAnswer({ chosen: V2, available: [V1, V2] })).toBe(
      TransportErrorCode.VERSION_NEGOTIATION_ERROR,
    )
  })

  test('it may be missing at a client', () => {
    expect(serverAnswer(undefined)).toBe(-1)
  })

  test('a client may name versions that nobody here knows', () => {
    expect(serverAnswer({ chosen: V1, available: [0x0a0a0a0a, V1] })).toBe(-1)
  })

  /** What a client says to a server with this version_information; -1 when it goes on. */
  function clientAnswer(
    options: Partial<ConnectionOptions>,
    information: VersionInformation | undefined,
  ): number {
    const pair = new Pair({ clientChanges: options })
    const { versions } = pair.client.connection
    pair.client.connection.guard(() => {
      versions.handlePeerInformation(pair.client.connection, information)
    })
    return pair.client.application.closing?.code ?? -1
  }

  test('the server must have chosen the negotiated version', () => {
    expect(clientAnswer({}, { chosen: V1, available: [V1] })).toBe(-1)
    expect(clientAnswer({}, { chosen: V2, available: [V2, V1] })).toBe(
      TransportErrorCode.VERSION_NEGOTIATION_ERROR,
    )
    expect(clientAnswer({}, undefined)).toBe(-1)
  })

  test('after a Version Negotiation packet it must be there and name nothing better (attack catalogue, row 60)', () => {
    const reaction = { version: V2, versions: [V1, V2], afterVersionNegotiation: true }
    const refused = TransportErrorCode.VERSION_NEGOTIATION_ERROR
    expect(clientAnswer(reaction, { chosen: V2, available: [V2] })).toBe(-1)
    expect(clientAnswer(reaction, undefined)).toBe(refused)
    expect(clientAnswer(reaction, { chosen: V2, available: [] })).toBe(refused)
    // The server speaks version 1 after all: somebody hid it.
    expect(clientAnswer(reaction, { chosen: V2, available: [V2, V1] })).toBe(refused)
  })
})
