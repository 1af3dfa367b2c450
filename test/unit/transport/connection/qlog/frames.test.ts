import { describe, expect, it } from 'vitest'
import { describeFrames } from '../../../../../src/transport/connection/qlog/frames.ts'
import type { QlogData } from '../../../../../src/transport/connection/qlog/index.ts'
import { Cursor } from '../../../../../src/transport/wire/index.ts'

/** @param hex a packet's payload */
function described(hex: string): QlogData[] {
  const bytes = new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  // Without the fields that are undefined, as in the file.
  return JSON.parse(JSON.stringify(describeFrames(new Cursor().reset(bytes), 3)))
}

const id = 'a1a2a3a4'
const token = '00112233445566778899aabbccddeeff'

// Bytes after RFC 9000 section 19, objects after draft-ietf-quic-qlog-quic-events "QUIC Frames".
const cases: readonly [string, string, QlogData][] = [
  ['PADDING, all of it as one', '00 00 00', { frame_type: 'padding', raw: { length: 3, payload_length: 3 } }],
  ['PING', '01', { frame_type: 'ping' }],
  ['ACK', '02 0a 19 01 01 02 00', { frame_type: 'ack', ack_delay: 0.2, acked_ranges: [[5], [9, 10]] }],
  [
    'ACK with ECN counts',
    '03 03 00 00 00 01 02 03',
    { frame_type: 'ack', ack_delay: 0, acked_ranges: [[3]], ect0: 1, ect1: 2, ce: 3 },
  ],
  [
    'RESET_STREAM',
    '04 04 41 0c 05',
    { frame_type: 'reset_stream', stream_id: 4, error: 'unknown', error_code: 268, final_size: 5 },
  ],
  [
    'RESET_STREAM_AT',
    '24 04 41 0c 05 03',
    {
      frame_type: 'reset_stream_at',
      stream_id: 4,
      error: 'unknown',
      error_code: 268,
      final_size: 5,
      reliable_size: 3,
    },
  ],
  ['STOP_SENDING', '05 04 07', { frame_type: 'stop_sending', stream_id: 4, error: 'unknown', error_code: 7 }],
  [
    'CRYPTO',
    '06 02 03 616263',
    { frame_type: 'crypto', offset: 2, length: 3, raw: { length: 3, payload_length: 3 } },
  ],
  ['NEW_TOKEN', '07 02 0102', { frame_type: 'new_token', token: { type: 'resumption', raw: { length: 2 } } }],
  [
    'STREAM',
    '0f 08 09 01 ff',
    {
      frame_type: 'stream',
      stream_id: 8,
      offset: 9,
      fin: true,
      length: 1,
      raw: { length: 1, payload_length: 1 },
    },
  ],
  ['MAX_DATA', '10 0a', { frame_type: 'max_data', maximum: 10 }],
  ['MAX_STREAM_DATA', '11 04 0a', { frame_type: 'max_stream_data', stream_id: 4, maximum: 10 }],
  ['MAX_STREAMS', '12 0a', { frame_type: 'max_streams', stream_type: 'bidirectional', maximum: 10 }],
  ['MAX_STREAMS', '13 0a', { frame_type: 'max_streams', stream_type: 'unidirectional', maximum: 10 }],
  ['DATA_BLOCKED', '14 0a', { frame_type: 'data_blocked', limit: 10 }],
  ['STREAM_DATA_BLOCKED', '15 04 0a', { frame_type: 'stream_data_blocked', stream_id: 4, limit: 10 }],
  ['STREAMS_BLOCKED', '16 0a', { frame_type: 'streams_blocked', stream_type: 'bidirectional', limit: 10 }],
  ['STREAMS_BLOCKED', '17 0a', { frame_type: 'streams_blocked', stream_type: 'unidirectional', limit: 10 }],
  [
    'NEW_CONNECTION_ID, without the reset token',
    `18 02 01 04 ${id} ${token}`,
    {
      frame_type: 'new_connection_id',
      sequence_number: 2,
      retire_prior_to: 1,
      connection_id_length: 4,
      connection_id: id,
    },
  ],
  ['RETIRE_CONNECTION_ID', '19 03', { frame_type: 'retire_connection_id', sequence_number: 3 }],
  ['PATH_CHALLENGE', '1a 0102030405060708', { frame_type: 'path_challenge', data: '0102030405060708' }],
  ['PATH_RESPONSE', '1b 0102030405060708', { frame_type: 'path_response', data: '0102030405060708' }],
  [
    'CONNECTION_CLOSE of the transport',
    '1c 0a 06 02 6e6f',
    {
      frame_type: 'connection_close',
      error_space: 'transport',
      error: 'protocol_violation',
      reason: 'no',
      trigger_frame_type: 6,
    },
  ],
  [
    'CONNECTION_CLOSE with a TLS alert (CryptoError)',
    '1c 41 28 00 00',
    { frame_type: 'connection_close', error_space: 'transport', error: 'crypto_error_0x128', reason: '' },
  ],
  [
    'CONNECTION_CLOSE of the application',
    '1d 41 00 00',
    {
      frame_type: 'connection_close',
      error_space: 'application',
      error: 'unknown',
      error_code: 256,
      reason: '',
    },
  ],
  ['HANDSHAKE_DONE', '1e', { frame_type: 'handshake_done' }],
  ['DATAGRAM', '31 02 0102', { frame_type: 'datagram', length: 2, raw: { length: 2, payload_length: 2 } }],
]

describe('frames in qlog (draft-ietf-quic-qlog-quic-events, "QUIC Frames")', () => {
  it.each(cases)('%s', (_name, hex, expected) => {
    expect(described(hex)).toEqual([expected])
  })

  it('are listed in the order of the packet', () => {
    expect(described('01 10 05 1e 00 00').map(({ frame_type }) => frame_type)).toEqual([
      'ping',
      'max_data',
      'handshake_done',
      'padding',
    ])
  })

  it('end with an UnknownFrame where the type is unknown or the frame is cut off', () => {
    expect(described('01 3f 05 05')).toEqual([
      { frame_type: 'ping' },
      { frame_type: 'unknown', frame_type_bytes: 63, raw: { length: 3 } },
    ])
    expect(described('06 02 30 61')).toEqual([
      { frame_type: 'unknown', frame_type_bytes: 6, raw: { length: 4 } },
    ])
  })
})
