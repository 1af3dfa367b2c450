// ACK_FREQUENCY and IMMEDIATE_ACK (draft-ietf-quic-ack-frequency): the frames, the receiver's rules, and both ends.
import { describe, expect, it } from 'vitest'
import { AckTracker, EcnMark } from '../../../../src/transport/recovery/index.ts'
import {
  AckFrequencyFrame,
  Cursor,
  decodeTransportParameters,
  defaultTransportParameters,
  encodeTransportParameters,
  FrameType,
  parseAckFrequency,
  readFrameType,
  TransportErrorCode,
  writeAckFrequency,
} from '../../../../src/transport/wire/index.ts'
import * as frame from '../../../rfc/frame-bytes.ts'
import { Level, ScriptedPeer } from '../../../rfc/scripted-peer.ts'
import { Pair } from './pair.ts'

const buffer = new Uint8Array(100)

function frequency(sequence: number, threshold: number, delay: number, reordering: number): Uint8Array {
  const request = Object.assign(new AckFrequencyFrame(), {
    sequence,
    threshold,
    maxAckDelay: delay,
    reorderingThreshold: reordering,
  })
  return new Uint8Array(buffer.subarray(0, writeAckFrequency(buffer, 0, request)))
}

describe('on the wire', () => {
  it('an ACK_FREQUENCY frame has type 0xaf in two bytes and four numbers (section 4)', () => {
    const bytes = frequency(7, 10, 25_000, 3)
    expect([...bytes.subarray(0, 3)]).toEqual([0x40, 0xaf, 7])
    const cursor = new Cursor().reset(bytes)
    expect(readFrameType(cursor)).toBe(FrameType.ackFrequency)
    const out = new AckFrequencyFrame()
    parseAckFrequency(cursor, out)
    expect(out).toMatchObject({ sequence: 7, threshold: 10, maxAckDelay: 25_000, reorderingThreshold: 3 })
    expect(cursor.remaining).toBe(0)
  })

  it('min_ack_delay above max_ack_delay is TRANSPORT_PARAMETER_ERROR (section 3)', () => {
    const own = { ...defaultTransportParameters(), maxAckDelay: 10, minAckDelay: 10_000 }
    expect(decodeTransportParameters(encodeTransportParameters(own, 'client'), 'client').minAckDelay).toBe(
      10_000,
    )
    const wrong = encodeTransportParameters({ ...own, minAckDelay: 10_001 }, 'client')
    expect(() => decodeTransportParameters(wrong, 'client')).toThrow(/TRANSPORT_PARAMETER_ERROR/)
  })
})

/** Numbers after whose arrival an ACK was due; each is written at once. */
function acksAfter(
  tracker: AckTracker,
  numbers: number[],
  ecn: (number: number) => number = () => 0,
): number[] {
  return numbers.filter((number) => {
    tracker.insert(number, true, 0, ecn(number))
    if (!tracker.shouldAckNow(0)) return false
    tracker.writeAck(buffer, 0, buffer.length, 0, 3)
    return true
  })
}

