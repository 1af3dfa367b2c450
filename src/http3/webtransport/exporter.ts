// Keying material of one session, draft-ietf-webtrans-http3 section 4.8: TLS's exporter (RFC 8446 section 7.5), with the
// session in its context, because sessions share the connection. Used by session.ts.

import { writeUint32 } from '../../transport/wire/varint.ts'

export const EXPORTER_LABEL = 'EXPORTER-WebTransport'

/** What one byte can count: the label and the context of an application. */
const LONGEST = 255

/**
 * "WebTransport Exporter Context": session ID, and label and context of the application with their lengths.
 * @throws RangeError for an empty label, and for more than 255 bytes of either
 */
export function exporterContext(sessionId: number, label: Uint8Array, context: Uint8Array): Uint8Array {
  if (label.length === 0 || label.length > LONGEST || context.length > LONGEST) {
    throw new RangeError('a label has 1 to 255 bytes, a context at most 255')
  }
  const bytes = new Uint8Array(8 + 1 + label.length + 1 + context.length)
  writeUint32(bytes, 0, Math.floor(sessionId / 2 ** 32))
  writeUint32(bytes, 4, sessionId % 2 ** 32)
  bytes[8] = label.length
  bytes.set(label, 9)
  bytes[9 + label.length] = context.length
  bytes.set(context, 10 + label.length)
  return bytes
}
