// Hostile input to a connection: it may be closed with an error code of the RFC or ignore what came, but it never
// throws, never spins, never has a defect of its own, and never leaves anything behind.
import { describe, expect, test } from 'vitest'
import * as frame from '../rfc/frame-bytes.ts'
import { Level, ScriptedPeer } from '../rfc/scripted-peer.ts'
import { Mutator } from './mutate.ts'

const DATAGRAMS_PER_STAGE = 400
const PACKETS_PER_LEVEL = 1_500
const HANDSHAKES = 150

type Role = 'client' | 'server'

/** Steps of a handshake after which hostile datagrams are thrown in. */
const STAGES = ['nothing', 'first flight', 'half a handshake', 'everything', 'closing'] as const

function peerAtStage(role: Role, stage: (typeof STAGES)[number], seed: number): ScriptedPeer {
  const peer = new ScriptedPeer({ role, seed, autoAck: false })
  if (stage === 'nothing') return peer
  if (stage === 'everything' || stage === 'closing') {
    peer.handshake()
    if (stage === 'closing') peer.connection.close(0, '', { application: true })
    return peer
  }
  peer.start()
  const [first] = peer.takeCrypto()
  if (stage === 'first flight') peer.sendCrypto(first.level, first.bytes.subarray(0, 50))
  else {
    peer.sendCrypto(first.level, first.bytes)
    if (role === 'server') peer.flush()
  }
  return peer
}

/** A datagram that nobody can have sealed: random, or a real one with damage. */
function hostileDatagram(peer: ScriptedPeer, mutator: Mutator): Uint8Array {
  const kind = mutator.below(4)
  if (kind === 0) return mutator.bytes(mutator.below(1_500))
  const long = frame.bytesOf(
    Uint8Array.of(0xc0 | mutator.below(64), 0, 0, 0, mutator.below(3)),
    Uint8Array.of(8),
    peer.role === 'client' ? peer.dcid : peer.end.issued[0],
    Uint8Array.of(8),
    peer.scid,
    mutator.bytes(mutator.below(1_400)),
  )
  if (kind === 1) return long
  const short = frame.bytesOf(
    Uint8Array.of(0x40 | mutator.below(64)),
    peer.end.issued[0],
    mutator.bytes(mutator.below(200)),
  )
  if (kind === 2) return short
  return mutator.mutate(mutator.pick([long, short]))
}

function expectSound(peer: ScriptedPeer, what: string): void {
  const { connection, supervisor, application } = peer.end
  expect(connection.stats.internalErrors, `${what}: ${application.closing?.reason}`).toBe(0)
  expect(supervisor.missed, what).toEqual([])
  expect(supervisor.live.size, what).toBe(connection.streams.size)
  const { receiveCredit, table } = connection.host
  expect(receiveCredit.received, what).toBeLessThanOrEqual(receiveCredit.advertised)
  expect(receiveCredit.consumed, what).toBeLessThanOrEqual(receiveCredit.received)
  expect(table.opened - table.closed, what).toBe(connection.streams.size)
  if (!connection.isEnding) return
  expect(connection.streams.size, what).toBe(0)
  expect(connection.receiveBufferedBytes + connection.sendBufferedBytes, what).toBe(0)
}

describe.each(['client', 'server'] as const)('datagrams of a stranger, to whom a %s talks', (role) => {
  test.each(STAGES)('at the stage: %s', (stage) => {
    for (let seed = 1; seed <= 4; seed++) {
      const peer = peerAtStage(role, stage, seed)
      const mutator = new Mutator(seed)
      const wasEnding = peer.connection.isEnding
      for (let i = 0; i < DATAGRAMS_PER_STAGE / 4; i++) {
        peer.sendDatagram(hostileDatagram(peer, mutator))
        if (i % 20 === 0) peer.advance(5)
      }
      expectSound(peer, `seed ${seed}`)
      expect(peer.connection.isEnding, `seed ${seed}`).toBe(wasEnding)
      peer.advance(60_000)
      expect(peer.connection.isClosed, `seed ${seed}`).toBe(true)
      expectSound(peer, `seed ${seed}, afterwards`)
    }
  })

  test('in the middle of a handshake, which completes all the same', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const peer = new ScriptedPeer({ role, seed })
      const mutator = new Mutator(seed)
      peer.start()
      for (let turn = 0; turn < 6; turn++) {
        for (let i = 0; i < 5; i++) peer.deliver(hostileDatagram(peer, mutator))
        peer.flush()
        peer.advance(5)
      }
      expect(peer.end.application.isComplete, `seed ${seed}`).toBe(true)
      expectSound(peer, `seed ${seed}`)
    }
  })
})

