// Random bytes from the system, fetched in blocks. Created by serve() and connect().
import { randomFillSync } from 'node:crypto'
import type { Entropy } from '../crypto/entropy.ts'
import { ENTROPY_BLOCK } from './limits.ts'

class SystemEntropy implements Entropy {
  #block = new Uint8Array(ENTROPY_BLOCK)
  #used = ENTROPY_BLOCK

  fill(bytes: Uint8Array): void {
    if (bytes.length > ENTROPY_BLOCK / 4) {
      randomFillSync(bytes)
      return
    }
    if (this.#used + bytes.length > ENTROPY_BLOCK) {
      randomFillSync(this.#block)
      this.#used = 0
    }
    const end = this.#used + bytes.length
    bytes.set(this.#block.subarray(this.#used, end))
    // What was handed out once must not be readable from the pool a second time.
    this.#block.fill(0, this.#used, end)
    this.#used = end
  }
}

/** The system's random generator; small requests are served from a block. */
export function systemEntropy(): Entropy {
  return new SystemEntropy()
}
