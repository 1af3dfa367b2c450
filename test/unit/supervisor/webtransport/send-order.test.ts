// sendOrder of the W3C's WebTransport on the eight urgencies of QUIC's send queue.
import { expect, it } from 'vitest'
import type { WebTransportStream } from '../../../../src/http3/index.ts'
import { SendOrder } from '../../../../src/supervisor/webtransport/send-order.ts'

function stream(): { stream: WebTransportStream; priority: [number, boolean] } {
  const double = { priority: [3, false] as [number, boolean] }
  const setPriority = (urgency: number, incremental: boolean): void => {
    double.priority = [urgency, incremental]
  }
  return Object.assign(double, { stream: { setPriority } as unknown as WebTransportStream })
}

it('the greatest order goes first, equal ones share a rank, the eighth rank and later share the last urgency', () => {
  const order = new SendOrder()
  const values = [5, 1, 5, -3, 4, 3, 2]
  const doubles = values.map(() => stream())
  for (const [index, double] of doubles.entries()) order.set(double.stream, values[index]!)
  expect(doubles.map(({ priority }) => priority[0])).toEqual([3, 7, 3, 7, 4, 5, 6])
  expect(order.get(doubles[3]!.stream)).toBe(-3)
})

it('a stream that is over, or has no order any more, makes room', () => {
  const order = new SendOrder()
  const [first, second] = [stream(), stream()]
  order.set(first.stream, 2)
  order.set(second.stream, 1)
  expect(second.priority).toEqual([4, false])
  order.set(first.stream, null)
  expect(second.priority).toEqual([3, false])
  expect(order.get(first.stream)).toBeNull()
  expect(first.priority).toEqual([3, true])
})
