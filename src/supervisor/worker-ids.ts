// Connection IDs of a server with several workers: each says which worker issued it, and only the workers can read
// that. To everybody else an ID is eight random bytes: RFC 9000 section 5.1, IDs "MUST NOT contain any information that
// can be used by an external observer [...] to correlate them with other connection IDs for the same connection". After
// the encrypted mode of draft-ietf-quic-load-balancers, with more rounds, and without its first octet, which only a
// balancer outside of the server needs. Owned by hand-over.ts.
//
//   inside    | worker (1) | 0 (1) | counter (6) |
//   outside   six Feistel rounds over the two halves of four bytes; the round function is an AES block
import {
  AES_128_GCM_SHA256,
  type BackendSet,
  type Entropy,
  type HeaderProtector,
  hkdfExpandLabel,
} from '../transport/crypto/index.ts'
import { CONNECTION_ID_LENGTH } from './limits.ts'

const KEY_LENGTH = 16
const BLOCK_LENGTH = 16
/** The draft has four and says how they can be told from random bytes ("Distinguishing Attacks"); we can afford more. */
const ROUNDS = 6
const COUNTER_LENGTH = 6
const EMPTY = new Uint8Array(0)

/** No worker has it: what a client or nobody made up. */
export const NO_WORKER = -1

export class WorkerIds implements Entropy {
  readonly #worker: number
  readonly #entropy: Entropy
  readonly #block: HeaderProtector
  readonly #input = new Uint8Array(BLOCK_LENGTH)
  readonly #mask = new Uint8Array(5)
  /** Counts up from a random start: the draft, "Connection ID Entropy": a server "MUST NOT reuse a nonce". */
  readonly #counter = new Uint8Array(COUNTER_LENGTH)

  /**
   * @param secret at least 32 random bytes that the workers share
   * @param worker number of this one, 0 to 255
   */
  constructor(secret: Uint8Array, worker: number, backends: BackendSet, entropy: Entropy) {
    const key = hkdfExpandLabel('sha256', secret, 'quactor worker id', EMPTY, KEY_LENGTH)
    this.#worker = worker
    this.#entropy = entropy
    this.#block = backends.headerProtectorFor(AES_128_GCM_SHA256, key)
    entropy.fill(this.#counter)
  }

  /** Makes an ID of this worker; fills other lengths with random bytes. */
  fill(bytes: Uint8Array): void {
    if (bytes.length !== CONNECTION_ID_LENGTH) {
      this.#entropy.fill(bytes)
      return
    }
    this.#count()
    bytes[0] = this.#worker
    bytes[1] = 0
    bytes.set(this.#counter, 2)
    let left = readHalf(bytes, 0)
    let right = readHalf(bytes, 4)
    for (let round = 0; round < ROUNDS; round += 2) {
      right ^= this.#round(left, round)
      left ^= this.#round(right, round + 1)
    }
    writeHalf(bytes, 0, left)
    writeHalf(bytes, 4, right)
  }

  /**
   * The worker that issued the ID at `offset`; 8 bytes must be there. An ID that somebody else made up reads as
   * NO_WORKER, except one in 256, whose worker is any of 256: the draft wants more room than servers ("Server ID
   * Allocation"), so that such IDs are rarely taken for ours.
   */
  workerOf(buffer: Uint8Array, offset: number): number {
    let left = readHalf(buffer, offset)
    let right = readHalf(buffer, offset + 4)
    for (let round = ROUNDS - 2; round >= 0; round -= 2) {
      left ^= this.#round(right, round + 1)
      right ^= this.#round(left, round)
    }
    return ((left >>> 16) & 0xff) === 0 ? left >>> 24 : NO_WORKER
  }

  #round(half: number, round: number): number {
    const input = this.#input
    writeHalf(input, 0, half)
    input[BLOCK_LENGTH - 1] = round
    this.#block.mask(input, 0, this.#mask)
    return readHalf(this.#mask, 0)
  }

  #count(): void {
    for (let index = COUNTER_LENGTH - 1; index >= 0; index--) {
      this.#counter[index]++
      if (this.#counter[index] !== 0) return
    }
  }
}

function readHalf(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

function writeHalf(bytes: Uint8Array, at: number, half: number): void {
  bytes[at] = half >>> 24
  bytes[at + 1] = half >>> 16
  bytes[at + 2] = half >>> 8
  bytes[at + 3] = half
}