/** Payloads that are right in 1-RTT packets, to be damaged. */
function validPayloads(role: Role): Uint8Array[] {
  const [bidi, uni, other] = role === 'client' ? [0, 2, 1] : [1, 3, 0]
  return [
    frame.bytesOf(frame.ping(), frame.padding(5)),
    frame.ack(1, 1),
    frame.ack(3, 0, 20, [0, 0]),
    frame.bytesOf(0x03, 1, 0, 0, 0, 1, 1, 1),
    frame.bytesOf(frame.stream(bidi, 0, 'hello'), frame.stream(bidi + 4, 3, 'world', true)),
    frame.bytesOf(frame.stream(uni, 0, 'hello', true), frame.resetStream(bidi, 1, 5)),
    frame.bytesOf(0x08, bidi, 'to the end of the packet'),
    frame.bytesOf(frame.stopSending(bidi, 3), frame.resetStream(bidi + 8, 7, 100)),
    frame.bytesOf(
      frame.maxData(2_000_000),
      frame.maxStreamData(bidi, 200_000),
      frame.maxStreamData(other, 1),
    ),
    frame.bytesOf(frame.maxStreamsBidi(20), frame.maxStreamsUni(20), frame.stopSending(other, 9)),
    frame.bytesOf(frame.dataBlocked(5), frame.streamDataBlocked(bidi, 5), frame.streamsBlockedUni(3)),
    frame.bytesOf(frame.newConnectionId(1, 0), frame.newConnectionId(2, 1)),
    frame.bytesOf(frame.retireConnectionId(1), frame.pathChallenge(), frame.pathResponse()),
    frame.bytesOf(frame.crypto(0, Uint8Array.of(4, 0, 0, 12, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 1, 9))),
    frame.bytesOf(frame.stream(bidi, 5, ' again', false), frame.connectionClose(0, 8, 'bye')),
    frame.bytesOf(frame.stream(other, 0, 'answer', true), frame.applicationClose(256, 'bye')),
  ]
}

describe.each(['client', 'server'] as const)('authentic packets with damaged frames from a %s', (role) => {
  /** Application that reads some streams, stops some, resets some. */
  function busyPeer(seed: number): ScriptedPeer {
    const peer = new ScriptedPeer({ role, seed }).handshake()
    const { application } = peer.end
    const mutator = new Mutator(seed)
    application.onStream = (stream) => {
      if (mutator.below(5) === 0) stream.stopSending(1)
      if (mutator.below(5) === 0) stream.reset(2)
    }
    application.onReadable = (stream) => {
      if (mutator.below(3) > 0) application.readAll(stream)
      if (mutator.below(3) === 0) stream.write(Buffer.from('answer'))
      if (mutator.below(4) === 0) stream.end()
    }
    const stream = peer.connection.openStream('bidi')
    if (stream !== undefined) stream.application = application
    stream?.write(Buffer.from('question'))
    return peer
  }

  test('1-RTT', () => {
    const payloads = validPayloads(role)
    const codes = new Set<number>()
    let peer = busyPeer(1)
    for (let i = 0; i < PACKETS_PER_LEVEL; i++) {
      const mutator = new Mutator(i + 1)
      const payload = mutator.below(8) === 0 ? mutator.pick(payloads) : mutator.mutate(mutator.pick(payloads))
      peer.send(Level.application, payload)
      if (mutator.below(4) === 0) peer.flush()
      expectSound(peer, `packet ${i}: ${Buffer.from(payload).toString('hex')}`)
      if (!peer.connection.isEnding) continue
      codes.add(peer.end.application.closing!.code)
      peer.advance(60_000)
      expect(peer.connection.isClosed, `packet ${i}`).toBe(true)
      peer = busyPeer(i + 1)
    }
    // Damage must have reached more than one check.
    expect(codes.size).toBeGreaterThan(4)
  })

  test.each([Level.initial, Level.handshake])('level %i', (level) => {
    const payloads = [
      frame.bytesOf(frame.ping(), frame.padding(5)),
      frame.ack(0),
      frame.crypto(0, new Mutator(1).bytes(100)),
      frame.bytesOf(frame.crypto(50, Buffer.from('x')), frame.connectionClose(1, 6, 'no')),
    ]
    for (let i = 0; i < PACKETS_PER_LEVEL / 10; i++) {
      const mutator = new Mutator(i + 1)
      const peer = new ScriptedPeer({ role, seed: i + 1 })
      peer.start()
      if (level === Level.handshake) {
        for (const { level: at, bytes } of peer.takeCrypto())
          if (at === Level.initial) peer.sendCrypto(at, bytes)
      }
      const payload = mutator.mutate(mutator.pick(payloads))
      peer.send(level, payload)
      expectSound(peer, `packet ${i}: ${Buffer.from(payload).toString('hex')}`)
      peer.advance(60_000)
      expect(peer.connection.isClosed, `packet ${i}`).toBe(true)
      expectSound(peer, `packet ${i}, afterwards`)
    }
  })

  test('handshakes with damaged messages end in an alert or are completed', () => {
    const codes = new Set<number>()
    for (let seed = 1; seed <= HANDSHAKES; seed++) {
      const mutator = new Mutator(seed)
      const target = mutator.below(role === 'client' ? 2 : 5)
      let message = 0
      const mutateCrypto = (_level: number, bytes: Uint8Array) =>
        message++ === target ? mutator.mutate(bytes) : bytes
      const peer = new ScriptedPeer({ role, seed, mutateCrypto })
      try {
        peer.handshake()
      } catch {
        // The scripted side may not understand what its own damage has led to; only the other one is looked at.
      }
      expectSound(peer, `seed ${seed}: code ${peer.end.application.closing?.code}`)
      const closing = peer.end.application.closing
      if (closing !== undefined) codes.add(closing.code)
      peer.autoAck = false
      peer.connection.abandon()
      expect(peer.connection.isClosed, `seed ${seed}`).toBe(true)
    }
    expect(codes.has(0x150)).toBe(false)
    expect([...codes].some((code) => code > 0x100)).toBe(true)
  })
})
