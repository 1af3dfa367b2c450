// Entry of `dist/layout-worker.js`: a worker thread of the server that lays out the chart of one machine of a user, so
// that the loop that serves requests does not stand still meanwhile. It gets `{ definition }` and posts `{ svg }`.
import { parentPort, workerData } from 'node:worker_threads'
import type { MachineDefinition } from '../protocol.ts'
import { drawChart } from './draw.ts'

const { definition } = workerData as { definition: MachineDefinition }
parentPort?.postMessage({ svg: await drawChart(definition) })
