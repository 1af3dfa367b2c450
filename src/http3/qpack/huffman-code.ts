// The Huffman code of RFC 7541 appendix B, which QPACK uses unchanged (RFC 9204 section 4.1.2).
// The code is canonical: sorted by (length, symbol) the code words count upwards, so the lengths say everything.
// Read by huffman.ts, which builds its tables from it once.

/** Symbols 0..255 and EOS. */
export const SYMBOL_COUNT = 257

/** The symbol that must never appear in a string (RFC 7541 section 5.2). */
export const EOS_SYMBOL = 256

const SHORTEST_CODE = 5
const LONGEST_CODE = 30

// One letter per symbol: 'a' is a code of 5 bits, 'z' one of 30.
const lengthLetters =
  'isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbk' +
  'abababbbaccbbbabcbaabccccckgjixprpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvv' +
  'porsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwvz'

/** Bits per symbol. */
export const codeLengths = Uint8Array.from(
  lengthLetters,
  (letter) => letter.charCodeAt(0) - 97 + SHORTEST_CODE,
)

/** Code word per symbol, aligned to the least significant bit. */
export const codeWords = assignCodeWords()

function assignCodeWords(): Uint32Array {
  const words = new Uint32Array(SYMBOL_COUNT)
  let next = 0
  for (let length = SHORTEST_CODE; length <= LONGEST_CODE; length++) {
    for (let symbol = 0; symbol < SYMBOL_COUNT; symbol++) {
      if (codeLengths[symbol] === length) words[symbol] = next++
    }
    next *= 2
  }
  return words
}
