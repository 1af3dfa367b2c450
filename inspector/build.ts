/**
 * `npm run build:inspector`, run by `npm ci` too: makes inspector/dist, what README.md here says it contains: the page,
 * the charts of the machines of this package, and the worker that lays out those of users.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { allTables } from '../src/machines/index.ts'
import { drawChart } from './chart/draw.ts'
import { describe } from './ui/dev/definitions.ts'

const ROOM = fileURLToPath(new URL('.', import.meta.url))
const OUT = `${ROOM}dist`

const jsx = { runtime: 'automatic', importSource: 'preact' } as const

await build({
  configFile: false,
  root: `${ROOM}ui`,
  base: '/',
  logLevel: 'warn',
  oxc: { jsx },
  build: { outDir: OUT, emptyOutDir: true, modulePreload: false, target: 'es2024', assetsInlineLimit: 0 },
})

await build({
  configFile: false,
  root: ROOM,
  logLevel: 'warn',
  ssr: { noExternal: true, target: 'node' },
  build: {
    outDir: OUT,
    emptyOutDir: false,
    target: 'es2024',
    minify: true,
    ssr: `${ROOM}chart/layout-worker.ts`,
    rolldownOptions: { external: [/^node:/, 'web-worker'], output: { entryFileNames: 'layout-worker.js' } },
  },
})

mkdirSync(`${OUT}/charts`, { recursive: true })
for (const table of allTables) {
  writeFileSync(`${OUT}/charts/${table.id}.svg`, await drawChart(describe(table, 0, 'stream')))
}
