// Receive windows that grow with the path (RFC 9000 section 4.2 leaves their size to us): doubled while half of one is
// used up within two round trips, up to the caps.
import { describe, expect, it } from 'vitest'
import type { TransportSettings } from '../../../../src/transport/connection/index.ts'
import { ReceiveCredit } from '../../../../src/transport/streams/index.ts'
import { Pair } from './pair.ts'

const SMALL = { initialMaxData: 32_768, initialMaxStreamDataUni: 16_384 }

/** A pair whose server sends one stream; returns the windows of the client at the end, and the time it took. */
function receive(bytes: number, client: Partial<TransportSettings>, readDelay = 0) {
  const pair = new Pair({ client: { ...SMALL, ...client } }).handshake()
  const { server } = pair
  const { application } = pair.client
  const stream = server.connection.openStream('uni')!
  stream.application = server.application
  stream.write(Buffer.alloc(bytes, 3))
  stream.end()
  const start = pair.now
  application.reads = readDelay === 0
  let window = 0
  while (!application.finished.has(stream.id) && pair.now - start < 60_000) {
    pair.run(readDelay === 0 ? 5 : readDelay)
    const received = pair.client.connection.streams.get(stream.id)
    if (received === undefined) continue
    window = received.receiving!.credit.window
    if (readDelay > 0) application.readAll(received)
  }
  expect(application.bytes(stream.id)).toHaveLength(bytes)
  return { window, total: pair.client.connection.metrics().receiveWindow, time: pair.now - start }
}

describe('ReceiveCredit.tune', () => {
  it('doubles when half the window lasted less than two round trips, up to the cap', () => {
    const credit = new ReceiveCredit(1_000, 100)
    const use = (now: number) => {
      const bytes = credit.window / 2
      credit.receive(bytes)
      credit.consume(bytes)
      const grew = credit.tune(now, 50, 3_000)
      credit.advertise()
      return grew
    }
    expect([use(199), credit.window]).toEqual([true, 2_000])
    expect([use(250), credit.window]).toEqual([true, 3_000])
    expect([use(260), credit.window]).toEqual([false, 3_000])
  })

  it('does not grow when the reader or the path is slower than that, nor by a repeated update', () => {
    const credit = new ReceiveCredit(1_000, 0)
    credit.receive(500)
    credit.consume(500)
    expect(credit.tune(100, 50, 10_000)).toBe(false)
    credit.advertise()
    expect(credit.tune(101, 50, 10_000)).toBe(false)
    expect(credit.window).toBe(1_000)
  })

  it('a window that was configured above the cap stays', () => {
    const credit = new ReceiveCredit(5_000, 0)
    credit.receive(2_500)
    credit.consume(2_500)
    expect(credit.tune(1, 50, 1_000)).toBe(false)
    expect(credit.window).toBe(5_000)
  })
})

describe('a transfer into small windows', () => {
  it('makes them large, and so is many times faster than one round trip per window', () => {
    const tuned = receive(2_000_000, {})
    const fixed = receive(2_000_000, { maxReceiveWindow: 0, maxStreamReceiveWindow: 0 })
    expect(fixed.window).toBe(16_384)
    expect(tuned.window).toBeGreaterThan(200_000)
    expect(tuned.total).toBeGreaterThanOrEqual(tuned.window)
    expect(tuned.time * 5).toBeLessThan(fixed.time)
  })

  it('stops at the caps', () => {
    const { window, total } = receive(4_000_000, {
      maxReceiveWindow: 150_000,
      maxStreamReceiveWindow: 100_000,
    })
    expect(window).toBe(100_000)
    expect(total).toBe(150_000)
  })

  it('a reader that takes its time gets no more than it was given', () => {
    const { window, total } = receive(200_000, {}, 500)
    expect(window).toBe(SMALL.initialMaxStreamDataUni)
    expect(total).toBe(SMALL.initialMaxData)
  })
})
