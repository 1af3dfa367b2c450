/** Debian's Chromium over the DevTools protocol. */
import { existsSync } from 'node:fs'
import { endGroup, start } from '../interop/bounded-process.ts'
import { announced, type Browser, type BrowserKind, ended, type Page, type Site } from './browser.ts'
import { Remote } from './remote.ts'

const EXECUTABLE = process.env.QUACTOR_CHROMIUM ?? '/usr/bin/chromium'

function flags(site: Site, profile: string): string[] {
  return [
    '--headless',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // A page that is left ends, with its requests and sessions.
    '--disable-features=BackForwardCache',
    '--enable-quic',
    // Without QUIC by force, the flag still names localhost, for port 1: QUIC takes certificates of authorities that are not
    // built in only for hosts that it names.
    `--origin-to-force-quic-on=localhost:${site.forceQuic ? site.port : 1}`,
    `--ignore-certificate-errors-spki-list=${site.spkiHash}`,
    '--host-resolver-rules=MAP localhost 127.0.0.1',
    'about:blank',
  ]
}

class ChromiumPage implements Page {
  readonly #remote: Remote
  readonly #session: string

  constructor(remote: Remote, session: string) {
    this.#remote = remote
    this.#session = session
  }

  async goto(url: string): Promise<void> {
    const loaded = this.#remote.next('Page.loadEventFired', this.#session)
    const { errorText } = await this.#remote.call('Page.navigate', { url }, this.#session)
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
    await loaded
  }

  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#remote.call(
      'Runtime.evaluate',
      { expression, awaitPromise: true, returnByValue: true, userGesture: true },
      this.#session,
    )
    const { result, exceptionDetails } = answer as {
      result: { value?: unknown }
      exceptionDetails?: { text: string; exception?: { description?: string; value?: unknown } }
    }
    if (exceptionDetails === undefined) return result.value
    const { text, exception } = exceptionDetails
    throw new Error(String(exception?.description ?? exception?.value ?? text))
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.#remote.call('Page.captureScreenshot', {}, this.#session)
    return Buffer.from(String(data), 'base64')
  }

  emulate(features: Readonly<Record<string, string>>): Promise<unknown> {
    const list = Object.entries(features).map(([name, value]) => ({ name, value }))
    return this.#remote.call('Emulation.setEmulatedMedia', { features: list }, this.#session)
  }
}

export const chromium: BrowserKind = {
  name: 'Chromium',
  absence: () => (existsSync(EXECUTABLE) ? undefined : 'apt-get install chromium'),
  async start(site, folder): Promise<Browser> {
    const child = start({ command: EXECUTABLE, parameters: flags(site, folder) })
    const kill = (): void => endGroup(child, 'SIGKILL')
    process.once('exit', kill)
    try {
      const remote = await Remote.connect(await announced(child, /DevTools listening on (ws:\S+)/))
      const { product } = await remote.call('Browser.getVersion')
      const { targetId } = await remote.call('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await remote.call('Target.attachToTarget', { targetId, flatten: true })
      await remote.call('Page.enable', {}, String(sessionId))
      // Every page is asked for, on a connection that the server sees.
      await remote.call('Network.enable', {}, String(sessionId))
      await remote.call('Network.setCacheDisabled', { cacheDisabled: true }, String(sessionId))
      return {
        name: 'Chromium',
        version: String(product).replace(/^.*\//, ''),
        page: new ChromiumPage(remote, String(sessionId)),
        async close() {
          if (child.signalCode !== null) return
          await remote.call('Browser.close').catch(() => {})
          remote.close()
          await ended(child)
        },
        kill() {
          remote.close()
          kill()
        },
      }
    } catch (error) {
      kill()
      throw error
    }
  },
}
