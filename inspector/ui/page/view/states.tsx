// A state in a few letters: a coloured dot and the name, one for each region.
import type { JSX } from 'preact'
import type { Leaf, Machine } from '../model/machines.ts'

/** Bad ends and ways to them, waits after an end, ends, and everything that is alive. */
export function toneOf({ key, isFinal }: Leaf): 'bad' | 'waiting' | 'done' | 'alive' {
  if (/reset|stopped|fail|reject|abandon|error|closedIdle|Timeout/i.test(key)) return 'bad'
  if (/sent|known|recvd$|clos|drain|wait/i.test(key) && !isFinal) return 'waiting'
  return isFinal ? 'done' : 'alive'
}

export function States({ machine, state }: { machine: Machine | undefined; state: number }): JSX.Element {
  if (machine === undefined) return <span class="leaf">…</span>
  const leaves = machine.leavesIn(state)
  return (
    <>
      {leaves.map((leaf) => (
        <span key={leaf.id} class={`leaf ${toneOf(leaf)} ${leaf.isFinal ? 'final' : ''}`} title={leaf.label}>
          {leaf.key}
        </span>
      ))}
      {leaves.length === 0 && <span class="leaf alive">alive</span>}
    </>
  )
}
