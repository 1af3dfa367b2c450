/** What the inspector's page promises, one check each. Run by run.ts. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { startMockFeed } from '../../../inspector/ui/dev/mock-feed.ts'
import { type BrowserPage, HANDLER_DEADLINE, HANDLER_GRACE, type InspectedSite, type launch } from './site.ts'

export interface InspectorContext {
  readonly site: InspectedSite
  readonly page: BrowserPage
  readonly browser: Awaited<ReturnType<typeof launch>>
}

export interface InspectorCheck {
  readonly title: string
  run(context: InspectorContext): Promise<void>
}

const MOST_SCRIPT = 40_000
/** A stuck stream is shown so soon after its deadline, ms. */
const STUCK_SHOWN = 2_000

function expect(condition: unknown, reason: string): asserts condition {
  if (!condition) throw new Error(reason)
}

async function text(page: BrowserPage, selector: string): Promise<string> {
  return (await page.textContent(selector)) ?? ''
}

/** Opens the page and waits for its first rows. */
async function open({ site, page }: InspectorContext): Promise<void> {
  await page.goto(site.address)
  await page.waitForSelector('.list .row')
}

/** A stream of a request that lasts. */
async function selectSlow(page: BrowserPage): Promise<void> {
  await page.fill('#search', '/slow/ state:send.ready')
  await page.click('.list .row')
  await page.waitForSelector('.detail svg.chart')
}

const stuckOnTop: InspectorCheck = {
  title: 'a stuck handler is on top, with reason, within 2 s of its deadline',
  async run(context) {
    await open(context)
    const begin = performance.now()
    const close = await context.site.hang()
    await context.page.waitForSelector('.stuck.some .card', { timeout: 20_000 })
    const late = performance.now() - begin - HANDLER_DEADLINE - HANDLER_GRACE
    const card = await text(context.page, '.stuck .card')
    close()
    context.site.release()
    expect(card.includes('GET /never'), `the card says "${card}"`)
    expect(/waits for handler/.test(card), `no reason in "${card}"`)
    expect(late < STUCK_SHOWN, `shown ${Math.round(late)} ms after its deadline`)
    await context.page.waitForSelector('.stuck.none', { timeout: 10_000 })
  },
}

const listFilters: InspectorCheck = {
  title: 'the list filters by path, state, age and connection, and has only rows in sight',
  async run(context) {
    await open(context)
    const { page } = context
    await page.fill('#search', 'path:/slow/')
    await page.waitForTimeout(300)
    const paths = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.list .row .text')].map((cell) => cell.textContent)",
    )
    expect(paths.length > 0 && paths.every((path) => path.includes('/slow/')), `rows: ${paths.join(', ')}`)
    const connection = await text(page, '.list .row .connection')
    await page.fill('#search', `conn:${connection} state:send age>1ms`)
    await page.waitForTimeout(300)
    const names = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.list .row .connection')].map((cell) => cell.textContent)",
    )
    expect(names.length > 0 && names.every((name) => name === connection), `connections: ${names.join(', ')}`)
    await page.fill('#search', 'age>10h')
    await page.waitForSelector('.list .empty')
  },
}

const chartLights: InspectorCheck = {
  title: 'the chart of a stream has both regions, its states are lit, its last transition is marked',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    const lit = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.state.lit')].map((state) => state.dataset.s)",
    )
    expect(lit.includes('open.send.ready') && lit.includes('open.receive.dataRead'), `lit: ${lit.join(', ')}`)
    await page.waitForSelector('.edge.last', { timeout: 15_000, state: 'attached' })
    await page.waitForSelector('.title .badge', { timeout: 15_000 })
    const ended = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.state.lit')].map((state) => state.dataset.s)",
    )
    expect(ended.includes('open.send.dataRecvd'), `at its end lit: ${ended.join(', ')}`)
  },
}

