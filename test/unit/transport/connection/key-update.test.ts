// Key updates that the peer initiates, RFC 9001 section 6.
import { expect, test } from 'vitest'
import { TransportErrorCode } from '../../../../src/transport/wire/index.ts'
import * as frame from '../../../rfc/frame-bytes.ts'
import { Level, ScriptedPeer } from '../../../rfc/scripted-peer.ts'

function established(): ScriptedPeer {
  const peer = new ScriptedPeer().handshake()
  peer.advance(100)
  return peer
}

/** A packet that will be handed over later. */
function prepared(peer: ScriptedPeer, offset: number): Uint8Array {
  return peer.packet(Level.application, frame.stream(0, offset, 'x'))
}

const received = (peer: ScriptedPeer): number => peer.end.application.bytes(0).length
const threeProbeTimeouts = (peer: ScriptedPeer): number =>
  3 * peer.connection.recovery.ptoInterval(Level.application)

test('is answered at once: the next packet of ours is in the new phase (section 6.2)', () => {
  const peer = established()
  peer.updateKeys()
  peer.send(Level.application, frame.stream(0, 0, 'x'), frame.pathChallenge())
  expect(received(peer)).toBe(1)
  expect(peer.connection.applicationKeys).toMatchObject({ phase: 1, updates: 1 })
  expect(peer.packets.at(-1)!.keyPhase).toBe(1)
  expect(peer.packets.at(-1)!.frames.some(({ type }) => type === 0x1b)).toBe(true)
})

test('packets from before the update that come late are opened with the old keys (section 6.5)', () => {
  const peer = established()
  const late = [prepared(peer, 1), prepared(peer, 2)]
  peer.updateKeys()
  peer.send(Level.application, frame.stream(0, 0, 'x'))
  for (const packet of late) peer.sendDatagram(packet)
  expect(received(peer)).toBe(3)
  expect(peer.connection.applicationKeys).toMatchObject({ phase: 1, updates: 1, hasPrevious: true })
})

test('packets of the new phase in any order make one update', () => {
  const peer = established()
  peer.updateKeys()
  const packets = [0, 1, 2, 3].map((offset) => prepared(peer, offset))
  for (const packet of packets.toReversed()) peer.sendDatagram(packet)
  expect(received(peer)).toBe(4)
  expect(peer.connection.applicationKeys!.updates).toBe(1)
})

test('old keys are gone after three probe timeouts (section 6.5)', () => {
  const peer = established()
  const late = [prepared(peer, 1), prepared(peer, 2)]
  peer.updateKeys()
  peer.send(Level.application, frame.stream(0, 0, 'x'))
  peer.advance(threeProbeTimeouts(peer) - 1)
  peer.sendDatagram(late[0])
  expect(received(peer)).toBe(2)
  peer.advance(2)
  expect(peer.connection.applicationKeys!.hasPrevious).toBe(false)
  const { undecryptable } = peer.connection.stats
  peer.sendDatagram(late[1])
  expect(received(peer)).toBe(2)
  expect(peer.connection.stats.undecryptable).toBe(undecryptable + 1)
  expect(peer.connection.isEnding).toBe(false)
})

test('many updates one after the other, each acknowledged, are followed', () => {
  const peer = established()
  for (let offset = 0; offset < 20; offset++) {
    peer.updateKeys()
    peer.send(Level.application, frame.stream(0, offset, 'x'), frame.ping())
    peer.advance(60)
    expect(peer.frames(0x02, Level.application).at(-1)!.largest).toBe(peer.spaces[2].nextPacketNumber - 1)
  }
  expect(received(peer)).toBe(20)
  expect(peer.connection.applicationKeys).toMatchObject({ updates: 20, phase: 0 })
  expect(peer.close).toBeUndefined()
})

test('a second update that no acknowledgement can have allowed is KEY_UPDATE_ERROR (section 6.2)', () => {
  const peer = established()
  peer.updateKeys()
  peer.deliver(prepared(peer, 0))
  const phase = { read: peer.spaces[2].readKeys, bit: peer.keyPhase }
  peer.updateKeys()
  peer.deliver(prepared(peer, 1))
  // The answer is in the phase of the first update.
  peer.spaces[2].readKeys = phase.read
  peer.collect()
  expect(peer.close).toMatchObject({ code: TransportErrorCode.KEY_UPDATE_ERROR })
})

test('a forged packet with the other phase bit changes nothing (section 6.3)', () => {
  const peer = established()
  for (let i = 0; i < 50; i++) {
    const packet = prepared(peer, 0)
    packet[packet.length - 1] ^= 1
    packet[0] ^= i % 2 === 0 ? 0x04 : 0
    peer.sendDatagram(packet)
  }
  expect(peer.connection.applicationKeys).toMatchObject({ phase: 0, updates: 0 })
  peer.send(Level.application, frame.stream(0, 0, 'x'))
  expect(received(peer)).toBe(1)
})

test('data in flight on both sides of an update arrives, and so do its repetitions', () => {
  const peer = established()
  const stream = peer.connection.openStream('uni')!
  stream.write(Buffer.alloc(50_000, 'quactor'))
  peer.advance(5)
  peer.updateKeys()
  const old = peer.spaces[2].readKeys
  peer.send(Level.application, frame.ping())
  peer.advance(2_000)
  expect(peer.spaces[2].readKeys).toBe(old)
  const bytes = new Uint8Array(50_000)
  for (const piece of peer.frames(0x08)) bytes.set(piece.data!, piece.offset)
  expect(Buffer.from(bytes).equals(Buffer.alloc(50_000, 'quactor'))).toBe(true)
})
