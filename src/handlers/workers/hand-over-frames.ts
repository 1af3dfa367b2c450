// Datagrams on the stream between two workers. Written and read by worker-links.ts; both ends are processes of one
// server, so that a frame is never wrong, but a length is checked all the same before it is believed.
//
//   | length of the rest (4) | socket (1) | ECN (1) | IP version (1) | length of address (1) | port (2) | address | datagram |
import type { RemoteAddress } from '../../transport/connection/index.ts'
import { MAX_FRAME_LENGTH } from './limits.ts'

const LENGTH_FIELD = 4
const FIXED_FIELDS = 6
const ADDRESS_AT = LENGTH_FIELD + FIXED_FIELDS

/** Bytes of a frame. */
export function frameLength(remote: RemoteAddress, datagram: number): number {
  return ADDRESS_AT + remote.address.length + datagram
}

/** Writes a frame that fits at `at`; returns where it ends. */
export function writeFrame(
  block: Buffer,
  at: number,
  socket: number,
  ecn: number,
  remote: RemoteAddress,
  buffer: Uint8Array,
  start: number,
  end: number,
): number {
  const { address, port, family } = remote
  const length = frameLength(remote, end - start)
  block.writeUInt32BE(length - LENGTH_FIELD, at)
  block[at + 4] = socket
  block[at + 5] = ecn
  block[at + 6] = family
  block[at + 7] = address.length
  block.writeUInt16BE(port, at + 8)
  block.write(address, at + ADDRESS_AT, 'latin1')
  block.set(buffer.subarray(start, end), at + ADDRESS_AT + address.length)
  return at + length
}

/** A datagram that arrives; the buffer is lent for the call. */
export type FrameReceiver = (
  socket: number,
  buffer: Uint8Array,
  start: number,
  end: number,
  remote: RemoteAddress,
  ecn: number,
) => void

/** Slots of the cache of remote addresses. */
const REMOTE_SLOTS = 256

export class FrameReader {
  readonly #receive: FrameReceiver
  readonly #remotes: (RemoteAddress | undefined)[] = new Array(REMOTE_SLOTS).fill(undefined)
  /** The beginning of a frame whose end has not come; less than a frame. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(receive: FrameReceiver) {
    this.#receive = receive
  }

  /**
   * Takes the next bytes of the stream.
   * @returns false when what is there is no frame: the stream is of no more use
   */
  push(chunk: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= LENGTH_FIELD) {
      const length = bytes.readUInt32BE(at)
      if (length < FIXED_FIELDS || length > MAX_FRAME_LENGTH) return false
      const end = at + LENGTH_FIELD + length
      if (end > bytes.length) break
      this.#deliver(bytes, at, end)
      at = end
    }
    // A copy: a few bytes must not keep the whole chunk.
    this.#rest = at === bytes.length ? this.#rest.subarray(0, 0) : Buffer.from(bytes.subarray(at))
    return true
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    const start = at + ADDRESS_AT + bytes[at + 7]
    if (start > end) return
    this.#receive(bytes[at + 4], bytes, start, end, this.#remoteOf(bytes, at, start), bytes[at + 5])
  }

  #remoteOf(bytes: Buffer, at: number, end: number): RemoteAddress {
    const port = bytes.readUInt16BE(at + 8)
    const address = bytes.toString('latin1', at + ADDRESS_AT, end)
    const slot = port % REMOTE_SLOTS
    const known = this.#remotes[slot]
    if (known !== undefined && known.port === port && known.address === address) return known
    const remote: RemoteAddress = { address, port, family: bytes[at + 6] === 6 ? 6 : 4 }
    this.#remotes[slot] = remote
    return remote
  }
}
