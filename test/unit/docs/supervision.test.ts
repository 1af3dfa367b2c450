// docs/supervision.md says what the code says: its tables of deadlines are those of machines/deadlines.ts and
// supervisor/limits.ts. After a change of those, `UPDATE_DOCS=1 npx vitest run test/unit/docs` writes them anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  clientHandshakeDeadlines,
  connectionDeadlines,
  pathDeadlines,
  receivingDeadlines,
  sendingDeadlines,
  serverHandshakeDeadlines,
  sessionDeadlines,
  workerDeadlines,
} from '../../../src/machines/deadlines.ts'
import type { StateDeadline } from '../../../src/machines/index.ts'
import * as limits from '../../../src/supervisor/limits.ts'
import { DEFAULT_SUPERVISION } from '../../../src/supervisor/supervision.ts'
import { DEFAULT_TRANSPORT_SETTINGS } from '../../../src/transport/connection/settings.ts'

const PAGE = new URL('../../../docs/supervision.md', import.meta.url)

function seconds(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? '-' : `${ms / 1_000} s`
}

function deadlineTable(deadlines: Readonly<Record<string, StateDeadline>>): string {
  const rows = Object.entries(deadlines).map(
    ([state, { ms, waitingFor, why }]) =>
      `| \`${state}\` | ${seconds(ms)} | ${waitingFor.map((reason) => `\`${reason}\``).join(', ')} | ${why} |`,
  )
  return ['| state | deadline | may wait for | why |', '|---|---|---|---|', ...rows].join('\n')
}

function limitTable(): string {
  const { handlerDeadline, handlerGrace, goawayDelay, drainDeadline, hardStop } = DEFAULT_SUPERVISION
  const rows: readonly (readonly [string, number, string])[] = [
    [
      '`handlerDeadline`',
      handlerDeadline,
      'until a handler must have begun its response; then its AbortSignal fires',
    ],
    [
      '`handlerGrace`',
      handlerGrace,
      'from the AbortSignal to the reset of the stream; then it counts as stuck',
    ],
    ['`goawayDelay`', goawayDelay, 'between the two GOAWAYs of a drain, or a round trip if that is longer'],
    ['`drainDeadline`', drainDeadline, 'what requests get after the second GOAWAY'],
    ['`hardStop`', hardStop, 'after that everything that is left is cut'],
    [
      '`transport.handshakeTimeout`',
      DEFAULT_TRANSPORT_SETTINGS.handshakeTimeout,
      'then the connection is given up without a word',
    ],
    ['`transport.maxIdleTimeout`', DEFAULT_TRANSPORT_SETTINGS.maxIdleTimeout, 'a silent connection is over'],
    ['sweep (fixed)', limits.SWEEP_INTERVAL, 'between two looks at everything that has a deadline'],
  ]
  return [
    '| what | time | meaning |',
    '|---|---|---|',
    ...rows.map(([what, ms, meaning]) => `| ${what} | ${seconds(ms)} | ${meaning} |`),
  ].join('\n')
}

const TABLES: Readonly<Record<string, () => string>> = {
  'deadlines sending': () => deadlineTable(sendingDeadlines),
  'deadlines receiving': () => deadlineTable(receivingDeadlines),
  'deadlines connection': () => deadlineTable(connectionDeadlines),
  'deadlines path': () => deadlineTable(pathDeadlines),
  'deadlines session': () => deadlineTable(sessionDeadlines),
  'deadlines worker': () => deadlineTable(workerDeadlines),
  'deadlines serverHandshake': () => deadlineTable(serverHandshakeDeadlines),
  'deadlines clientHandshake': () => deadlineTable(clientHandshakeDeadlines),
  limits: limitTable,
}

test.each(Object.entries(TABLES))('the table "%s" is that of the code', (name, make) => {
  const page = readFileSync(PAGE, 'utf8')
  const marker = `<!-- ${name} -->\n`
  expect(page).toContain(marker)
  const start = page.indexOf(marker) + marker.length
  // The table is everything up to the next empty line.
  const end = page.indexOf('\n\n', start - 1)
  if (process.env.UPDATE_DOCS !== undefined) {
    writeFileSync(PAGE, page.slice(0, start) + make() + page.slice(end))
    return
  }
  expect(page.slice(start, end)).toBe(make())
})
