// Every transport and TLS case of h3spec that concerns a full handshake, with the code that the RFC names and no
// other: h3spec itself would take PROTOCOL_VIOLATION or INTERNAL_ERROR for any of them.
import { describe, expect, test } from 'vitest'
import {
  encodeTransportParameters,
  TransportErrorCode,
  type TransportParameters,
} from '../../src/transport/wire/index.ts'
import { withExtensionType, withoutExtension } from './client-hello.ts'
import { EndpointPeer } from './endpoint-peer.ts'
import * as frame from './frame-bytes.ts'
import { Level, type ScriptedOptions, ScriptedPeer } from './scripted-peer.ts'

const {
  FLOW_CONTROL_ERROR,
  STREAM_LIMIT_ERROR,
  STREAM_STATE_ERROR,
  FRAME_ENCODING_ERROR,
  TRANSPORT_PARAMETER_ERROR,
  PROTOCOL_VIOLATION,
} = TransportErrorCode
const UNEXPECTED_MESSAGE = 0x10a
const MISSING_EXTENSION = 0x16d
const NO_APPLICATION_PROTOCOL = 0x178
const TRANSPORT_PARAMETERS_EXTENSION = 0x39
const KEY_UPDATE = Uint8Array.of(0x18, 0, 0, 1, 1)

const dummy = Buffer.from('DUMMY')
const preferredAddress = frame.bytesOf(
  Uint8Array.of(127, 0, 0, 1, 1, 187),
  new Uint8Array(18),
  Uint8Array.of(8),
  new Uint8Array(8).fill(1),
  new Uint8Array(16).fill(2),
)

