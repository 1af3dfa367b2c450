// What each packet-number space owns: keys, acknowledgements to send, CRYPTO data (RFC 9000 section 12.3).
import type { PacketKeys } from '../crypto/index.ts'
import { AckTracker } from '../recovery/index.ts'
import type { EntryTarget } from '../streams/index.ts'
import { CryptoStream } from './crypto-stream.ts'

export const Space = { initial: 0, handshake: 1, application: 2 } as const

export class PacketSpace implements EntryTarget {
  readonly index: number
  readonly acks: AckTracker
  readonly crypto: CryptoStream
  readKeys: PacketKeys | undefined
  writeKeys: PacketKeys | undefined
  isDiscarded = false
  /** Ack-eliciting packets to send regardless of the congestion window (RFC 9002 section 6.2.4). */
  probes = 0

  constructor(index: number, maxAckDelay: number, onOutput: () => void) {
    this.index = index
    this.acks = new AckTracker(index !== Space.application, maxAckDelay)
    this.crypto = new CryptoStream(onOutput)
  }

  /** An ACK frame of ours arrived: what it covered need not be repeated (RFC 9000 section 13.2.4). */
  handleAcked(_kind: number, largest: number): void {
    this.acks.handleAckOfAck(largest)
  }

  /** A lost ACK frame is never repeated as such (RFC 9000 section 13.3). */
  handleLost(): void {}

  discard(): void {
    this.isDiscarded = true
    this.readKeys = undefined
    this.writeKeys = undefined
    this.probes = 0
    this.crypto.discard()
  }
}
