// Well-formed frames in an order and with values that no sane peer would choose: what a rogue peer puts into its
// packets to reach states that flipped bits do not. Used by rogue.test.ts.
import {
  FrameType,
  ResetStreamAtFrame,
  writeBareFrame,
  writeCryptoHeader,
  writeLimit,
  writeNewConnectionId,
  writePathFrame,
  writeResetStream,
  writeResetStreamAt,
  writeRetireConnectionId,
  writeStopSending,
  writeStreamHeader,
  writeStreamLimit,
} from '../../src/transport/wire/index.ts'
import type { Random } from './random.ts'
import type { Mutation } from './rogue.ts'

/** Longest frame below with its largest values, bytes. */
const LONGEST_FRAME = 60
/** A packet without stream data, so that overwriting it loses nothing that the run waits for. */
const SMALL_PAYLOAD = 60

const LIMIT_TYPES = [
  FrameType.maxData,
  FrameType.maxStreamsBidi,
  FrameType.maxStreamsUni,
  FrameType.dataBlocked,
  FrameType.streamsBlockedBidi,
  FrameType.streamsBlockedUni,
] as const
const BARE_TYPES = [FrameType.ping, FrameType.handshakeDone, FrameType.padding] as const
const CODES = [0, 0x100, 0x102, 0x10b, 0x10c, 2 ** 40] as const

type FrameMaker = (random: Random, buffer: Uint8Array, at: number) => number

/** IDs of streams that exist, existed, or may come: of all four kinds. */
function streamId(random: Random): number {
  return random.chance(0.8) ? random.below(20) * 4 : random.below(100)
}

function amount(random: Random): number {
  return random.chance(0.3) ? random.below(10) : random.logarithmic(1, 2 ** 40)
}

const MAKERS: readonly FrameMaker[] = [
  (random, buffer, at) => writeResetStream(buffer, at, streamId(random), random.pick(CODES), amount(random)),
  (random, buffer, at) => {
    const frame = new ResetStreamAtFrame()
    frame.streamId = streamId(random)
    frame.code = random.pick(CODES)
    frame.finalSize = amount(random)
    frame.reliableSize = random.chance(0.9) ? random.below(frame.finalSize + 1) : amount(random)
    return writeResetStreamAt(buffer, at, frame)
  },
  (random, buffer, at) => writeStopSending(buffer, at, streamId(random), random.pick(CODES)),
  (random, buffer, at) => writeStopSending(buffer, at, streamId(random), random.pick(CODES)),
  (random, buffer, at) => writeLimit(buffer, at, random.pick(LIMIT_TYPES), amount(random)),
  (random, buffer, at) => writeBareFrame(buffer, at, random.pick(BARE_TYPES)),
  (random, buffer, at) => writeRetireConnectionId(buffer, at, random.below(8)),
  (random, buffer, at) => {
    const type = random.pick([FrameType.maxStreamData, FrameType.streamDataBlocked])
    return writeStreamLimit(buffer, at, type, streamId(random), amount(random))
  },
  (random, buffer, at) => {
    const type = random.pick([FrameType.pathChallenge, FrameType.pathResponse])
    return writePathFrame(buffer, at, type, new Uint8Array(8).fill(random.below(256)))
  },
  (random, buffer, at) => {
    const sequence = random.below(12)
    const id = new Uint8Array(8).fill(random.below(256))
    return writeNewConnectionId(buffer, at, sequence, random.below(sequence + 1), id, new Uint8Array(16))
  },
  (random, buffer, at) => {
    const length = random.below(8)
    const end = writeStreamHeader(
      buffer,
      at,
      streamId(random),
      amount(random),
      length,
      random.chance(0.3),
      true,
    )
    return end + length
  },
  (random, buffer, at) => {
    const length = random.below(8)
    return writeCryptoHeader(buffer, at, random.below(5_000), length) + length
  },
]

/**
 * Replaces payloads by frames of the list above.
 * @param isGentle true = only packets that carry little but acknowledgements, so that the run goes on for long
 */
export function hostileFrames(random: Random, isGentle: boolean): Mutation {
  const scratch = new Uint8Array(2_000 + LONGEST_FRAME)
  return (buffer, start, end) => {
    const size = end - start
    const isSmall = size <= SMALL_PAYLOAD
    if (isGentle && !isSmall) return
    let length = 0
    for (let frames = 1 + random.below(4); frames > 0; frames--) {
      const next = random.pick(MAKERS)(random, scratch, length)
      if (next > size) break
      length = next
    }
    buffer.set(scratch.subarray(0, length), start)
    buffer.fill(0, start + length, end)
  }
}
