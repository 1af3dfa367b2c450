/** Checks that need a browser or a server of their own: how HTTP/3 is found, and what a lost connection leaves. */
import { setTimeout as delay } from 'node:timers/promises'
import { LossyProxy } from '../interop/lossy-proxy.ts'
import type { Browser, BrowserKind } from './browser.ts'
import { type CheckContext, expect, same } from './check.ts'
import { BrowserSite, type BrowserSiteOptions } from './server.ts'

export interface SpecialContext {
  readonly kind: BrowserKind
  readonly folder: string
  readonly qlog: string | undefined
  callIn(
    site: BrowserSite,
    browser: Browser,
    ...parameters: Parameters<CheckContext['call']>
  ): Promise<unknown>
}

export interface SpecialCheck {
  readonly title: string
  cannot?(kind: BrowserKind): string | undefined
  run(context: SpecialContext): Promise<void>
}

/** Loads after the first, until the browser has made up its mind. */
const VISITS = 20
const VISIT_PAUSE = 250
/** Short, because the checks wait for it, ms. */
const IDLE_TIMEOUT = 4_000

async function withBrowser(
  context: SpecialContext,
  { forceQuic, ...options }: BrowserSiteOptions & { forceQuic: boolean },
  body: (site: BrowserSite, browser: Browser) => Promise<void>,
): Promise<void> {
  const site = await BrowserSite.start({ qlog: context.qlog, ...options })
  let browser: Browser | undefined
  try {
    browser = await context.kind.start(site.site(forceQuic), context.folder)
    await body(site, browser)
  } finally {
    await browser?.close()
    await site.close()
  }
}

/** Over TCP first; the Alt-Svc of that response leads to HTTP/3. */
async function upgrade(context: SpecialContext): Promise<void> {
  await withBrowser(context, { forceQuic: false, tcp: true }, async (site, browser) => {
    const seen: string[] = []
    for (let visit = 0; visit < VISITS && seen.at(-1) !== 'h3'; visit++) {
      await browser.page.goto(`${site.origin}/?visit=${visit}`)
      const [protocol] = (await browser.page.evaluate(
        `performance.getEntriesByType('navigation').map((entry) => entry.nextHopProtocol)`,
      )) as string[]
      seen.push(protocol)
      await delay(VISIT_PAUSE)
    }
    expect(seen[0] !== 'h3', 'the first load was h3 already: nothing to upgrade')
    same(seen.at(-1), 'h3', `after ${seen.join(', ')}`)
    await browser.page.goto('about:blank')
    await site.settle()
  })
}

/** The network is gone from one moment to the next: both sides have to notice by themselves. */
async function blackhole(context: SpecialContext): Promise<void> {
  const site = await BrowserSite.start({ qlog: context.qlog, idleTimeout: IDLE_TIMEOUT })
  const network = { target: site.server.port, loss: 0 }
  const proxy = await LossyProxy.start(network)
  let browser: Browser | undefined
  try {
    browser = await context.kind.start({ ...site.site(true), port: proxy.port }, context.folder)
    await browser.page.goto(`https://localhost:${proxy.port}/index.html`)
    await context.callIn(site, browser, 'webtransport', 'hold')
    network.loss = 1
    const error = (await context.callIn(site, browser, 'webtransport', 'lost')) as Record<string, unknown>
    same([error.isTransport, error.source], [true, 'session'], 'closed')
    await site.settle()
  } finally {
    await browser?.close()
    proxy.close()
    await site.close()
  }
}

/** The browser's process is killed with a session, a request and an event stream open. */
async function killed(context: SpecialContext): Promise<void> {
  await withBrowser(context, { forceQuic: true, idleTimeout: IDLE_TIMEOUT }, async (site, browser) => {
    await browser.page.goto(`${site.origin}/index.html`)
    await context.callIn(site, browser, 'webtransport', 'hold')
    await context.callIn(site, browser, 'http', 'hang')
    const { handlers } = await site.readStatus()
    expect(handlers.live >= 2, `${handlers.live} handlers are live before`)
    browser.kill()
    await site.settle()
  })
}

/** The server drains and ends while a session is open. */
async function shutDown(context: SpecialContext): Promise<void> {
  await withBrowser(context, { forceQuic: true }, async (site, browser) => {
    await browser.page.goto(`${site.origin}/index.html`)
    await context.callIn(site, browser, 'webtransport', 'hold')
    await site.close()
    const error = (await context.callIn(site, browser, 'webtransport', 'lost')) as Record<string, unknown>
    same([error.isTransport, error.source], [true, 'session'], 'closed')
    const { connections, actors, handlers, datagramChannels } = site.server.status()
    same(
      [connections.live, actors.live, handlers.live, datagramChannels.live, actors.missedTransitions],
      [0, 0, 0, 0, 0],
      'live connections, actors, handlers, channels, missed transitions',
    )
  })
}

export const SPECIAL_CHECKS: readonly SpecialCheck[] = [
  { title: 'Alt-Svc: the first load over TCP, a later one over h3', run: upgrade },
  { title: 'connection loss: a network that goes silent ends the session on both sides', run: blackhole },
  { title: 'connection loss: a browser that is killed leaves nothing behind', run: killed },
  { title: 'connection loss: the server ends with a session open', run: shutDown },
]
