// Reassembles bytes that arrive in any order, RFC 9000 section 2.2. Used by the receiving part of a stream and
// by CRYPTO streams.
//
// The usual case copies nothing: bytes that continue the read position are lent to the reader as a view of the
// datagram for the length of one synchronous call; only what the reader leaves is copied. The datagram buffer is
// never kept, so a 20-byte remainder cannot pin it.
import { QuicError, TransportErrorCode } from '../wire/index.ts'
import { FRAGMENT_MERGE_SIZE, MAX_RECEIVE_FRAGMENTS, MIN_FRAGMENT_WORTH } from './limits.ts'

interface Fragment {
  start: number
  length: number
  bytes: Uint8Array
}

export class ReceiveBuffer {
  /** Offset of the next byte for the reader. */
  readOffset = 0
  /** One past the highest offset received. */
  highest = 0
  /** Final size once known, else -1 (RFC 9000 section 4.5). */
  finalSize = -1
  /** The stream is reset, but so many bytes are delivered before (RESET_STREAM_AT); -1 without such a reset. */
  reliableSize = -1
  /** Sorted, disjoint, all above readOffset. */
  #fragments: Fragment[] = []
  #lent: Uint8Array | undefined
  #bufferedBytes = 0
  #contiguousEnd = 0
  /** Bytes were dropped unread: the position at the end does not mean that all was read. */
  #isCut = false

  /** Bytes copied and held. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Bytes that can be read now. */
  get readableBytes(): number {
    return this.#contiguousEnd - this.readOffset
  }

  /** All bytes that are to be delivered have arrived, read or not. */
  get isAllReceived(): boolean {
    if (this.reliableSize >= 0) return this.#contiguousEnd >= this.reliableSize
    return this.finalSize >= 0 && this.#contiguousEnd === this.finalSize
  }

  /** Everything was read, and the stream has really ended there. */
  get isReadComplete(): boolean {
    return this.finalSize >= 0 && this.readOffset === this.finalSize && !this.#isCut && this.reliableSize < 0
  }

  /** What comes before a reset has been read. */
  get isReliableRead(): boolean {
    return this.reliableSize >= 0 && this.readOffset >= this.reliableSize
  }

  /**
   * Takes bytes at `offset`. Bytes that continue the stream stay a view of `data` until `settle` is called, which
   * must happen before the datagram buffer is reused.
   * @throws QuicError INTERNAL_ERROR when the peer scatters more fragments than MAX_RECEIVE_FRAGMENTS, and they are small
   */
  insert(offset: number, data: Uint8Array): void {
    let start = offset
    let view = data
    const end = offset + data.length
    if (end > this.highest) this.highest = end
    if (end <= this.#contiguousEnd) return
    if (start < this.#contiguousEnd) {
      view = view.subarray(this.#contiguousEnd - start)
      start = this.#contiguousEnd
    }
    if (view.length === 0) return
    if (start === this.readOffset && this.#fragments.length === 0 && this.#lent === undefined) {
      this.#lent = view
      this.#contiguousEnd = end
      return
    }
    this.settle()
    this.#store(start, view)
    this.#extendContiguous()
  }

  /** Next contiguous chunk, borrowed until the current synchronous call returns; undefined when none is readable. */
  read(): Uint8Array | undefined {
    const lent = this.#lent
    if (lent !== undefined) {
      this.#lent = undefined
      this.readOffset += lent.length
      return lent
    }
    if (this.readOffset === this.#contiguousEnd) return undefined
    const fragment = this.#fragments.shift()!
    this.#bufferedBytes -= fragment.length
    this.readOffset += fragment.length
    return fragment.length === fragment.bytes.length
      ? fragment.bytes
      : fragment.bytes.subarray(0, fragment.length)
  }

  /** Copies what the reader left of the lent bytes; the datagram buffer may be reused afterwards. */
  settle(): void {
    const lent = this.#lent
    if (lent === undefined) return
    this.#lent = undefined
    this.#store(this.readOffset, lent)
  }

  /** Drops everything held; the read position jumps to the highest offset. Returns the bytes skipped. */
  discard(): number {
    const skipped = this.highest - this.readOffset
    if (skipped > 0) this.#isCut = true
    this.#fragments = []
    this.#lent = undefined
    this.#bufferedBytes = 0
    this.readOffset = this.highest
    this.#contiguousEnd = this.highest
    return skipped
  }

  #extendContiguous(): void {
    for (const fragment of this.#fragments) {
      if (fragment.start > this.#contiguousEnd) return
      const end = fragment.start + fragment.length
      if (end > this.#contiguousEnd) this.#contiguousEnd = end
    }
  }

  #store(start: number, view: Uint8Array): void {
    const fragments = this.#fragments
    let index = fragments.length
    while (index > 0 && fragments[index - 1].start > start) index--
    let position = start
    const end = start + view.length
    // Walk over what is already held and copy only what fills its gaps.
    if (index > 0) {
      const before = fragments[index - 1]
      position = Math.max(position, before.start + before.length)
    }
    while (position < end) {
      const following = fragments[index]
      const gapEnd = following === undefined ? end : Math.min(end, following.start)
      if (gapEnd > position) {
        if (!this.#merge(index - 1, position, view.subarray(position - start, gapEnd - start))) {
          this.#insertFragment(index, position, view.subarray(position - start, gapEnd - start))
          index++
        }
      }
      if (following === undefined) return
      position = Math.max(gapEnd, following.start + following.length)
      index++
    }
  }

  #insertFragment(index: number, start: number, view: Uint8Array): void {
    // Above the cap every fragment must be worth its object: a large window may need more than that many.
    if (this.#fragments.length >= MAX_RECEIVE_FRAGMENTS + this.#bufferedBytes / MIN_FRAGMENT_WORTH) {
      throw new QuicError(TransportErrorCode.INTERNAL_ERROR, 'too many gaps in received data')
    }
    const bytes = new Uint8Array(view.length)
    bytes.set(view)
    this.#bufferedBytes += view.length
    const fragment = { start, length: view.length, bytes }
    if (index === this.#fragments.length) this.#fragments.push(fragment)
    else this.#fragments.splice(index, 0, fragment)
  }

  /** Appends to the neighbour on the left when both are small; its buffer doubles, so the copying is linear. */
  #merge(index: number, start: number, view: Uint8Array): boolean {
    const left = index >= 0 ? this.#fragments[index] : undefined
    if (left === undefined || left.start + left.length !== start) return false
    const length = left.length + view.length
    if (length > FRAGMENT_MERGE_SIZE) return false
    if (length > left.bytes.length) {
      const grown = new Uint8Array(Math.min(FRAGMENT_MERGE_SIZE, Math.max(length, left.bytes.length * 2)))
      grown.set(left.bytes.subarray(0, left.length))
      left.bytes = grown
    }
    left.bytes.set(view, left.length)
    left.length = length
    this.#bufferedBytes += view.length
    return true
  }
}
