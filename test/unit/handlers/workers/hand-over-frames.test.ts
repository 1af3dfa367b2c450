import { describe, expect, it } from 'vitest'
import { FrameReader, frameLength, writeFrame } from '../../../../src/handlers/workers/hand-over-frames.ts'
import { MAX_FRAME_LENGTH } from '../../../../src/handlers/workers/limits.ts'
import type { RemoteAddress } from '../../../../src/transport/connection/index.ts'

interface Arrived {
  readonly socket: number
  readonly bytes: string
  readonly remote: RemoteAddress
  readonly ecn: number
}

const DATAGRAMS: readonly Arrived[] = [
  { socket: 0, bytes: 'first', remote: { address: '192.0.2.1', port: 443, family: 4 }, ecn: 0 },
  { socket: 3, bytes: '', remote: { address: '2001:db8::1', port: 65_535, family: 6 }, ecn: 3 },
  { socket: 1, bytes: 'x'.repeat(1_500), remote: { address: 'fe80::1%eth0', port: 1, family: 6 }, ecn: 1 },
]

function frames(): Buffer {
  const block = Buffer.alloc(10_000)
  let at = 0
  for (const { socket, bytes, remote, ecn } of DATAGRAMS) {
    // The datagram stands in the middle of a buffer.
    const buffer = Buffer.from(`..${bytes}..`)
    const end = writeFrame(block, at, socket, ecn, remote, buffer, 2, buffer.length - 2)
    expect(end - at).toBe(frameLength(remote, bytes.length))
    at = end
  }
  return block.subarray(0, at)
}

function collect() {
  const arrived: Arrived[] = []
  const reader = new FrameReader((socket, buffer, start, end, remote, ecn) => {
    const bytes = Buffer.from(buffer.subarray(start, end)).toString()
    arrived.push({ socket, bytes, remote, ecn })
  })
  return { arrived, reader }
}

describe('datagrams on the stream between two workers', () => {
  it('arrive as they were, with address, socket and ECN', () => {
    const { arrived, reader } = collect()
    expect(reader.push(frames())).toBe(true)
    expect(arrived).toEqual(DATAGRAMS)
  })

  it.each([1, 2, 3, 7, 64, 1_000])('arrive from chunks of %i bytes', (size) => {
    const { arrived, reader } = collect()
    const stream = frames()
    for (let at = 0; at < stream.length; at += size) {
      expect(reader.push(Buffer.from(stream.subarray(at, at + size)))).toBe(true)
    }
    expect(arrived).toEqual(DATAGRAMS)
  })

  it('what is no frame ends the stream instead of being believed', () => {
    for (const length of [0, 5, MAX_FRAME_LENGTH + 1, 0xffff_ffff]) {
      const chunk = Buffer.alloc(100)
      chunk.writeUInt32BE(length, 0)
      expect(collect().reader.push(chunk)).toBe(false)
    }
  })

  it('an address that is longer than its frame is not read', () => {
    const { arrived, reader } = collect()
    const stream = Buffer.from(frames())
    stream[7] = 255
    reader.push(stream.subarray(0, frameLength(DATAGRAMS[0].remote, 5)))
    expect(arrived).toEqual([])
  })
})
