// Bytes for the tests of wire.
import { Cursor, QuicError } from '../../../../src/transport/wire/index.ts'

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function cursorOf(bytes: Uint8Array): Cursor {
  return new Cursor().reset(bytes)
}

/** The transport error code that an action raises; undefined when it raises none. Other errors pass through. */
export function errorCodeOf(action: () => unknown): number | undefined {
  try {
    action()
  } catch (error) {
    if (error instanceof QuicError) return error.code
    throw error
  }
  return undefined
}
