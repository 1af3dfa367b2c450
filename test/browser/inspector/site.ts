/**
 * What the checks of the inspector's page look at: a server with the demo's routes, a machine of a user, a handler that
 * hangs on purpose, real HTTP/3 clients, and a real Chromium in front of the page.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assign, setup } from 'xstate'
import { makeTraffic } from '../../../inspector/ui/dev/traffic.ts'
import { connect } from '../../../src/client/connect.ts'
import { demoRoutes } from '../../../src/handlers/demo-routes.ts'
import { machineService, type QuactorServer, sendChunk, serve, serviceTypes } from '../../../src/index.ts'
import { systemClock } from '../../../src/transport/io/clock.ts'

export const CHROMIUM = process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium'
/** From then on the hanging handler is told to stop, and a second later it is stuck, ms. */
export const HANDLER_DEADLINE = 6_000
export const HANDLER_GRACE = 500

/** The part of playwright's page that is used here; it is installed beside the interoperability run. */
export interface BrowserPage {
  goto(url: string): Promise<unknown>
  click(selector: string, options?: { timeout?: number }): Promise<void>
  fill(selector: string, text: string): Promise<void>
  textContent(selector: string): Promise<string | null>
  waitForSelector(selector: string, options?: { timeout?: number; state?: string }): Promise<unknown>
  waitForTimeout(ms: number): Promise<void>
  waitForEvent(name: 'download'): Promise<{ path(): Promise<string>; suggestedFilename(): string }>
  setInputFiles(selector: string, file: string): Promise<void>
  setViewportSize(size: { width: number; height: number }): Promise<void>
  emulateMedia(media: { colorScheme: 'dark' | 'light' }): Promise<void>
  evaluate<Value>(expression: string): Promise<Value>
  screenshot(options: { path: string }): Promise<unknown>
  on(event: 'request' | 'pageerror' | 'console', listener: (about: never) => void): void
  readonly keyboard: { press(key: string): Promise<void> }
  close(): Promise<void>
}

interface PlaywrightBrowser {
  newPage(options: object): Promise<BrowserPage>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: { launch(options: object): Promise<PlaywrightBrowser> }
}

/** @throws Error where there is no Chromium */
export function launch(): Promise<PlaywrightBrowser> {
  if (!existsSync(CHROMIUM)) throw new Error('apt-get install chromium')
  const { chromium } = createRequire(new URL('../../interop/', import.meta.url))(
    'playwright-core',
  ) as Playwright
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

const ticket = setup({ types: { ...serviceTypes, context: {} as { chunks: number } } }).createMachine({
  id: 'ticket',
  context: { chunks: 0 },
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        'body.chunk': { actions: assign({ chunks: ({ context }) => context.chunks + 1 }) },
        'body.end': { target: 'working' },
      },
    },
    working: { entry: sendChunk('working\n'), after: { 4000: 'served' } },
    served: { type: 'final' },
  },
  output: 'served\n',
})

export class InspectedSite {
  readonly server: QuactorServer
  readonly #abort = new AbortController()
  readonly #folder: string
  readonly #releases: Set<() => void>
  #traffic: Promise<void> | undefined

  private constructor(server: QuactorServer, folder: string, releases: Set<() => void>) {
    this.server = server
    this.#folder = folder
    this.#releases = releases
  }

  static async start(): Promise<InspectedSite> {
    const folder = mkdtempSync(join(tmpdir(), 'quactor-inspector-'))
    const releases = new Set<() => void>()
    const routes = demoRoutes({ clock: systemClock() })
    const machine = machineService(ticket)
    const server = await serve({
      port: 0,
      host: '127.0.0.1',
      inspector: { port: 0 },
      qlogDirectory: folder,
      supervision: { handlerDeadline: HANDLER_DEADLINE, handlerGrace: HANDLER_GRACE },
      onFault: () => {},
      webtransport: async (session) => {
        await session.ready
        await session.closed
      },
      handler: (exchange) => {
        if (exchange.path === '/machine') return machine(exchange)
        if (exchange.path !== '/never') return routes(exchange)
        return new Promise<void>((resolve) => releases.add(resolve))
      },
    })
    return new InspectedSite(server, folder, releases)
  }

  get address(): string {
    return `${this.server.inspector}/?token=${this.server.inspectorToken}`
  }

  startTraffic(connections = 2): void {
    this.#traffic = makeTraffic(this.server.url, connections, this.#abort.signal)
  }

  /** A request whose handler ignores everything: stuck after its deadline and grace. @returns ends its connection */
  async hang(): Promise<() => void> {
    const session = await connect(this.server.url, { insecure: true })
    session.request({ path: '/never' }).catch(() => {})
    return () => session.close()
  }

  /** A request that a machine of a user serves for some seconds. */
  async ask(): Promise<() => void> {
    const session = await connect(this.server.url, { insecure: true })
    session.request({ path: '/machine', method: 'POST', body: 'paper' }).catch(() => {})
    return () => session.close()
  }

  /** A WebTransport session that stays open. */
  async openSession(): Promise<() => void> {
    const session = await connect(this.server.url, { insecure: true, webtransport: true })
    const transport = session.webtransport('/wt')
    await transport.ready
    return () => session.close()
  }

  release(): void {
    for (const resolve of this.#releases) resolve()
    this.#releases.clear()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.release()
    await this.#traffic?.catch(() => {})
    await this.server.close({ timeout: 1_000 })
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
