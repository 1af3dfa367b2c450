// Which bytes a field name, a field value and a request target may consist of.
// RFC 9110 sections 5.1 and 5.5, RFC 9114 sections 4.2 and 4.3. One table look-up per byte; the decoder joins the
// classes of a whole string with OR while the bytes are at hand, the writer does the same with character codes.

/** Bits that a byte can carry; a string carries the OR of its bytes. */
export const ByteClass = {
  /** Not allowed in a field name: not a lower-case token character (RFC 9114 section 4.2). */
  notName: 1,
  /** Not allowed in a field value: a control character other than HTAB (RFC 9110 section 5.5). */
  notValue: 2,
  /** Not allowed in :path or :authority: not a printable ASCII character, or "#". */
  notTarget: 4,
  /** Not allowed in a method (RFC 9110 section 9.1: a token, upper case included). */
  notToken: 8,
} as const

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"

function classOf(code: number): number {
  const character = String.fromCharCode(code)
  const isNameCharacter = tokenCharacters.includes(character)
  const isToken = isNameCharacter || (code >= 0x41 && code <= 0x5a)
  const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f
  const isTarget = code > 0x20 && code < 0x7f && character !== '#'
  return (
    (isNameCharacter ? 0 : ByteClass.notName) |
    (isControl ? ByteClass.notValue : 0) |
    (isTarget ? 0 : ByteClass.notTarget) |
    (isToken ? 0 : ByteClass.notToken)
  )
}

/** Class bits by byte value. */
export const byteClasses = Uint8Array.from({ length: 256 }, (_, code) => classOf(code))

/** OR of the classes of `buffer[start, end)`. */
export function classesOfBytes(buffer: Uint8Array, start: number, end: number): number {
  let classes = 0
  for (let offset = start; offset < end; offset++) classes |= byteClasses[buffer[offset]]
  return classes
}

/** OR of the classes of a string; characters above U+00FF fit nowhere and carry every bit. */
export function classesOfText(text: string): number {
  let classes = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    classes |= code < 256 ? byteClasses[code] : 0xff
  }
  return classes
}

/** Fields that describe one hop of HTTP/1.1 and make a message malformed here (RFC 9114 section 4.2). */
export function isConnectionSpecific(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      return true
    default:
      return false
  }
}

/**
 * Reads a content-length value (RFC 9110 section 8.6: digits only).
 * @returns bytes, or -1 when the text is not a number below 2^53
 */
export function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > 16) return -1
  let length = 0
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : -1
}
