// Handshake message types and the four-byte message header, RFC 8446 section 4. Used by every codec of this room.

import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

export const HandshakeType = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
  messageHash: 254,
} as const

/** msg_type (1) and length (3). */
export const HANDSHAKE_HEADER_BYTES = 4

/** Encodes one message: header, then whatever `writeBody` writes. */
export function encodeMessage(
  type: number,
  writeBody: (writer: ByteWriter) => void,
  capacity?: number,
): Uint8Array {
  const writer = new ByteWriter(capacity)
  writer.writeUint8(type)
  const start = writer.open(3)
  writeBody(writer)
  writer.close(3, start)
  return writer.finish()
}

/** A reader over the body of a whole message (header included in `message`). */
export function bodyReader(message: Uint8Array): ByteReader {
  return new ByteReader(message, HANDSHAKE_HEADER_BYTES)
}