const otherCharts: InspectorCheck = {
  title: 'charts of connections, handshakes, paths, sessions and machines of users',
  async run(context) {
    await open(context)
    const { page, site } = context
    const ends = [await site.openSession(), await site.ask()]
    await page.click('text=All >> nth=0')
    for (const [query, state] of [
      ['kind:connection', 'confirmed'],
      ['kind:path', 'validated'],
      ['kind:session', 'open'],
      ['kind:service', 'working'],
    ] as const) {
      await page.fill('#search', query)
      await page.click('.list .row')
      await page.waitForSelector(`.detail .state.lit[data-s="${state}"]`, {
        timeout: 10_000,
        state: 'attached',
      })
    }
    for (const end of ends) end()
    const handshake = await page.evaluate<number>(
      "fetch('/charts/serverHandshake.svg').then((answer) => answer.status)",
    )
    expect(handshake === 200, `the handshake's chart: ${handshake}`)
  },
}

const countsFilter: InspectorCheck = {
  title: 'counts per state with sparklines; a click filters the list',
  async run(context) {
    await open(context)
    const { page } = context
    await page.waitForSelector('.counts .count:not(.zero) .spark polyline', { state: 'attached' })
    await page.click('.counts .count:not(.zero)')
    const query = await page.evaluate<string>("document.getElementById('search').value")
    expect(query.startsWith('state:'), `the filter is "${query}"`)
    const pressed = await text(page, '.counts .count[aria-pressed="true"]')
    expect(pressed !== '', 'the count is not marked')
  },
}

const logSteps: InspectorCheck = {
  title: 'the log follows, pauses, steps and scrolls back; the chart shows that moment',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    await page.waitForSelector('.title .badge', { timeout: 20_000 })
    const count = await page.evaluate<number>("document.querySelectorAll('.log .row.transition').length")
    expect(count >= 4, `${count} transitions in the log`)
    await page.click('.log button >> nth=0')
    for (let step = 0; step < 3; step++) await page.keyboard.press(',')
    await page.waitForSelector('.log .row.later', { state: 'attached' })
    const past = await text(page, '.title')
    expect(past.includes('in the past'), `the title says "${past}"`)
    await page.keyboard.press('.')
    await page.click('text=Go live')
    const later = await page.evaluate<number>("document.querySelectorAll('.log .row.later').length")
    expect(later === 0, 'still in the past')
  },
}

const treeAndCrashes: InspectorCheck = {
  title: 'supervision tree, and crashes with their outcome',
  async run(context) {
    await open(context)
    const { page } = context
    await page.keyboard.press('2')
    await page.waitForSelector('.tree .row')
    const kinds = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.tree .name b')].map((name) => name.textContent)",
    )
    expect(
      ['connection', 'stream'].every((kind) => kinds.includes(kind)),
      `tree: ${kinds.join(', ')}`,
    )
    await page.keyboard.press('3')
    await page.waitForSelector('.faults tbody tr', { timeout: 10_000 })
    const crash = await text(page, '.faults tbody tr')
    expect(crash.includes('/crash') && /reset|closed/i.test(crash), `the crash says "${crash}"`)
  },
}

const timelineAndSequence: InspectorCheck = {
  title: 'timeline and sequence of a stream',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    await page.click('text=Timeline')
    await page.waitForSelector('.timeline .span')
    const lanes = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.lane .region')].map((name) => name.textContent)",
    )
    expect(lanes.join() === 'send,receive', `lanes: ${lanes.join()}`)
    await page.click('text=Sequence')
    await page.waitForSelector('.sequence .message', { state: 'attached' })
    const columns = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.sequence .life text')].map((name) => name.textContent)",
    )
    expect(columns.join() === 'peer,transport,stream,handler', `columns: ${columns.join()}`)
  },
}

const actions: InspectorCheck = {
  title: 'actions: impossible until armed, then a reset ends the stream',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    const before = await page.evaluate<number>("document.querySelectorAll('.actions button').length")
    expect(before === 0, 'there are actions although nobody armed')
    await page.click('text=Disarmed')
    await page.click('form >> text=Arm')
    await page.fill('#search', 'path:/slow/4000 state:send.ready')
    await page.click('.list .row')
    await page.waitForSelector('.actions')
    await page.click('.actions button.danger >> text=Reset')
    await page.click('.actions button.danger >> text=Reset it?')
    await page.waitForSelector('.title .badge', { timeout: 8_000 })
    const log = await text(page, '.log')
    expect(/app\.reset|resetQueued/.test(log), `the log says "${log.slice(0, 300)}"`)
  },
}

