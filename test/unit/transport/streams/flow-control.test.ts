// Credit in both directions, RFC 9000 section 4.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReceiveCredit, SendCredit } from '../../../../src/transport/streams/index.ts'

test('a limit to send only grows (section 4.1)', () => {
  const credit = new SendCredit(100)
  expect([credit.raise(50), credit.raise(100), credit.raise(150)]).toEqual([false, false, true])
  credit.used = 120
  expect(credit.available).toBe(30)
})

test('receiving up to the limit is allowed, one byte more is FLOW_CONTROL_ERROR (section 4.1)', () => {
  const credit = new ReceiveCredit(100)
  credit.receive(100)
  expect(() => credit.receive(1)).toThrow(/FLOW_CONTROL_ERROR/)
  expect(credit.received).toBe(100)
})

test('an update is due when half of the window has been consumed', () => {
  const credit = new ReceiveCredit(100)
  credit.receive(100)
  credit.consume(49)
  expect(credit.isUpdateDue).toBe(false)
  credit.consume(1)
  expect(credit.isUpdateDue).toBe(true)
  expect(credit.advertise()).toBe(150)
  expect(credit.isUpdateDue).toBe(false)
})

test('the advertised limit never shrinks, also when the window does', () => {
  const credit = new ReceiveCredit(100)
  credit.window = 10
  expect(credit.advertise()).toBe(100)
})

test('a peer that uses all credit and a reader that reads all never wait for each other', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), sizes, (window, list) => {
      const receiver = new ReceiveCredit(window)
      const sender = new SendCredit(window)
      for (const size of list) {
        for (let left = size; left > 0; ) {
          const count = Math.min(left, sender.available)
          expect(count).toBeGreaterThan(0)
          sender.used += count
          receiver.receive(count)
          receiver.consume(count)
          left -= count
          if (receiver.isUpdateDue) sender.raise(receiver.advertise())
        }
      }
      expect(receiver.received).toBe(receiver.consumed)
    }),
  )
})
