// RangeSet against a plain Set of integers.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeSet } from '../../../../src/transport/wire/index.ts'

function ranges(set: RangeSet): [number, number][] {
  const list: [number, number][] = []
  for (let i = 0; i < set.size; i++) list.push([set.startAt(i), set.endAt(i)])
  return list
}

describe('RangeSet', () => {
  it('joins ranges that overlap or touch', () => {
    const set = new RangeSet()
    expect(set.add(10, 20)).toBe(10)
    expect(set.add(30, 40)).toBe(10)
    expect(set.add(20, 30)).toBe(10)
    expect(ranges(set)).toEqual([[10, 40]])
    expect(set.add(0, 50)).toBe(20)
    expect(ranges(set)).toEqual([[0, 50]])
    expect(set.add(5, 5)).toBe(0)
  })

  it('keeps a range below all others apart', () => {
    const set = new RangeSet()
    set.add(10, 11)
    set.add(0, 1)
    set.add(5, 6)
    expect(ranges(set)).toEqual([
      [0, 1],
      [5, 6],
      [10, 11],
    ])
    expect([set.min, set.max]).toEqual([0, 10])
  })

  it('splits a range when its middle is removed', () => {
    const set = new RangeSet()
    set.add(0, 100)
    expect(set.remove(40, 60)).toBe(20)
    expect(ranges(set)).toEqual([
      [0, 40],
      [60, 100],
    ])
    expect(set.firstGap(0)).toBe(40)
    expect(set.firstGap(40)).toBe(40)
    expect(set.firstGap(70)).toBe(100)
    set.removeFirst()
    expect(ranges(set)).toEqual([[60, 100]])
    set.clear()
    expect([set.isEmpty, set.min, set.max]).toEqual([true, -1, -1])
    set.removeFirst()
    expect(set.size).toBe(0)
  })

  it('agrees with a set of integers after any additions and removals', () => {
    const operation = fc.record({
      isAdd: fc.boolean(),
      start: fc.nat(60),
      length: fc.nat(20),
    })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const set = new RangeSet()
        const twin = new Set<number>()
        for (const { isAdd, start, length } of operations) {
          const before = twin.size
          for (let i = start; i < start + length; i++) isAdd ? twin.add(i) : twin.delete(i)
          const changed = isAdd ? set.add(start, start + length) : set.remove(start, start + length)
          expect(changed).toBe(Math.abs(twin.size - before))
        }
        expect(set.total()).toBe(twin.size)
        const list = ranges(set)
        list.forEach(([start, end], i) => {
          expect(start).toBeLessThan(end)
          if (i > 0) expect(start).toBeGreaterThan(list[i - 1][1])
        })
        for (let i = 0; i <= 81; i++) {
          expect(set.contains(i)).toBe(twin.has(i))
          let gap = i
          while (twin.has(gap)) gap++
          expect(set.firstGap(i)).toBe(gap)
          expect(set.containsRange(i, i + 3)).toBe(twin.has(i) && twin.has(i + 1) && twin.has(i + 2))
          const index = set.indexAtOrAbove(i)
          expect(index).toBe(
            list.findIndex(([, end]) => end > i) < 0 ? list.length : list.findIndex(([, end]) => end > i),
          )
        }
      }),
    )
  })
})
