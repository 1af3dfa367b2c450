// Frames that every packet-number space knows: PADDING, PING, ACK, CRYPTO (RFC 9000 sections 19.1 to 19.3, 19.6).
import { AckFrame, CryptoFrame, type Cursor, parseAck, parseCrypto, skipPadding } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import { type PacketSpace, Space } from './packet-space.ts'

const ack = new AckFrame()
const crypto = new CryptoFrame()

export function handlePadding(_connection: QuicConnection, cursor: Cursor): void {
  skipPadding(cursor)
}

export function handlePing(
  connection: QuicConnection,
  _cursor: Cursor,
  _type: number,
  space: PacketSpace,
): void {
  if (space.index !== Space.application) connection.handshake.repeats.handleRepetition()
}

export function handleAck(
  connection: QuicConnection,
  cursor: Cursor,
  type: number,
  space: PacketSpace,
): void {
  parseAck(cursor, type, ack)
  // RFC 9000 section 19.3: the delay is in units of 2^ack_delay_exponent microseconds.
  const delay = (ack.delay * 2 ** connection.peerAckDelayExponent) / 1000
  connection.recovery.handleAck(space.index, ack, delay, connection.now)
  if (space.index === Space.application) connection.applicationKeys?.handleAck(ack.largest)
}

export function handleCrypto(
  connection: QuicConnection,
  cursor: Cursor,
  _type: number,
  space: PacketSpace,
): void {
  parseCrypto(cursor, crypto)
  const data = cursor.buffer.subarray(crypto.dataStart, crypto.dataStart + crypto.length)
  const { receive } = space.crypto
  const isRepeated = crypto.offset + crypto.length <= receive.readOffset
  if (isRepeated && space.index !== Space.application) connection.handshake.repeats.handleRepetition()
  space.crypto.handleFrame(crypto.offset, data)
  for (let chunk = receive.read(); chunk !== undefined; chunk = receive.read()) {
    connection.handshake.handleCrypto(space.index, chunk)
  }
}