describe.each([
  ['a connection', ScriptedPeer],
  ['a whole endpoint', EndpointPeer],
])('h3spec against %s', (_what, Peer) => {
  function expectClose(peer: ScriptedPeer, code: number): void {
    const { connection } = peer
    expect(peer.close).toMatchObject({ type: 0x1c, code })
    expect(connection.closing.info).toMatchObject({ code, isLocal: true, isApplication: false })
    expect(connection.stats.internalErrors).toBe(0)
    peer.advance(10_000)
    expect(connection.isClosed).toBe(true)
    if (peer instanceof EndpointPeer) expect(peer.leftovers).toEqual([])
  }

  /** One 1-RTT packet with these frames on an established connection. */
  function afterHandshake(code: number, ...frames: Uint8Array[]): void {
    const peer = new Peer().handshake()
    expect(peer.close).toBeUndefined()
    peer.send(Level.application, ...frames)
    expectClose(peer, code)
  }

  function inHandshake(code: number, options: ScriptedOptions): void {
    expectClose(new Peer(options).handshake(), code)
  }

  /** Transport parameters with one more, given as ID and value. */
  function withParameter(id: number, value: Uint8Array): ScriptedOptions {
    const encodeParameters = (parameters: TransportParameters) =>
      frame.bytesOf(encodeTransportParameters(parameters, 'client'), id, value.length, value)
    return { encodeParameters }
  }

  /** A client whose ClientHello was answered and which has Handshake keys. */
  function duringHandshake(): ScriptedPeer {
    const peer = new Peer()
    peer.start()
    peer.flush()
    expect(peer.spaces[Level.handshake].writeKeys).toBeDefined()
    return peer
  }

  test('T1 large offset: FLOW_CONTROL_ERROR (RFC 9000 section 4.1)', () => {
    afterHandshake(FLOW_CONTROL_ERROR, frame.stream(0, 100_000_000, 'GET /\r\n', true))
  })

  test('T2 stream id over limit: STREAM_LIMIT_ERROR (RFC 9000 section 4.6)', () => {
    afterHandshake(STREAM_LIMIT_ERROR, frame.stream(1_000_000_000, 0, '', true))
  })

  test('T3 no initial_source_connection_id: TRANSPORT_PARAMETER_ERROR (RFC 9000 section 7.3)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, { parameters: { initialSourceConnectionId: undefined } })
  })

  test('T4 client sends original_destination_connection_id (RFC 9000 section 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x00, dummy))
  })

  test('T5 client sends preferred_address (RFC 9000 section 18.2)', () => {
    expect(preferredAddress.length).toBe(49)
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x0d, preferredAddress))
  })

  test('T6 client sends retry_source_connection_id (RFC 9000 section 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x10, dummy))
  })

  test('T7 client sends stateless_reset_token (RFC 9000 section 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x02, dummy))
  })

  test('T8 max_udp_payload_size below 1200 (RFC 9000 sections 7.4 and 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x03, frame.varint(1_090)))
  })

  test('T9 ack_delay_exponent above 20 (RFC 9000 sections 7.4 and 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x0a, frame.varint(30)))
  })

  test('T10 max_ack_delay of 2^14 and more (RFC 9000 sections 7.4 and 18.2)', () => {
    inHandshake(TRANSPORT_PARAMETER_ERROR, withParameter(0x0b, frame.varint(2 ** 15)))
  })

  test('T11 unknown frame type: FRAME_ENCODING_ERROR (RFC 9000 section 12.4)', () => {
    afterHandshake(FRAME_ENCODING_ERROR, Uint8Array.of(0x20))
  })

  test('T12 packet with no frames: PROTOCOL_VIOLATION (RFC 9000 section 12.4)', () => {
    afterHandshake(PROTOCOL_VIOLATION)
  })

  test('T13 reserved bits in a Handshake packet: PROTOCOL_VIOLATION (RFC 9000 section 17.2)', () => {
    const peer = duringHandshake()
    peer.sendDatagram(peer.packet(Level.handshake, frame.ping(), { firstByteBits: 0x08 }))
    expectClose(peer, PROTOCOL_VIOLATION)
  })

  test('T14 PATH_CHALLENGE in a Handshake packet: PROTOCOL_VIOLATION (RFC 9000 section 12.4)', () => {
    const peer = duringHandshake()
    peer.send(Level.handshake, frame.pathChallenge())
    expectClose(peer, PROTOCOL_VIOLATION)
  })

  test('T15 reserved bits in a short header: PROTOCOL_VIOLATION (RFC 9000 section 17.3.1)', () => {
    const peer = new Peer().handshake()
    peer.sendDatagram(peer.packet(Level.application, frame.ping(), { firstByteBits: 0x08 }))
    expectClose(peer, PROTOCOL_VIOLATION)
  })

  test('T16 RESET_STREAM for a send-only stream: STREAM_STATE_ERROR (RFC 9000 section 19.4)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.resetStream(3, 0, 0))
  })

  test('T17 STOP_SENDING for a stream that does not exist (RFC 9000 section 19.5)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.stopSending(101, 0))
  })

  test('T18 NEW_TOKEN from a client: PROTOCOL_VIOLATION (RFC 9000 section 19.7)', () => {
    afterHandshake(PROTOCOL_VIOLATION, frame.newToken('DUMMY'))
  })

  test('T19 STREAM on a local stream that was not created (RFC 9000 section 19.8)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.stream(1, 0, ''))
  })

  test('T20 STREAM on a send-only stream (RFC 9000 section 19.8)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.stream(3, 0, ''))
  })

  test('T21 MAX_STREAM_DATA on a stream that was not created (RFC 9000 section 19.10)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.maxStreamData(101, 1_000_000))
  })

  test('T22 MAX_STREAM_DATA on a receive-only stream (RFC 9000 section 19.10)', () => {
    afterHandshake(STREAM_STATE_ERROR, frame.maxStreamData(2, 1_000_000))
  })

  test('T23 MAX_STREAMS above 2^60: FRAME_ENCODING_ERROR (RFC 9000 section 19.11)', () => {
    afterHandshake(FRAME_ENCODING_ERROR, frame.maxStreamsBidi(2n ** 60n + 1n))
  })

  test('T24 STREAMS_BLOCKED above 2^60: FRAME_ENCODING_ERROR (RFC 9000 section 19.14)', () => {
    afterHandshake(FRAME_ENCODING_ERROR, frame.streamsBlockedBidi(2n ** 60n + 1n))
  })

  test('T25 NEW_CONNECTION_ID with Retire Prior To above its number (RFC 9000 section 19.15)', () => {
    afterHandshake(FRAME_ENCODING_ERROR, frame.newConnectionId(1, 11))
  })

  test('T26 NEW_CONNECTION_ID with a zero-length ID (RFC 9000 section 19.15)', () => {
    afterHandshake(FRAME_ENCODING_ERROR, frame.newConnectionId(1, 0, new Uint8Array(0)))
  })

  test('T27 HANDSHAKE_DONE from a client: PROTOCOL_VIOLATION (RFC 9000 section 19.20)', () => {
    afterHandshake(PROTOCOL_VIOLATION, frame.handshakeDone())
  })

  test('T28 TLS KeyUpdate in the Handshake: unexpected_message (RFC 9001 section 6)', () => {
    const mutateCrypto = (level: number, bytes: Uint8Array) =>
      level === Level.handshake ? Buffer.concat([bytes, KEY_UPDATE]) : bytes
    inHandshake(UNEXPECTED_MESSAGE, { mutateCrypto })
  })

  test('T29 TLS KeyUpdate in 1-RTT: unexpected_message (RFC 9001 section 6)', () => {
    afterHandshake(UNEXPECTED_MESSAGE, frame.crypto(0, KEY_UPDATE))
  })

  test('T30 no common ALPN: no_application_protocol (RFC 9001 section 8.1)', () => {
    inHandshake(NO_APPLICATION_PROTOCOL, { alpn: ['dummy'] })
  })

  test('T31 quic_transport_parameters absent: missing_extension (RFC 9001 section 8.2)', () => {
    const mutateCrypto = (_level: number, hello: Uint8Array) =>
      withoutExtension(hello, TRANSPORT_PARAMETERS_EXTENSION)
    inHandshake(MISSING_EXTENSION, { mutateCrypto })
  })

  test('T32 transport parameters under the codepoint of the drafts only: missing_extension', () => {
    const mutateCrypto = (_level: number, hello: Uint8Array) =>
      withExtensionType(hello, TRANSPORT_PARAMETERS_EXTENSION, 0xffa5)
    inHandshake(MISSING_EXTENSION, { mutateCrypto })
  })

  test('T33 EndOfEarlyData before Finished: unexpected_message (RFC 9001 section 8.3)', () => {
    const endOfEarlyData = Uint8Array.of(5, 0, 0, 0)
    const mutateCrypto = (level: number, bytes: Uint8Array) =>
      level === Level.handshake ? Buffer.concat([endOfEarlyData, bytes]) : bytes
    inHandshake(UNEXPECTED_MESSAGE, { mutateCrypto })
  })
})
