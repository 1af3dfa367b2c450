// Every HTTP/3 and QPACK case of h3spec against a whole endpoint, with the code that the RFC names and no other: h3spec
// itself would take H3_GENERAL_PROTOCOL_ERROR or H3_INTERNAL_ERROR for any of them.
import { test } from 'vitest'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { frame, get, hex, varint } from '../unit/http3/session.ts'
import { Http3Peer } from './http3-peer.ts'

const empty = new Uint8Array(0)

/** Bytes on a request stream that end the connection. */
async function onRequest(code: number, ...bytes: Uint8Array[]): Promise<void> {
  const peer = await Http3Peer.begin()
  peer.control()
  peer.request(Buffer.concat(bytes))
  await peer.expectClose(code)
}

/** A field section that is malformed: the stream is reset (RFC 9114 section 4.1.2). */
async function malformed(section: string): Promise<void> {
  const peer = await Http3Peer.begin()
  peer.control()
  await peer.expectReset(peer.request(frame(0x01, hex(section))), H3ErrorCode.H3_MESSAGE_ERROR)
}

/** Bytes behind SETTINGS on the control stream that end the connection. */
async function onControl(code: number, bytes: Uint8Array): Promise<void> {
  const peer = await Http3Peer.begin()
  peer.control(bytes)
  peer.request(get)
  await peer.expectClose(code)
}

/** A stream of one way, with its type, that ends the connection. */
async function onUni(code: number, bytes: Uint8Array, fin = false): Promise<void> {
  const peer = await Http3Peer.begin()
  peer.uni(bytes, fin)
  await peer.expectClose(code)
}

test('H1 DATA before HEADERS: H3_FRAME_UNEXPECTED (RFC 9114 section 4.1)', () =>
  onRequest(H3ErrorCode.H3_FRAME_UNEXPECTED, frame(0x00, empty), get))

test('H2 duplicate pseudo-header: H3_MESSAGE_ERROR (RFC 9114 section 4.3.1)', () =>
  malformed('0000d1d750093132372e302e302e31c1d1'))

test('H3 mandatory pseudo-header absent: H3_MESSAGE_ERROR (RFC 9114 section 4.3.1)', () =>
  malformed('0000d1d7c1'))

test('H4 prohibited pseudo-header: H3_MESSAGE_ERROR (RFC 9114 section 4.3)', () =>
  malformed('0000d1d727023a6175746f72697479093132372e302e302e31c1243a666f6f03626172'))

test('H5 pseudo-header after a field: H3_MESSAGE_ERROR (RFC 9114 section 4.3)', () =>
  malformed('0000d1d727023a6175746f72697479093132372e302e302e3123666f6f03626172c1'))

test('H6 first control frame is not SETTINGS: H3_MISSING_SETTINGS (RFC 9114 section 6.2.1)', () => {
  const bytes = Buffer.concat([varint(0), frame(0x0d, varint(1)), frame(0x04, empty)])
  return onUni(H3ErrorCode.H3_MISSING_SETTINGS, bytes)
})

test('H7 DATA on the control stream: H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.1)', () =>
  onControl(H3ErrorCode.H3_FRAME_UNEXPECTED, frame(0x00, empty)))

test('H8 HEADERS on the control stream: H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.2)', () =>
  onControl(H3ErrorCode.H3_FRAME_UNEXPECTED, frame(0x01, empty)))

test('H9 second SETTINGS: H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.4)', () =>
  onControl(H3ErrorCode.H3_FRAME_UNEXPECTED, frame(0x04, empty)))

test('H10 setting of HTTP/2: H3_SETTINGS_ERROR (RFC 9114 section 7.2.4.1)', () =>
  onUni(
    H3ErrorCode.H3_SETTINGS_ERROR,
    Buffer.concat([varint(0), frame(0x04, hex('0740640240c80150000680008000'))]),
  ))

test('H11 CANCEL_PUSH on a request stream: H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.3)', () =>
  onRequest(H3ErrorCode.H3_FRAME_UNEXPECTED, frame(0x03, empty), get))

test('H12 invalid static index: QPACK_DECOMPRESSION_FAILED (RFC 9204 section 3.1)', () =>
  onRequest(H3ErrorCode.QPACK_DECOMPRESSION_FAILED, frame(0x01, hex('0000d1d750093132372e302e302e31c1ff24'))))

test('H13 capacity over the limit: QPACK_ENCODER_STREAM_ERROR (RFC 9204 section 4.3.1)', () =>
  onUni(H3ErrorCode.QPACK_ENCODER_STREAM_ERROR, hex('023fe1c7afa025')))

test('H14 end of the control stream: H3_CLOSED_CRITICAL_STREAM (RFC 9114 section 6.2.1)', () =>
  onUni(H3ErrorCode.H3_CLOSED_CRITICAL_STREAM, Buffer.concat([varint(0), frame(0x04, empty)]), true))

test('H15 Insert Count Increment of 0: QPACK_DECODER_STREAM_ERROR (RFC 9204 section 4.4.3)', () =>
  onUni(H3ErrorCode.QPACK_DECODER_STREAM_ERROR, hex('0300')))

test('H16 a setting twice: H3_SETTINGS_ERROR (RFC 9114 section 7.2.4)', () =>
  onUni(
    H3ErrorCode.H3_SETTINGS_ERROR,
    Buffer.concat([varint(0), frame(0x04, hex('0740640150000680008000074064'))]),
  ))
