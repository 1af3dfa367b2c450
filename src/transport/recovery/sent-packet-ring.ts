// Sent packets of one space by packet number, in a ring whose size is a power of two:
//
//      lowest                       next
//        |                           |
//     .. O  A  A  O  f  -  O  A  O  [ ] ..      slot = number & mask
//
//     O outstanding   A acknowledged   f forgotten (ACK-only, expired)   - never sent (skipped)
//
// Everything below `lowest` is settled. Used by SentSpace only.
import { INITIAL_RING_SIZE, MAX_TRACKED_PACKETS } from './limits.ts'
import type { SentPacket } from './sent-packet.ts'

export const SlotState = { empty: 0, outstanding: 1, acked: 2 } as const

export class SentPacketRing {
  private slots: (SentPacket | undefined)[] = new Array(INITIAL_RING_SIZE).fill(undefined)
  private states = new Uint8Array(INITIAL_RING_SIZE)
  private mask = INITIAL_RING_SIZE - 1
  /** Smallest number that may still be outstanding. */
  lowest = 0
  /** One more than the largest number in the ring. */
  next = 0

  /** Numbers between lowest and next. */
  get span(): number {
    return this.next - this.lowest
  }

  /** A value of SlotState; `number` must be within lowest..next-1. */
  stateOf(number: number): number {
    return this.states[number & this.mask]
  }

  /** The outstanding packet with this number, which must be within lowest..next-1. */
  packetAt(number: number): SentPacket | undefined {
    return this.slots[number & this.mask]
  }

  /** Whether a packet with this number finds room; if not, the caller settles `lowest` first. */
  hasRoomFor(number: number): boolean {
    return number - this.lowest < MAX_TRACKED_PACKETS
  }

  /** Adds a packet above all others. hasRoomFor must hold. */
  push(packet: SentPacket): void {
    const number = packet.packetNumber
    if (this.lowest === this.next) this.lowest = this.next = number
    while (number - this.lowest > this.mask) this.grow()
    for (let skipped = this.next; skipped < number; skipped++)
      this.states[skipped & this.mask] = SlotState.empty
    const index = number & this.mask
    this.slots[index] = packet
    this.states[index] = SlotState.outstanding
    this.next = number + 1
  }

  /** Takes a packet out, leaving the given state. */
  take(number: number, state: number): SentPacket | undefined {
    const index = number & this.mask
    const packet = this.slots[index]
    this.slots[index] = undefined
    this.states[index] = state
    return packet
  }

  private grow(): void {
    const size = (this.mask + 1) * 2
    const slots: (SentPacket | undefined)[] = new Array(size).fill(undefined)
    const states = new Uint8Array(size)
    for (let number = this.lowest; number < this.next; number++) {
      slots[number & (size - 1)] = this.slots[number & this.mask]
      states[number & (size - 1)] = this.states[number & this.mask]
    }
    this.slots = slots
    this.states = states
    this.mask = size - 1
  }
}
