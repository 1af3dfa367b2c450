// Sending of request bodies: order, backpressure and giving up.
import { describe, expect, it } from 'vitest'
import { BODY_PIECE } from '../../../src/client/limits.ts'
import { BodySender, type BodySink } from '../../../src/client/request-body.ts'

class Sink implements BodySink {
  readonly chunks: Uint8Array[] = []
  room = Number.POSITIVE_INFINITY
  ends = 0

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk)
    return --this.room > 0
  }

  end(): void {
    this.ends++
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }
}

const fail = (reason: unknown): void => {
  throw reason
}
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('request body', () => {
  it('sends a body in memory in pieces and stops at each full sink until it is resumed', () => {
    const body = new Uint8Array(BODY_PIECE * 3 + 17).map((_, i) => i % 251)
    const sink = new Sink()
    const sender = new BodySender(body, sink, fail)
    for (let resumed = 1; resumed <= 3; resumed++) {
      sink.room = 1
      sender.resume()
      expect(sink.chunks).toHaveLength(resumed)
      expect(sink.ends).toBe(0)
    }
    sink.room = 1
    sender.resume()
    expect(sink.ends).toBe(1)
    expect(sink.bytes.equals(body)).toBe(true)
  })

  it('ends an empty body without writing', () => {
    const sink = new Sink()
    new BodySender('', sink, fail).resume()
    expect([sink.chunks.length, sink.ends]).toEqual([0, 1])
  })

  it('pulls a streamed body only while there is room', async () => {
    let pulled = 0
    async function* source(): AsyncGenerator<string> {
      for (const word of ['a', 'b', 'c']) {
        pulled++
        yield word
      }
    }
    const sink = new Sink()
    const sender = new BodySender(source(), sink, fail)
    for (const expected of [1, 2, 3]) {
      sink.room = 1
      sender.resume()
      await turns()
      expect(pulled).toBe(expected)
    }
    sink.room = 1
    sender.resume()
    await turns()
    expect(sink.bytes.toString()).toBe('abc')
    expect(sink.ends).toBe(1)
  })

  it('sends web streams and does not end a body whose source fails', async () => {
    const sink = new Sink()
    new BodySender(new Blob(['web stream']).stream(), sink, fail).resume()
    await turns()
    await turns()
    expect(sink.bytes.toString()).toBe('web stream')

    const failing = new Sink()
    const reasons: unknown[] = []
    const source = (async function* () {
      yield 'x'
      throw new Error('disk gone')
    })()
    new BodySender(source, failing, (reason) => reasons.push(reason)).resume()
    await turns()
    expect(reasons).toEqual([new Error('disk gone')])
    expect(failing.ends).toBe(0)
  })

  it('tells a streamed source that nobody wants the rest, and writes nothing more', async () => {
    let returned = false
    const source: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'x' }),
        return: async () => {
          returned = true
          return { done: true, value: undefined }
        },
      }),
    }
    const sink = new Sink()
    sink.room = 1
    const sender = new BodySender(source, sink, fail)
    sender.resume()
    await turns()
    sender.stop()
    sender.resume()
    await turns()
    expect(returned).toBe(true)
    expect([sink.chunks.length, sink.ends]).toEqual([1, 0])
  })
})
