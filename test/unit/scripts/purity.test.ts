/** The purity scan finds clocks, timers, sockets, processes and randomness left of transport/io. */
import { describe, expect, it } from 'vitest'
import { checkPurity } from '../../../scripts/check/purity.ts'

const FILE = 'src/transport/recovery/a.ts'
const messages = (source: string, file = FILE) => checkPurity(file, source).map((found) => found.message)

describe('purity left of transport/io', () => {
  it.each([
    'export const t = Date.now()',
    'export const t = new Date()',
    'export const t = Date()',
    "export const t = Date['now']()",
    'export const t = performance.now()',
    'setTimeout(() => {}, 1)',
    'setInterval(() => {}, 1)',
    'setImmediate(() => {})',
    'clearTimeout(timer)',
    'export const r = Math.random()',
    'const { env } = process',
    'export const e = process.env.HOME',
    'globalThis.setTimeout(f, 1)',
    'crypto.getRandomValues(bytes)',
    'AbortSignal.timeout(5)',
    "fetch('https://localhost/')",
    "import { createSocket } from 'node:dgram'",
    "import { connect } from 'node:net'",
    "import { readFileSync } from 'node:fs'",
    "import { hrtime } from 'node:process'",
    "const dgram = await import('node:dgram')",
    "import { randomBytes } from 'node:crypto'",
    "import { randomBytes as bytes } from 'node:crypto'",
    "import * as node from 'node:crypto'\nnode.randomFillSync(bytes)",
    "import { generateKeyPairSync } from 'node:crypto'",
    'export const at = (x = performance.now()) => x',
    'export const o = { t: setTimeout }',
    'export const o = { setTimeout }',
    'export function f(crypto: number) { return crypto }\ncrypto.subtle.digest(a, b)',
    'export const f = (process: number) => process\nexport const p = process.pid',
  ])('finds %s', (source) => {
    expect(messages(source).length).toBeGreaterThan(0)
  })

  it.each([
    '// Date.now() and Math.random() are not for here: process, setTimeout',
    "export const text = 'performance.now() process.env'",
    'export const text = `setTimeout`',
    '/* require("node:dgram") */',
    'export class Queue { process(entry: number) { return entry } }',
    'export const f = (queue: { process(): void }) => queue.process()',
    'export const o = { process: 1, performance: 2 }',
    'export function f(at: Date): number { return at.getTime() }',
    'export const at = (now: number) => new Date(now)',
    'export const m = Math.max(1, 2)',
    "import crypto from 'node:crypto'\nexport const h = crypto.createHash('sha256')",
    "import { createHmac } from 'node:crypto'",
    'export interface Clock { setTimeout(at: number): void }',
    'export const pattern = /Date.now()/',
    'export function f(crypto: { write(): void }) { crypto.write() }',
    'export const f = ({ crypto = 1, ...process }) => [crypto, process]',
    'export function f() { const [performance] = list; return performance }',
    'try { f() } catch (process) { g(process) }',
    'for (const crypto of frames) g(crypto)',
  ])('lets pass %s', (source) => {
    expect(messages(source)).toEqual([])
  })

  it('leaves io and the rooms to the right of it alone', () => {
    for (const file of ['src/transport/io/clock.ts', 'src/supervisor/endpoint.ts', 'src/cli/main.ts']) {
      expect(messages('setTimeout(() => Date.now(), 1)', file)).toEqual([])
    }
  })

  it.each(['src/machines', 'src/transport/wire', 'src/transport/tls', 'src/http3/qpack'])(
    'scans %s',
    (room) => {
      expect(messages('Date.now()', `${room}/a.ts`)).toEqual(['touches a clock (now)'])
    },
  )

  it('reports the line', () => {
    expect(checkPurity(FILE, 'const a = 1\n\nDate.now()\n')[0]?.line).toBe(3)
  })
})
