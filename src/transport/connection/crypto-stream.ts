// The CRYPTO data of one packet-number space, RFC 9000 sections 7.5 and 19.6: a byte stream without flow control,
// hence with a cap of its own.
import type { SentPacket } from '../recovery/index.ts'
import {
  EntryKind,
  type EntryTarget,
  MAX_CRYPTO_BUFFER,
  ReceiveBuffer,
  SendBuffer,
} from '../streams/index.ts'
import {
  cryptoHeaderLength,
  FrameType,
  QuicError,
  TransportErrorCode,
  writeCryptoHeader,
} from '../wire/index.ts'

/** Takes the longest length field that a packet can need. */
const LARGEST_PACKET_DATA = 1_500

export class CryptoStream implements EntryTarget {
  readonly send = new SendBuffer()
  readonly receive = new ReceiveBuffer()
  readonly #onOutput: () => void

  /** @param onOutput called when lost data waits to be sent again */
  constructor(onOutput: () => void) {
    this.#onOutput = onOutput
  }

  get hasOutput(): boolean {
    return this.send.hasLost || this.send.hasUnsent
  }

  /** Takes a CRYPTO frame; contiguous bytes are then readable from `receive`. @throws QuicError CRYPTO_BUFFER_EXCEEDED */
  handleFrame(offset: number, data: Uint8Array): void {
    if (offset + data.length > this.receive.readOffset + MAX_CRYPTO_BUFFER) {
      throw new QuicError(
        TransportErrorCode.CRYPTO_BUFFER_EXCEEDED,
        'CRYPTO data too far ahead',
        FrameType.crypto,
      )
    }
    this.receive.insert(offset, data)
  }

  /** Writes one CRYPTO frame; returns the new offset, or `offset` when nothing fits. */
  writeFrame(target: Uint8Array, offset: number, end: number, packet: SentPacket): number {
    const buffer = this.send
    const isRepeat = buffer.hasLost
    const start = isRepeat ? buffer.lostStart : buffer.next
    const stop = isRepeat ? buffer.lostEnd : buffer.length
    const room = end - offset - cryptoHeaderLength(start, LARGEST_PACKET_DATA)
    if (start >= stop || room < 1) return offset
    const length = Math.min(stop - start, room)
    const dataOffset = writeCryptoHeader(target, offset, start, length)
    buffer.copyTo(target, dataOffset, start, start + length)
    packet.addEntry(EntryKind.crypto, this, start, start + length)
    if (isRepeat) buffer.takeLost(start, start + length)
    else buffer.next = start + length
    return dataOffset + length
  }

  handleAcked(_kind: number, start: number, end: number): void {
    this.send.acknowledge(start, end)
  }

  handleLost(_kind: number, start: number, end: number): void {
    this.send.lose(start, end)
    if (this.send.hasLost) this.#onOutput()
  }

  discard(): void {
    this.send.discard()
    this.receive.discard()
  }
}
