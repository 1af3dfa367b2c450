// The net under all tests: whatever a test is about, a missed transition fails it.
import { expect, it } from 'vitest'
import { failOnFaults, noteMissed, takeMissed } from '../supervision-faults.ts'

it('a missed transition that no test has taken is an error with its machine, state and event', () => {
  noteMissed('bidiStream', '4', 'send.ready|receive.recv', 'send.allAcked')
  expect(failOnFaults).toThrow('missed transition: bidiStream 4: send.allAcked in send.ready|receive.recv')
  expect(failOnFaults).not.toThrow()
})

it('one that a test has taken is not', () => {
  noteMissed('bidiStream', '4', 'send.ready|receive.recv', 'send.allAcked')
  expect(takeMissed()).toHaveLength(1)
  expect(failOnFaults).not.toThrow()
})