describe('the receiver', () => {
  it('sends an ACK for more than the threshold of packets, and after the requested delay', () => {
    const tracker = new AckTracker(false)
    tracker.setFrequency(4, 10, 1)
    expect(acksAfter(tracker, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual([4, 9])
    expect(tracker.ackDeadline).toBe(10)
  })

  it.each([
    [3, [0, 1, 3, 4, 5, 8, 9, 10], [5, 9, 10]],
    [5, [0, 1, 3, 5, 6, 7, 8, 9], [7, 9]],
  ])('a reordering threshold of %d: the examples of section 6.2.1', (threshold, arrivals, acks) => {
    const tracker = new AckTracker(false)
    tracker.setFrequency(1_000, 1_000, threshold)
    expect(acksAfter(tracker, arrivals)).toEqual(acks)
  })

  it('a threshold of 0 takes no notice of the order', () => {
    const tracker = new AckTracker(false)
    tracker.setFrequency(1_000, 1_000, 0)
    expect(acksAfter(tracker, [0, 9, 5, 30, 2])).toEqual([])
  })

  it('a packet that the sender has given up is acknowledged at once', () => {
    const tracker = new AckTracker(false)
    tracker.setFrequency(1_000, 1_000, 3)
    expect(acksAfter(tracker, [0, 2, 3, 4, 1])).toEqual([4, 1])
  })

  it('of a row of CE marks the first is urgent (section 6.4)', () => {
    const tracker = new AckTracker(false)
    tracker.setFrequency(1_000, 1_000, 0)
    const ce = (number: number) => (number >= 2 && number < 5 ? EcnMark.ce : EcnMark.ect0)
    expect(acksAfter(tracker, [0, 1, 2, 3, 4, 5, 6], ce)).toEqual([2])
  })
})

describe('a connection that announced the extension', () => {
  const announced = () => {
    const peer = new ScriptedPeer({ settings: { ackFrequency: true } }).handshake()
    peer.advance(200)
    return peer
  }

  it('does as it is asked, ignores what is not newer, and acknowledges IMMEDIATE_ACK at once', () => {
    const peer = announced()
    const { acks } = peer.connection.spaces[Level.application]
    peer.send(Level.application, frequency(5, 10, 20_000, 3))
    peer.send(Level.application, frequency(5, 0, 20_000, 3))
    peer.send(Level.application, frequency(4, 0, 20_000, 3))
    peer.advance(100)
    const before = peer.frames(FrameType.ack).length
    for (let i = 0; i < 8; i++) peer.send(Level.application, frame.ping())
    expect(peer.frames(FrameType.ack).length).toBe(before)
    expect(acks.ackDeadline).toBeGreaterThan(peer.now)
    peer.send(Level.application, Buffer.from([FrameType.immediateAck]))
    peer.collect()
    expect(peer.frames(FrameType.ack).length).toBe(before + 1)
  })

  it.each([
    ['below min_ack_delay', 999],
    ['of 2^14 ms', 2 ** 14 * 1_000],
  ])('a requested delay %s is PROTOCOL_VIOLATION (section 4)', (_what, delay) => {
    const peer = announced()
    peer.send(Level.application, frequency(1, 2, delay, 1))
    expect(peer.connection.closing.info?.code).toBe(TransportErrorCode.PROTOCOL_VIOLATION)
  })
})

describe('without the extension', () => {
  it.each([
    ['ACK_FREQUENCY', frequency(1, 2, 10_000, 1)],
    ['IMMEDIATE_ACK', new Uint8Array([FrameType.immediateAck])],
  ])('%s is an unknown frame', (_what, bytes) => {
    const peer = new ScriptedPeer().handshake()
    peer.send(Level.application, bytes)
    expect(peer.connection.closing.info?.code).toBe(TransportErrorCode.FRAME_ENCODING_ERROR)
  })

  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])('acknowledgements become rarer only where both ends agree: server %s, client %s', (server, client) => {
    const windows = { initialMaxData: 16_000_000, initialMaxStreamDataUni: 16_000_000 }
    const pair = new Pair({ server: { ackFrequency: server }, client: { ackFrequency: client, ...windows } })
    pair.handshake()
    // One loss ends slow start: until then acknowledgements stay frequent.
    let isLost = false
    pair.drop = (index, toServer) => {
      if (toServer || isLost || index < 200) return false
      isLost = true
      return true
    }
    const stream = pair.server.connection.openStream('uni')!
    stream.application = pair.server.application
    stream.write(Buffer.alloc(3_000_000))
    stream.end()
    pair.run(60_000, () => pair.client.application.finished.has(stream.id))
    const { threshold } = { threshold: pair.server.connection.control.ackFrequency.requestedThreshold }
    const perAck = pair.sent.toClient / pair.sent.toServer
    if (server && client) {
      expect(threshold).toBeGreaterThan(4)
      expect(perAck).toBeGreaterThan(3)
    } else {
      expect(threshold).toBe(1)
      expect(perAck).toBeLessThan(2.6)
    }
    expect(pair.client.application.bytes(stream.id)).toHaveLength(3_000_000)
  })
})
