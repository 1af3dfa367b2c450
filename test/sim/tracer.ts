// Records what a simulated network did, for people who replay a seed and to prove that seeds repeat.
import { createHash } from 'node:crypto'
import type { TraceEntry } from './network.ts'
import type { World } from './world.ts'

/** Lines of a printed trace: the beginning and the end are what tells. */
const PRINTED_LINES = 400

export class Tracer {
  readonly entries: TraceEntry[] = []
  #world: World | undefined

  attach(world: World): void {
    this.#world = world
    world.network.trace = (entry) => this.entries.push(entry)
  }

  /** One value for everything that happened; equal for equal runs. */
  digest(): string {
    const hash = createHash('sha256')
    for (const entry of this.entries) hash.update(lineOf(entry))
    hash.update(String(this.#world?.clock.steps))
    return hash.digest('hex')
  }
}

/** The trace as text, the middle of a long one left out. */
export function describeTrace(tracer: Tracer): string {
  const lines = tracer.entries.map(lineOf)
  const half = PRINTED_LINES / 2
  if (lines.length <= PRINTED_LINES) return lines.join('\n')
  const middle = `... ${lines.length - PRINTED_LINES} more ...`
  return [...lines.slice(0, half), middle, ...lines.slice(-half)].join('\n')
}

function lineOf({ at, from, to, bytes, fate, corrupted, copies }: TraceEntry): string {
  const notes = `${corrupted ? ' corrupted' : ''}${copies > 1 ? ' twice' : ''}`
  return `${at.toFixed(3).padStart(12)}  ${from} -> ${to}  ${String(bytes).padStart(4)}  ${fate}${notes}`
}