const heatAndTimes: InspectorCheck = {
  title: 'heat of transitions, and p50/p99 of the time in each state',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    await page.click('text=heat')
    await page.waitForSelector('.edge.heat5', { timeout: 10_000, state: 'attached' })
    await page.click('text=Times')
    await page.waitForSelector('.dwell tbody tr', { timeout: 10_000 })
  },
}

const connectionPanel: InspectorCheck = {
  title: 'the connection panel has its plots, urgencies and paths',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    await page.click('.family .link')
    await page.click('.detail [role="tab"] >> text=Connection')
    await page.waitForSelector('.panel .plot')
    const panel = await text(page, '.panel')
    for (const wanted of [
      'smoothed rtt',
      'congestion window',
      'send credit',
      'memory',
      'loop lag',
      'Paths',
      'u=3',
    ]) {
      expect(panel.includes(wanted), `no "${wanted}" in the panel`)
    }
  },
}

const exportsAndReplay: InspectorCheck = {
  title: 'trace, test and qlog are saved; the trace is replayed',
  async run(context) {
    await open(context)
    const { page } = context
    await selectSlow(page)
    await page.waitForSelector('.title .badge', { timeout: 20_000 })
    const save = async (label: string): Promise<string> => {
      await page.click('.menu summary')
      const download = page.waitForEvent('download')
      await page.click(`.menu button >> text=${label}`)
      return (await download).path()
    }
    const trace = await save('Trace')
    expect(JSON.parse(readFileSync(trace, 'utf8')).format === 'quactor-trace', 'no trace')
    expect(/from 'vitest'/.test(readFileSync(await save('Test'), 'utf8')), 'no test')
    expect(/qlog/i.test(readFileSync(await save('qlog'), 'utf8')), 'no qlog')
    await page.setInputFiles('input[type="file"]', trace)
    await page.waitForSelector('.title .badge >> text=replay')
    await page.keyboard.press('.')
    await page.waitForSelector('.state.lit', { state: 'attached' })
  },
}

const offline: InspectorCheck = {
  title:
    'no request leaves the server, the script is small, nothing violates the policy, the token is out of sight',
  async run({ site, page }) {
    const hosts = new Set<string>()
    const complaints: string[] = []
    page.on('request', (request: { url(): string }) => hosts.add(new URL(request.url()).host))
    page.on('console', (message: { text(): string }) => complaints.push(message.text()))
    await page.goto(site.address)
    await page.waitForSelector('.list .row')
    await page.waitForTimeout(1_000)
    expect(hosts.size === 1, `hosts: ${[...hosts].join(', ')}`)
    expect(complaints.length === 0, complaints.join('; '))
    const address = await page.evaluate<string>('location.href')
    expect(!address.includes('token'), `the address is ${address}`)
    const script = await page.evaluate<string>(
      "fetch(document.querySelector('script').src).then((file) => file.text())",
    )
    const size = gzipSync(script).length
    expect(size <= MOST_SCRIPT, `the script has ${size} bytes`)
  },
}

const reconnects: InspectorCheck = {
  title: 'a lost feed is said and comes back by itself; 5,000 streams are a few dozen rows',
  async run({ page }) {
    const options = { streams: 5_000, rate: 1_000, stuck: 1 }
    const first = await startMockFeed({ ...options, port: 0 })
    const port = Number(new URL(first.url).port)
    try {
      await page.goto(first.url)
      await page.waitForSelector('.list .row')
      const rows = await page.evaluate<number>("document.querySelectorAll('.list .row').length")
      expect(rows < 80, `${rows} rows exist`)
      expect((await text(page, '.list [role="tab"]')).includes('5000'), 'not all streams are counted')
    } finally {
      first.close()
    }
    await page.waitForSelector('.banner.red', { timeout: 5_000 })
    const second = await startMockFeed({ ...options, port })
    try {
      await page.waitForSelector('.banner.red', { timeout: 15_000, state: 'detached' })
      await page.waitForSelector('.list .row')
    } finally {
      second.close()
    }
  },
}

export const CHECKS: readonly InspectorCheck[] = [
  stuckOnTop,
  listFilters,
  chartLights,
  otherCharts,
  countsFilter,
  logSteps,
  treeAndCrashes,
  timelineAndSequence,
  actions,
  heatAndTimes,
  connectionPanel,
  exportsAndReplay,
  offline,
  reconnects,
]
