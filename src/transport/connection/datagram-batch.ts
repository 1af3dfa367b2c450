// Outgoing datagrams of one turn, written back to back into one buffer that is used again and again.
//
//   |datagram 0|datagram 1|...|      free      |
//   starts[0]  starts[1]      used
//
// Filled by QuicConnection.pollTransmit, sent by a DatagramSocket.

/** Where a datagram came from or goes to. */
export interface RemoteAddress {
  /** IP address. */
  readonly address: string
  /** UDP or TCP port. */
  readonly port: number
  /** IP version. */
  readonly family: 4 | 6
}

/** 54 datagrams of 1,200 bytes; as much as one segmented send takes. */
const BATCH_BYTES = 65_536
const BATCH_DATAGRAMS = 64
/** No datagram we build is larger, whatever path MTU discovery finds: a whole Ethernet frame. */
export const LARGEST_DATAGRAM = 1_500

export class DatagramBatch {
  buffer: Uint8Array = Buffer.alloc(BATCH_BYTES)
  used = 0
  count = 0
  readonly starts = new Int32Array(BATCH_DATAGRAMS)
  readonly lengths = new Int32Array(BATCH_DATAGRAMS)
  /** ECN field of the IP header of each, a value of EcnMark; sockets that cannot set it ignore it. */
  readonly ecn = new Uint8Array(BATCH_DATAGRAMS)
  readonly remotes: RemoteAddress[] = []
  /** The socket that all of them leave by; undefined where there is only one. */
  local: object | undefined
  /** A datagram for another socket waits until this batch has been sent. */
  isBarred = false

  get isFull(): boolean {
    return this.count === BATCH_DATAGRAMS || this.used + LARGEST_DATAGRAM > this.buffer.length
  }

  /** Whether a datagram that leaves by this socket may be added; if not, the batch has to be sent first. */
  accepts(local: object | undefined): boolean {
    if (this.count > 0 && this.local !== local) this.isBarred = true
    else this.local = local
    return !this.isBarred
  }

  /** Takes the `length` bytes that were written at `used` as one datagram. */
  commit(length: number, remote: RemoteAddress, ecn = 0): void {
    this.starts[this.count] = this.used
    this.lengths[this.count] = length
    this.remotes[this.count] = remote
    this.ecn[this.count] = ecn
    this.count++
    this.used += length
  }

  /** Empties the batch; with `fresh`, the old buffer stays with a socket that has not sent it yet. */
  reset(fresh = false): void {
    if (fresh) this.buffer = Buffer.alloc(BATCH_BYTES)
    this.used = 0
    this.count = 0
    this.remotes.length = 0
    this.local = undefined
    this.isBarred = false
  }
}
