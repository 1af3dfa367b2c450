// Huffman coding of string literals, RFC 7541 section 5.2 as used by RFC 9204 section 4.1.2.
// Decoding is a state machine that eats a whole byte per step: a state is an inner node of the code tree, and one
// table cell says which node the eight bits lead to and which symbols (two at most, the shortest code has five bits)
// they completed on the way. Called by the QPACK decoder and encoder per string.

import { codeLengths, codeWords, EOS_SYMBOL, SYMBOL_COUNT } from './huffman-code.ts'

// Cell of the table:
//   31      30..29  28..24   23..16         15..8         7..0
//   failed  count   unused   second symbol  first symbol  next state
const FAILED = 0x8000_0000 | 0
const COUNT_SHIFT = 29
const SECOND_SHIFT = 16
const FIRST_SHIFT = 8

/** Upper bound of the output in bytes for `length` encoded bytes: every symbol has at least five of eight bits. */
export function huffmanDecodedBound(length: number): number {
  return 2 * length
}

interface Tree {
  /** children[2 * node + bit]: an inner node, or ~symbol for a leaf. */
  readonly children: Int16Array
  readonly nodeCount: number
}

function buildTree(): Tree {
  const children = new Int16Array(2 * SYMBOL_COUNT)
  let nodeCount = 1
  for (let symbol = 0; symbol < SYMBOL_COUNT; symbol++) {
    let node = 0
    for (let bit = codeLengths[symbol] - 1; bit > 0; bit--) {
      const slot = 2 * node + ((codeWords[symbol] >>> bit) & 1)
      if (children[slot] === 0) children[slot] = nodeCount++
      node = children[slot]
    }
    children[2 * node + (codeWords[symbol] & 1)] = ~symbol
  }
  return { children, nodeCount }
}

function buildCell(tree: Tree, state: number, byte: number): number {
  let node = state
  let count = 0
  let symbols = 0
  for (let bit = 7; bit >= 0; bit--) {
    const child = tree.children[2 * node + ((byte >>> bit) & 1)]
    if (child >= 0) {
      node = child
      continue
    }
    const symbol = ~child
    if (symbol === EOS_SYMBOL) return FAILED
    symbols |= symbol << (count === 0 ? FIRST_SHIFT : SECOND_SHIFT)
    count++
    node = 0
  }
  return (count << COUNT_SHIFT) | symbols | node
}

const tree = buildTree()

const cells = buildCells()

function buildCells(): Int32Array {
  const table = new Int32Array(tree.nodeCount * 256)
  for (let state = 0; state < tree.nodeCount; state++) {
    for (let byte = 0; byte < 256; byte++) table[state * 256 + byte] = buildCell(tree, state, byte)
  }
  return table
}

// RFC 7541 section 5.2: padding is at most seven bits, all of them ones (the start of EOS).
const canEnd = markEndStates()

function markEndStates(): Uint8Array {
  const allowed = new Uint8Array(tree.nodeCount)
  let node = 0
  for (let bits = 0; bits <= 7; bits++) {
    allowed[node] = 1
    node = tree.children[2 * node + 1]
  }
  return allowed
}

/**
 * Decodes one string.
 * @param source buffer with the encoded bytes
 * @param start first encoded byte
 * @param end offset behind the last encoded byte
 * @param target receives the symbols from offset 0; must hold {@link huffmanDecodedBound} bytes
 * @returns number of bytes written, or -1 when the code is invalid (EOS inside, wrong or too long padding)
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0
  let length = 0
  for (let offset = start; offset < end; offset++) {
    const cell = cells[(state << 8) | source[offset]]
    if (cell === FAILED) return -1
    state = cell & 0xff
    const count = (cell >>> COUNT_SHIFT) & 3
    if (count !== 0) {
      target[length++] = (cell >>> FIRST_SHIFT) & 0xff
      if (count === 2) target[length++] = (cell >>> SECOND_SHIFT) & 0xff
    }
  }
  return canEnd[state] === 1 ? length : -1
}

/** Bits of the Huffman code per character code 0..255. */
export const huffmanBits = codeLengths.subarray(0, 256)

/**
 * Encodes a string whose character codes are all below 256.
 * @param text latin1 text
 * @param target buffer to write to
 * @param start first offset written
 * @returns offset behind the last byte written
 */
export function huffmanEncode(text: string, target: Uint8Array, start: number): number {
  let offset = start
  let held = 0
  let heldBits = 0
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index)
    let bits = codeLengths[symbol]
    let word = codeWords[symbol]
    if (bits > 24) {
      // Seven held bits and a word of thirty do not fit into 32: the upper part goes first.
      const upper = bits - 16
      held = (held << upper) | (word >>> 16)
      heldBits += upper
      while (heldBits >= 8) {
        heldBits -= 8
        target[offset++] = held >>> heldBits
      }
      word &= 0xffff
      bits = 16
    }
    held = (held << bits) | word
    heldBits += bits
    while (heldBits >= 8) {
      heldBits -= 8
      target[offset++] = held >>> heldBits
    }
  }
  // RFC 7541 section 5.2: the rest of the last byte is filled with the most significant bits of EOS.
  if (heldBits > 0) target[offset++] = (held << (8 - heldBits)) | (0xff >>> heldBits)
  return offset
}
