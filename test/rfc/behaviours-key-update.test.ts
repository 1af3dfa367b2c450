// Behaviours 13 and 14 of the catalogue: key updates in both directions and the limits of the AEADs (RFC 9001
// sections 6.1 to 6.6). What a peer's update does is tested beside the connection, in key-update.test.ts.
import { describe, expect, test } from 'vitest'
import {
  KEY_LIMIT_RESERVE,
  KEY_UPDATE_MARGIN,
  MAX_KEY_UPDATES_PER_WINDOW,
} from '../../src/transport/connection/index.ts'
import { type BackendSet, selectBackends } from '../../src/transport/crypto/index.ts'
import { TransportErrorCode } from '../../src/transport/wire/index.ts'
import type { Pair, TestEnd } from '../unit/transport/connection/pair.ts'
import { SIDES } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedPeer } from './scripted-peer.ts'

describe.each(SIDES)('against %s', (_side, Peer, Ends) => {
  const { KEY_UPDATE_ERROR, AEAD_LIMIT_REACHED } = TransportErrorCode

  const keysOf = (end: TestEnd) => end.connection.applicationKeys!

  /** Sends some bytes on a new stream of `from` and lets the other side have them. */
  function transfer(pair: Pair, from: TestEnd, to: TestEnd, size = 20_000): void {
    const stream = from.connection.openStream('uni')!
    const bytes = Buffer.alloc(size, `stream ${stream.id} `)
    stream.write(bytes)
    stream.end()
    pair.run(60_000, () => to.application.finished.has(stream.id))
    expect(to.application.bytes(stream.id).equals(bytes)).toBe(true)
  }

  function established(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
    const pair = new Ends(options).handshake()
    pair.run(500)
    return pair
  }

  describe('13 an update of our own (RFC 9001 section 6.1)', () => {
    test.each(['client', 'server'] as const)('by the %s: both directions change, data flows', (side) => {
      const pair = established()
      const [from, to] = side === 'client' ? [pair.client, pair.server] : [pair.server, pair.client]
      expect(from.connection.updateKeys()).toBe(true)
      transfer(pair, from, to)
      transfer(pair, to, from)
      expect(keysOf(from)).toMatchObject({ phase: 1, updates: 1, isConfirmed: true })
      expect(keysOf(to)).toMatchObject({ phase: 1, updates: 1, isConfirmed: true })
    })

    test('needs no data: a connection at rest completes it', () => {
      const pair = established()
      pair.client.connection.updateKeys()
      pair.run(1_000)
      expect(keysOf(pair.server).updates).toBe(1)
      expect(keysOf(pair.client)).toMatchObject({ isConfirmed: true, hasPrevious: false })
    })

    test('is not begun before the handshake is confirmed', () => {
      const peer = new Peer({ role: 'server', autoAck: false }).handshake()
      expect(peer.end.application.isComplete).toBe(true)
      expect(peer.connection.updateKeys()).toBe(false)
      peer.send(Level.application, frame.handshakeDone())
      expect(peer.connection.updateKeys()).toBe(true)
    })

    test('is not begun before the last one was acknowledged, nor while its old keys are kept (section 6.5)', () => {
      const pair = established()
      const { connection } = pair.client
      expect(connection.updateKeys()).toBe(true)
      expect(connection.updateKeys()).toBe(false)
      pair.run(60)
      expect(keysOf(pair.client)).toMatchObject({ isConfirmed: true, hasPrevious: true })
      expect(connection.updateKeys()).toBe(false)
      pair.run(1_000)
      expect(connection.updateKeys()).toBe(true)
      pair.run(1_000)
      expect(keysOf(pair.server)).toMatchObject({ phase: 0, updates: 2 })
    })

    test('is not begun on a connection that ends', () => {
      const pair = established()
      pair.client.connection.close(0, '', { application: true })
      expect(pair.client.connection.updateKeys()).toBe(false)
    })

    test('by both sides at once is one update', () => {
      const pair = established()
      pair.client.connection.updateKeys()
      pair.server.connection.updateKeys()
      transfer(pair, pair.client, pair.server)
      transfer(pair, pair.server, pair.client)
      for (const end of [pair.client, pair.server])
        expect(keysOf(end)).toMatchObject({ phase: 1, updates: 1 })
    })

    test.each([1, 2, 3, 4, 5])('every 20 packets, under 20 %% loss, loses nothing (seed %i)', (seed) => {
      const pair = established({ seed, client: { packetsPerKey: 20 }, server: { packetsPerKey: 30 } })
      let state = seed
      pair.drop = () => {
        state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
        return (state >> 8) % 5 === 0
      }
      for (let i = 0; i < 3; i++) {
        transfer(pair, pair.client, pair.server, 100_000)
        transfer(pair, pair.server, pair.client, 100_000)
      }
      expect(keysOf(pair.client).updates).toBeGreaterThan(3)
      expect(Math.abs(keysOf(pair.client).updates - keysOf(pair.server).updates)).toBeLessThanOrEqual(1)
      for (const { application, connection } of [pair.client, pair.server]) {
        expect(application.closing).toBeUndefined()
        expect(connection.keyUpdates.forgeries).toBe(0)
      }
    })
  })

  describe('13 what a peer may not do (RFC 9001 sections 6.2 and 6.4)', () => {
    /** A peer that has seen an update of ours, but sends with its old keys. */
    function laggingPeer(): ScriptedPeer {
      const peer = new Peer({ autoAck: false }).handshake()
      peer.send(Level.application, frame.ack(peer.spaces[2].largestReceived))
      expect(peer.connection.updateKeys()).toBe(true)
      const { writeKeys } = peer.spaces[2]
      peer.updateKeys()
      peer.collect()
      expect(peer.packets.at(-1)!.keyPhase).toBe(1)
      peer.spaces[2].writeKeys = writeKeys
      peer.keyPhase = 0
      return peer
    }

    test('packets with the old keys are taken while the peer has not followed', () => {
      const peer = laggingPeer()
      peer.send(Level.application, frame.stream(0, 0, 'x'))
      expect(peer.end.application.bytes(0).length).toBe(1)
      expect(peer.connection.applicationKeys).toMatchObject({ phase: 1, updates: 1, isConfirmed: false })
    })

    test('an acknowledgement of our update in a packet with the old keys is KEY_UPDATE_ERROR', () => {
      const peer = laggingPeer()
      peer.send(Level.application, frame.ack(peer.spaces[2].largestReceived))
      expect(peer.close).toMatchObject({ code: KEY_UPDATE_ERROR })
    })

    test('newer keys on a packet with a lower number are KEY_UPDATE_ERROR (section 6.4)', () => {
      const peer = new Peer().handshake()
      peer.advance(100)
      peer.updateKeys()
      const first = peer.packet(Level.application, frame.stream(0, 0, 'x'), { packetNumber: 100 })
      peer.sendDatagram(first)
      peer.advance(1_000)
      const answer = peer.spaces[2].readKeys
      peer.updateKeys()
      const early = peer.packet(Level.application, frame.ping(), { packetNumber: 50 })
      peer.deliver(early)
      peer.spaces[2].readKeys = answer
      peer.collect()
      expect(peer.close).toMatchObject({ code: KEY_UPDATE_ERROR })
    })

    test('updates as fast as acknowledgements come end the connection at a cap', () => {
      const peer = new Peer().handshake()
      peer.advance(100)
      let updates = 0
      for (; updates < 1_000 && !peer.connection.isEnding; updates++) {
        peer.updateKeys()
        peer.send(Level.application, frame.ping(), frame.stream(0, updates, 'x'))
        peer.advance(30)
      }
      expect(updates).toBe(MAX_KEY_UPDATES_PER_WINDOW + 1)
      expect(peer.end.application.closing).toMatchObject({ code: KEY_UPDATE_ERROR, isLocal: true })
    })
  })

  describe('13 an update takes no time that can be seen (RFC 9001 section 9.5)', () => {
    /** Backends that count the keys that are made. */
    function counting(): { backends: BackendSet; made: () => number } {
      const real = selectBackends()
      let count = 0
      const aeadFor: BackendSet['aeadFor'] = (suite) => {
        count++
        return real.aeadFor(suite)
      }
      const backends: BackendSet = {
        name: real.name,
        preferredSuites: real.preferredSuites,
        aeadFor,
        headerProtectorFor: (suite, key) => real.headerProtectorFor(suite, key),
      }
      return { backends, made: () => count }
    }

    test("the keys that a peer's update needs are there before it, and the next ones come later", () => {
      const { backends, made } = counting()
      const peer = new Peer({ connection: { backends } }).handshake()
      peer.advance(500)
      const before = made()
      peer.updateKeys()
      peer.send(Level.application, frame.stream(0, 0, 'x'), frame.ping())
      expect(peer.connection.applicationKeys!.updates).toBe(1)
      expect(made()).toBe(before)
      peer.advance(500)
      expect(made()).toBe(before + 2)
    })

    test('forged packets of either phase, old or new, are all tried with some key, and make none', () => {
      const { backends, made } = counting()
      const peer = new Peer({ connection: { backends } }).handshake()
      const late = peer.packet(Level.application, frame.ping())
      peer.advance(500)
      peer.updateKeys()
      peer.send(Level.application, frame.ping())
      peer.advance(2_000)
      const before = made()
      const { forgeries } = peer.connection.keyUpdates
      expect(forgeries).toBe(0)
      peer.sendDatagram(late)
      for (let i = 0; i < 20; i++) {
        const packet = peer.packet(Level.application, frame.ping())
        packet[packet.length - 1] ^= 1
        packet[0] ^= i % 2 === 0 ? 0x04 : 0
        peer.sendDatagram(packet)
      }
      expect(peer.connection.keyUpdates.forgeries).toBe(21)
      expect(made()).toBe(before)
      expect(peer.connection.applicationKeys!.updates).toBe(1)
    })
  })

  describe('14 the limits of the AEADs (RFC 9001 section 6.6)', () => {
    test('keys are updated a margin before the confidentiality limit', () => {
      const pair = established()
      const keys = keysOf(pair.client)
      const { confidentialityLimit } = { confidentialityLimit: 2 ** 23 }
      expect([2 ** 23, Number.POSITIVE_INFINITY]).toContain(keys.write!.suite.confidentialityLimit)
      limitTo(pair.client, confidentialityLimit)
      keys.sealed = confidentialityLimit - KEY_UPDATE_MARGIN - 1
      transfer(pair, pair.client, pair.server)
      expect(keys.updates).toBe(1)
      expect(keys.sealed).toBeLessThan(100)
    })

    test('a connection whose peer does not let us update ends before the limit', () => {
      const pair = established()
      const keys = keysOf(pair.client)
      limitTo(pair.client, 2 ** 23)
      keys.isConfirmed = false
      keys.sealed = 2 ** 23 - KEY_LIMIT_RESERVE - 2
      pair.client.connection.openStream('uni')!.write(new Uint8Array(10_000))
      pair.run(1_000)
      expect(pair.client.application.closing).toMatchObject({ code: AEAD_LIMIT_REACHED, isLocal: true })
      expect(pair.server.application.closing).toMatchObject({ code: AEAD_LIMIT_REACHED, isLocal: false })
    })

    test('packets that fail authentication are counted over all keys, and end the connection at the limit', () => {
      const peer = new Peer().handshake()
      peer.advance(500)
      const forged = (): Uint8Array => {
        const packet = peer.packet(Level.application, frame.ping())
        packet[packet.length - 1] ^= 1
        return packet
      }
      const { keyUpdates, applicationKeys } = peer.connection
      peer.sendDatagram(forged())
      peer.updateKeys()
      peer.send(Level.application, frame.ping())
      peer.sendDatagram(forged())
      expect(keyUpdates.forgeries).toBe(2)
      keyUpdates.forgeries = applicationKeys!.read.suite.integrityLimit - 2
      peer.sendDatagram(forged())
      expect(peer.connection.isEnding).toBe(false)
      peer.sendDatagram(forged())
      expect(peer.close).toMatchObject({ code: AEAD_LIMIT_REACHED })
    })

    test('packets that are only late, doubled or of nobody are no forgeries', () => {
      const peer = new Peer().handshake()
      const packet = peer.packet(Level.application, frame.ping())
      for (let i = 0; i < 5; i++) peer.sendDatagram(Uint8Array.from(packet))
      expect(peer.connection.keyUpdates.forgeries).toBe(0)
    })
  })

  /** As if the suite in use had this limit: which one is used depends on the machine. */
  function limitTo(end: TestEnd, confidentialityLimit: number): void {
    const keys = keysOf(end)
    const { write } = keys
    keys.setWrite({ ...write!, suite: { ...write!.suite, confidentialityLimit } })
  }
})
