// Charts of machines, drawn by the layout worker that is built with the page: a thread of its own, so that a large chart
// does not hold the server up. Used by local-feed.ts when a page asks.
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { LAYOUT_TIME } from './limits.ts'
import type { Chart, MachineDefinition } from './protocol.ts'
import { PAGE_FOLDER } from './static-page.ts'

const LAYOUT = new URL('layout-worker.js', PAGE_FOLDER)
/** By definition: one that has grown is drawn anew. */
const drawn = new WeakMap<readonly unknown[], string>()
let queue: Promise<unknown> = Promise.resolve()

/** Never rejects. One chart at a time. */
export function makeChart(machine: number, definition: MachineDefinition | undefined): Promise<Chart> {
  const made = queue.then(async (): Promise<Chart> => {
    if (definition === undefined) return { type: 'chart', machine, error: 'no such machine' }
    try {
      // Nodes stay the same object when configurations are added.
      const svg = drawn.get(definition.nodes) ?? (await draw(definition))
      drawn.set(definition.nodes, svg)
      return { type: 'chart', machine, svg }
    } catch (error) {
      return { type: 'chart', machine, error: (error as Error).message }
    }
  })
  queue = made
  return made
}

function draw(definition: MachineDefinition): Promise<string> {
  if (!existsSync(LAYOUT)) return Promise.reject(new Error('the page has not been built'))
  return new Promise((resolve, reject) => {
    const worker = new Worker(LAYOUT, { workerData: { definition } })
    const timer = setTimeout(() => finish(new Error('the layout took too long')), LAYOUT_TIME)
    const finish = (outcome: Error | string): void => {
      clearTimeout(timer)
      void worker.terminate()
      if (typeof outcome === 'string') resolve(outcome)
      else reject(outcome)
    }
    worker.once('message', ({ svg, error }: { svg?: string; error?: string }) =>
      finish(svg ?? new Error(error ?? 'no chart')),
    )
    worker.once('error', (error) => finish(error as Error))
    worker.unref()
  })
}
