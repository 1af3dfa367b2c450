// Encodes field lines against the static table, RFC 9204 section 4.5, and the strings of all others. Called by the
// message writer where the peer has no dynamic table, else by QpackEncoder; writes into a buffer that is big enough.

import { byteClasses } from '../field-grammar.ts'
import { huffmanBits, huffmanEncode } from './huffman.ts'
import { isNeverIndexed } from './insertion-policy.ts'
import { writePrefixInteger } from './prefix-integer.ts'
import { staticByName } from './static-table.ts'
import { ValueCache } from './value-cache.ts'

/** Most bytes of a section prefix: a Required Insert Count and a Delta Base of zero. */
export const MAX_SECTION_PREFIX_BYTES = 11

/** Most bytes that a field line needs besides the characters of its name and value. */
export const FIELD_LINE_OVERHEAD = 12

/** Writes the prefix of a section without dynamic references (RFC 9204 section 4.5.1); returns the next offset. */
export function writeSectionPrefix(target: Uint8Array, start: number): number {
  target[start] = 0
  target[start + 1] = 0
  return start + 2
}

// Shared by all connections: what it holds are our own values, and no secret ones.
const valueCache = new ValueCache()

let huffmanLength = 0

/** Class bits of a text with characters above U+00FF; no table entry has them all. */
const NOT_LATIN1 = 0xff

/** OR of the character classes; leaves the Huffman length in bytes in `huffmanLength`. */
function measure(text: string): number {
  let bits = 0
  let classes = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0xff) return NOT_LATIN1
    bits += huffmanBits[code]
    classes |= byteClasses[code]
  }
  huffmanLength = (bits + 7) >>> 3
  return classes
}

function writeString(
  target: Uint8Array,
  start: number,
  pattern: number,
  prefixBits: number,
  text: string,
): number {
  if (huffmanLength < text.length) {
    const offset = writePrefixInteger(target, start, pattern | (1 << prefixBits), prefixBits, huffmanLength)
    return huffmanEncode(text, target, offset)
  }
  let offset = writePrefixInteger(target, start, pattern, prefixBits, text.length)
  for (let index = 0; index < text.length; index++) target[offset++] = text.charCodeAt(index)
  return offset
}

function checkClasses(classes: number, forbidden: number, what: string, name: string): void {
  if ((classes & forbidden) !== 0) throw new TypeError(`invalid character in the ${what} of field "${name}"`)
}

/**
 * Writes one field line in its shortest static form.
 * @param target buffer with room for name, value and {@link FIELD_LINE_OVERHEAD}
 * @param start first offset written
 * @param name field name, lower case
 * @param value field value, latin1
 * @param forbiddenInName ByteClass bits that make a literal name invalid; 0 allows everything
 * @param forbiddenInValue the same for the value
 * @returns offset behind the last byte written
 * @throws TypeError for a character that is forbidden or not latin1
 */
export function writeFieldLine(
  target: Uint8Array,
  start: number,
  name: string,
  value: string,
  forbiddenInName: number,
  forbiddenInValue: number,
): number {
  const known = staticByName.get(name)
  if (known === undefined) {
    return writeLiteralLine(target, start, name, value, forbiddenInName, forbiddenInValue)
  }
  const exact = known.values.get(value)
  if (exact !== undefined) return writePrefixInteger(target, start, 0xc0, 6, exact)
  const offset = writePrefixInteger(target, start, isNeverIndexed(name, value) ? 0x70 : 0x50, 4, known.index)
  return writeValue(target, offset, name, value, forbiddenInValue)
}

/** Writes a value as string literal; parameters as {@link writeFieldLine}. */
export function writeValue(
  target: Uint8Array,
  start: number,
  name: string,
  value: string,
  forbidden: number,
): number {
  return isRemembered(name) && valueCache.isCacheable(value)
    ? writeRepeatedValue(target, start, name, value, forbidden)
    : encodeValue(target, start, name, value, forbidden)
}

/** Values that only the process may share which are nobody's secret. */
function isRemembered(name: string): boolean {
  return name !== 'cookie' && !isNeverIndexed(name, '')
}

function encodeValue(
  target: Uint8Array,
  start: number,
  name: string,
  value: string,
  forbidden: number,
): number {
  const classes = measure(value)
  checkClasses(classes, forbidden | (classes === NOT_LATIN1 ? NOT_LATIN1 : 0), 'value', name)
  return writeString(target, start, 0, 7, value)
}

function writeRepeatedValue(
  target: Uint8Array,
  start: number,
  name: string,
  value: string,
  forbidden: number,
): number {
  const cached = forbidden === 0 ? undefined : valueCache.find(value)
  if (cached === undefined) {
    const end = encodeValue(target, start, name, value, forbidden)
    // Only values that passed the check are kept, so that a hit needs none.
    if (forbidden !== 0) valueCache.keep(value, target, start, end)
    return end
  }
  for (let index = 0; index < cached.length; index++) target[start + index] = cached[index]
  return start + cached.length
}

function writeLiteralLine(
  target: Uint8Array,
  start: number,
  name: string,
  value: string,
  forbiddenInName: number,
  forbiddenInValue: number,
): number {
  const pattern = isNeverIndexed(name, value) ? 0x30 : 0x20
  const offset = writeName(target, start, pattern, 3, name, forbiddenInName)
  return encodeValue(target, offset, name, value, forbiddenInValue)
}

/**
 * Writes a name as string literal.
 * @param pattern bits in front of its H bit
 * @param prefixBits bits of its length
 * @throws TypeError for a character that is forbidden or not latin1
 */
export function writeName(
  target: Uint8Array,
  start: number,
  pattern: number,
  prefixBits: number,
  name: string,
  forbidden: number,
): number {
  const classes = measure(name)
  checkClasses(classes, forbidden | (classes === NOT_LATIN1 ? NOT_LATIN1 : 0), 'name', name)
  return writeString(target, start, pattern, prefixBits, name)
}
