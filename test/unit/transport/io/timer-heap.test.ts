import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimerHeap } from '../../../../src/transport/io/timer-heap.ts'

interface Entry {
  readonly at: number
  position: number
}

const entry = (at: number): Entry => ({ at, position: -1 })

describe('TimerHeap', () => {
  it('gives entries in order of time, whatever is pushed and removed in between (against a sorted list)', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('push', 'pop', 'remove'), fc.nat(20)), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (commands) => {
        const heap = new TimerHeap<Entry>()
        const list: Entry[] = []
        for (const [command, number] of commands) {
          if (command === 'push') {
            const added = entry(number)
            heap.push(added)
            list.push(added)
          } else {
            const chosen = command === 'pop' ? heap.peek() : list[number % (list.length || 1)]
            if (chosen === undefined) continue
            heap.remove(chosen)
            list.splice(list.indexOf(chosen), 1)
            expect(chosen.position).toBe(-1)
          }
          expect(heap.size).toBe(list.length)
          const earliest = list.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
          expect(heap.peek()?.at ?? Number.POSITIVE_INFINITY).toBe(earliest)
        }
      }),
    )
  })

  it('removing what is not in it changes nothing', () => {
    const heap = new TimerHeap<Entry>()
    const first = entry(1)
    heap.push(first)
    heap.remove(entry(1))
    heap.remove(first)
    heap.remove(first)
    expect(heap.size).toBe(0)
  })
})
