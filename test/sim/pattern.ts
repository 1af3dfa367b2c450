// Bodies whose every byte is known: a body is a window into one fixed random table, so that checking costs a
// memory compare and a swapped, repeated or missing piece is found at its exact offset.
import { Random, seededEntropy } from './random.ts'

/** Prime, so that the period fits no packet, block or window size. */
const TABLE_LENGTH = 65_521

const table = new Uint8Array(TABLE_LENGTH * 2)
seededEntropy(new Random(0x51ac70)).fill(table.subarray(0, TABLE_LENGTH))
table.copyWithin(TABLE_LENGTH, 0, TABLE_LENGTH)

/** The bytes [start, start + length) of the body named `key`; a copy that the caller may keep. */
export function patternBytes(key: number, start: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const at = (key * 7_919 + start + done) % TABLE_LENGTH
    const piece = Math.min(length - done, TABLE_LENGTH)
    out.set(table.subarray(at, at + piece), done)
    done += piece
  }
  return out
}

/** Checks bytes as they arrive; remembers the first difference instead of throwing inside the transport. */
export class PatternChecker {
  readonly key: number
  received = 0
  firstDifference: number | undefined

  constructor(key: number) {
    this.key = key
  }

  add(chunk: Uint8Array): void {
    for (let done = 0; done < chunk.length && this.firstDifference === undefined; ) {
      const at = (this.key * 7_919 + this.received + done) % TABLE_LENGTH
      const piece = Math.min(chunk.length - done, TABLE_LENGTH)
      if (Buffer.compare(chunk.subarray(done, done + piece), table.subarray(at, at + piece)) !== 0) {
        this.firstDifference = this.#locate(chunk, done, at, piece)
      }
      done += piece
    }
    this.received += chunk.length
  }

  /** Undefined when exactly `length` right bytes came, else what is wrong. */
  verdict(length: number): string | undefined {
    if (this.firstDifference !== undefined) return `byte ${this.firstDifference} differs`
    return this.received === length ? undefined : `${this.received} bytes instead of ${length}`
  }

  #locate(chunk: Uint8Array, done: number, at: number, piece: number): number {
    for (let i = 0; i < piece; i++) if (chunk[done + i] !== table[at + i]) return this.received + done + i
    return this.received + done
  }
}
