/**
 * Debian's Firefox ESR over WebDriver BiDi, which it speaks by itself. Its QUIC trusts authorities only (an exception for
 * one certificate does not count), so ours goes into the profile's store with certutil.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endGroup, start } from '../interop/bounded-process.ts'
import { announced, type Browser, type BrowserKind, ended, type Page, type Site } from './browser.ts'
import { Remote } from './remote.ts'

const EXECUTABLE = process.env.QUACTOR_FIREFOX ?? '/usr/bin/firefox-esr'
const CERTUTIL = '/usr/bin/certutil'

function preferences(site: Site): Readonly<Record<string, string | number | boolean>> {
  return {
    'network.http.http3.enable': true,
    // No race against TCP: on a busy machine QUIC would lose it, and be avoided from then on.
    'network.http.http3.backup_timer_delay': 0,
    'network.dns.httpssvc.http3_fast_fallback_timeout': 0,
    'network.http.http3.parallel_fallback_conn_limit': 0,
    'network.http.happy_eyeballs_enabled': false,
    // Without it, an authority that is not built in turns HTTP/3 off.
    'network.http.http3.disable_when_third_party_roots_found': false,
    ...(site.forceQuic
      ? { 'network.http.http3.alt-svc-mapping-for-testing': `localhost;h3=":${site.port}"` }
      : {}),
    // Every page is asked for, on a connection that the server sees.
    'browser.cache.disk.enable': false,
    'browser.cache.memory.enable': false,
    'browser.sessionhistory.max_total_viewers': 0,
    'fission.bfcacheInParent': false,
    'network.dns.disableIPv6': true,
    // Connections that no request uses would have to be told apart from leaks.
    'network.http.speculative-parallel-limit': 0,
    'network.proxy.type': 0,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'app.normandy.enabled': false,
    'app.update.auto': false,
    'browser.safebrowsing.downloads.enabled': false,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.startup.page': 0,
    'datareporting.policy.dataSubmissionEnabled': false,
    'toolkit.telemetry.enabled': false,
    'services.settings.server': 'data:,none',
  }
}

function prepareProfile(site: Site, folder: string): void {
  const lines = Object.entries(preferences(site)).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  writeFileSync(join(folder, 'user.js'), lines.join(''))
  const authority = join(folder, 'authority.pem')
  writeFileSync(authority, site.authority)
  const store = `sql:${folder}`
  execFileSync(CERTUTIL, ['-N', '--empty-password', '-d', store], { stdio: 'ignore' })
  execFileSync(CERTUTIL, ['-A', '-n', 'quactor test', '-t', 'C,,', '-i', authority, '-d', store])
}

class FirefoxPage implements Page {
  readonly #remote: Remote
  readonly #context: string

  constructor(remote: Remote, context: string) {
    this.#remote = remote
    this.#context = context
  }

  async goto(url: string): Promise<void> {
    await this.#remote.call('browsingContext.navigate', { context: this.#context, url, wait: 'complete' })
  }

  async evaluate(expression: string): Promise<unknown> {
    // Values of BiDi are a language of their own; JSON text is none.
    const answer = await this.#remote.call('script.evaluate', {
      expression: `(async () => JSON.stringify((await (${expression})) ?? null))()`,
      target: { context: this.#context },
      awaitPromise: true,
      userActivation: true,
    })
    const { type, result, exceptionDetails } = answer as {
      type: 'success' | 'exception'
      result?: { value?: string }
      exceptionDetails?: { text: string }
    }
    if (type === 'success') return JSON.parse(result?.value ?? 'null')
    throw new Error(exceptionDetails?.text ?? 'the page threw')
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.#remote.call('browsingContext.captureScreenshot', { context: this.#context })
    return Buffer.from(String(data), 'base64')
  }
}

export const firefox: BrowserKind = {
  name: 'Firefox',
  absence() {
    if (!existsSync(EXECUTABLE)) return 'apt-get install firefox-esr'
    return existsSync(CERTUTIL) ? undefined : 'apt-get install libnss3-tools'
  },
  async start(site, folder): Promise<Browser> {
    prepareProfile(site, folder)
    const child = start({
      command: EXECUTABLE,
      parameters: ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0'],
      env: {
        MOZ_HEADLESS: '1',
        HOME: folder,
        ...(process.env.MOZ_LOG ? { MOZ_LOG: process.env.MOZ_LOG } : {}),
      },
    })
    const kill = (): void => endGroup(child, 'SIGKILL')
    process.once('exit', kill)
    try {
      const remote = await Remote.connect(`${await announced(child, /BiDi listening on (ws:\S+)/)}/session`)
      const { capabilities } = await remote.call('session.new', { capabilities: {} })
      const { contexts } = (await remote.call('browsingContext.getTree')) as {
        contexts: { context: string }[]
      }
      return {
        name: 'Firefox',
        version: String((capabilities as { browserVersion: string }).browserVersion),
        page: new FirefoxPage(remote, contexts[0]!.context),
        async close() {
          if (child.signalCode !== null) return
          await remote.call('browser.close').catch(() => {})
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
