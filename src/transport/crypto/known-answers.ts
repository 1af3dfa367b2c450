// Known-answer tests that a backend must pass before it may protect a packet. Called by backends.ts once at
// start. The payload is long enough to pass through every path of a vectorised implementation; the expected
// tags cover every ciphertext byte, and were computed with two implementations that agree.
import type { AeadBackend, HeaderBackend } from './aead.ts'
import type { CipherSuite } from './suites.ts'
import { IV_LENGTH, TAG_LENGTH } from './suites.ts'

interface KnownAnswer {
  readonly suite: number
  /** Tag of the sealed pattern packet, hexadecimal. */
  readonly tag: string
  /** Header protection mask of the sample 00 01 02 .. 0f, hexadecimal. */
  readonly mask: string
}

const ANSWERS: readonly KnownAnswer[] = [
  { suite: 0x1301, tag: '24563b4a0ae09c81a685c16ca1b64b97', mask: 'f9180d76f4' },
  { suite: 0x1302, tag: '6be35a3f107c26f9bcaac710b9b7492c', mask: 'a9829ea2af' },
  { suite: 0x1303, tag: '9e11b02db6a14d5dbeb6de3a8266efac', mask: '26ef797248' },
]

const HEADER_LENGTH = 21
const PAYLOAD_LENGTH = 1171
const PACKET_NUMBER = 0x12_3456_789a

function pattern(length: number, step: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = i * step + 1
  return bytes
}

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function answerFor(suite: CipherSuite): KnownAnswer {
  const answer = ANSWERS.find((candidate) => candidate.suite === suite.id)
  if (answer === undefined) throw new RangeError(`no known answer for ${suite.name}`)
  return answer
}

/** Whether a backend seals and opens the known packet of a suite, and refuses it once a bit is changed. */
export function passesAeadTest(backend: AeadBackend, suite: CipherSuite): boolean {
  const end = HEADER_LENGTH + PAYLOAD_LENGTH
  const plain = pattern(end + TAG_LENGTH, 7)
  try {
    const aead = backend.createAead(suite, pattern(suite.keyLength, 3), pattern(IV_LENGTH, 5))
    const packet = plain.slice()
    aead.seal(packet, 0, HEADER_LENGTH, end, PACKET_NUMBER)
    if (hex(packet.subarray(end)) !== answerFor(suite).tag) return false
    const forged = packet.slice()
    forged[end - 1]! ^= 1
    if (aead.open(forged, 0, HEADER_LENGTH, forged.length, PACKET_NUMBER)) return false
    if (!aead.open(packet, 0, HEADER_LENGTH, packet.length, PACKET_NUMBER)) return false
    return equal(packet.subarray(0, end), plain.subarray(0, end))
  } catch {
    return false
  }
}

/** Whether a backend makes the known header protection mask of a suite. */
export function passesHeaderTest(backend: HeaderBackend, suite: CipherSuite): boolean {
  try {
    const sample = Uint8Array.from({ length: 16 }, (_, i) => i)
    const mask = new Uint8Array(5)
    backend.createHeaderProtector(suite, pattern(suite.keyLength, 3)).mask(sample, 0, mask)
    return hex(mask) === answerFor(suite).mask
  } catch {
    return false
  }
}
