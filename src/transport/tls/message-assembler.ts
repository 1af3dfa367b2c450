// Cuts the in-order bytes of CRYPTO frames into handshake messages, RFC 9001 section 4.1.3, RFC 8446 section 4.
// Bytes are borrowed during one call: a message that lies whole in them is handed out as a view, the rest is copied
// when the call ends. Memory grows with what has arrived, never with what a header declares.

import { Alert, alertError } from './alerts.ts'
import { HANDSHAKE_HEADER_BYTES } from './handshake-type.ts'

const EMPTY = new Uint8Array(0)

export class MessageAssembler {
  //   #kept: owned        #chunk: borrowed
  //   [ begin of message ][ rest of it | next message | begin of a third ]
  //                                    ^ #offset
  #kept: Uint8Array = EMPTY
  #keptLength = 0
  #chunk: Uint8Array = EMPTY
  #offset = 0

  /** Bytes that no message has been made of yet. */
  get pendingBytes(): number {
    return this.#keptLength + this.#chunk.length - this.#offset
  }

  /** First pending byte: the type of the next message, or undefined. */
  get pendingType(): number | undefined {
    return this.#keptLength > 0 ? this.#kept[0] : this.#chunk[this.#offset]
  }

  /** Lends bytes until `release`. */
  lend(bytes: Uint8Array): void {
    this.#chunk = bytes
    this.#offset = 0
  }

  /**
   * The next whole message with its header, or undefined. Valid until `release` or the next call.
   * @param maxBytes largest body accepted now
   * @throws decode_error when the header declares more
   */
  next(maxBytes: number): Uint8Array | undefined {
    if (this.#keptLength === 0) return this.#takeWhole(maxBytes)
    if (!this.#fillTo(HANDSHAKE_HEADER_BYTES)) return undefined
    const total = messageLength(this.#kept, 0, maxBytes)
    if (!this.#fillTo(total)) return undefined
    const message = this.#kept.subarray(0, total)
    this.#keptLength -= total
    this.#kept = this.#keptLength === 0 ? EMPTY : this.#kept.subarray(total)
    return message
  }

  /** Ends the loan: what is still pending is copied. */
  release(): void {
    this.#keep(this.#chunk.length - this.#offset)
    this.#chunk = EMPTY
    this.#offset = 0
  }

  /** Drops everything. */
  clear(): void {
    this.#kept = EMPTY
    this.#keptLength = 0
    this.#chunk = EMPTY
    this.#offset = 0
  }

  #takeWhole(maxBytes: number): Uint8Array | undefined {
    const start = this.#offset
    const available = this.#chunk.length - start
    if (available < HANDSHAKE_HEADER_BYTES) return undefined
    const total = messageLength(this.#chunk, start, maxBytes)
    if (available < total) return undefined
    this.#offset = start + total
    return this.#chunk.subarray(start, this.#offset)
  }

  /** Moves borrowed bytes behind the kept ones until these are `length`; false when there are too few. */
  #fillTo(length: number): boolean {
    this.#keep(Math.min(length - this.#keptLength, this.#chunk.length - this.#offset))
    return this.#keptLength >= length
  }

  #keep(count: number): void {
    if (count <= 0) return
    const need = this.#keptLength + count
    if (need > this.#kept.length) {
      const larger = new Uint8Array(Math.max(need, this.#kept.length * 2))
      larger.set(this.#kept.subarray(0, this.#keptLength))
      this.#kept = larger
    }
    this.#kept.set(this.#chunk.subarray(this.#offset, this.#offset + count), this.#keptLength)
    this.#keptLength = need
    this.#offset += count
  }
}

function messageLength(bytes: Uint8Array, start: number, maxBytes: number): number {
  const length = (bytes[start + 1] << 16) | (bytes[start + 2] << 8) | bytes[start + 3]
  if (length > maxBytes) throw alertError(Alert.decodeError, 'handshake message too long')
  return HANDSHAKE_HEADER_BYTES + length
}
