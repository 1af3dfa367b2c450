// The two bits of a first byte that are not protected: the fixed bit, which may be greased (RFC 9287), and the spin
// bit, by which a path may measure round trips (RFC 9000 section 17.4). A part of QuicConnection.
import type { Entropy } from '../crypto/index.ts'
import type { TransportSettings } from './settings.ts'

const FIXED_BIT = 0x40
const SPIN_BIT = 0x20
/** RFC 9000 section 17.4: "at least one in every 16 network paths" does not spin, whatever the setting. */
const SPIN_EXCEPTION = 16

export class HeaderBits {
  /** The peer takes packets without the fixed bit (RFC 9287 section 3). */
  isFixedBitFree = false
  readonly #isServer: boolean
  readonly #isSpinning: boolean
  #spin = 0
  #spinNumber = -1
  /** Of a generator that is good enough for bits that mean nothing; seeded once. */
  #state: number

  constructor({ spinBit }: TransportSettings, isServer: boolean, entropy: Entropy) {
    const seed = new Uint8Array(5)
    entropy.fill(seed)
    this.#isServer = isServer
    this.#isSpinning = spinBit && seed[4] % SPIN_EXCEPTION !== 0
    this.#state = ((seed[0] << 24) | (seed[1] << 16) | (seed[2] << 8) | seed[3]) >>> 0 || 1
  }

  /** The spin bit of the next 1-RTT packet: random where it does not spin (RFC 9000 section 17.4). */
  get spin(): number {
    return this.#isSpinning ? this.#spin : this.#nextBit()
  }

  /** Clears the fixed bit of a packet now and then, once the peer has said that it may be clear. */
  grease(buffer: Uint8Array, start: number): void {
    if (this.isFixedBitFree && this.#nextBit() === 1) buffer[start] &= ~FIXED_BIT
  }

  /** A 1-RTT packet was opened: a server repeats the newest bit, a client turns it. */
  handleOpened(firstByte: number, packetNumber: number): void {
    if (!this.#isSpinning || packetNumber <= this.#spinNumber) return
    this.#spinNumber = packetNumber
    const received = (firstByte & SPIN_BIT) === 0 ? 0 : 1
    this.#spin = this.#isServer ? received : received ^ 1
  }

  /** A new path: the bit starts over (RFC 9000 section 17.4). */
  resetSpin(): void {
    this.#spin = 0
  }

  #nextBit(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state & 1
  }
}
