// Reproducible damage to bytes.
import { TestEntropy } from '../unit/transport/connection/pair.ts'

export class Mutator {
  readonly #entropy: TestEntropy

  constructor(seed: number) {
    this.#entropy = new TestEntropy(seed * 2_654_435 + 12_345)
  }

  /** An integer below `bound`. */
  below(bound: number): number {
    return (this.#entropy.next() >>> 4) % bound
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.#entropy.fill(bytes)
    return bytes
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** A changed copy: flipped bits, extreme bytes, cuts, insertions, repetitions. */
  mutate(original: Uint8Array): Uint8Array {
    let bytes = new Uint8Array(original)
    for (let count = 1 + this.below(4); count > 0; count--) bytes = this.#once(bytes)
    return bytes
  }

  #once(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length + 1)
    switch (this.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << this.below(8)
        return bytes
      case 1:
        if (at < bytes.length) bytes[at] = this.pick([0x00, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff])
        return bytes
      case 2:
        return bytes.slice(0, at)
      case 3:
        return new Uint8Array(
          Buffer.concat([bytes.subarray(0, at), this.bytes(1 + this.below(8)), bytes.subarray(at)]),
        )
      case 4:
        return new Uint8Array(
          Buffer.concat([
            bytes.subarray(0, at),
            bytes.subarray(Math.min(bytes.length, at + 1 + this.below(4))),
          ]),
        )
      default:
        return new Uint8Array(Buffer.concat([bytes, bytes.subarray(at)]))
    }
  }
}
