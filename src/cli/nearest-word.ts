// The word that somebody may have meant who typed another one. Used for commands and options.

/** So many letters may be wrong, one in three of the word. */
const LETTERS_PER_SLIP = 3

/** The candidate that the fewest changes of letters make of `word`; undefined when all are too far from it. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(word.length / LETTERS_PER_SLIP)) + 1
  for (const candidate of candidates) {
    const changes = countChanges(word, candidate)
    if (changes >= fewest) continue
    best = candidate
    fewest = changes
  }
  return best
}

/** Letters to insert, remove, replace or swap with the next one (the optimal string alignment distance). */
function countChanges(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      let changes = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
      )
      const isSwap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (isSwap) changes = Math.min(changes, beforeLast[column - 2]! + 1)
      current.push(changes)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}
