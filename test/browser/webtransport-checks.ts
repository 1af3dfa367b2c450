/**
 * WebTransport. The name in brackets is the file of the web-platform-tests (webtransport/) whose behaviour a check takes up;
 * the checks are written anew.
 */
import type { Browser } from './browser.ts'
import { type Check, type CheckContext, expect, needs, same } from './check.ts'

const MEGABYTES_10 = 10_000_000
/** Codes that have to survive their way through HTTP/3's error codes and back, gaps for GREASE included. */
const SMALL_CODES = [0, 29, 30, 255]
/** More than the byte of an older draft. */
const GREAT_CODES = [256, 0xffff_ffff]
const LONGEST_REASON = 'ü'.repeat(512)

interface PageError {
  readonly name: string
  readonly source?: string
  readonly streamErrorCode?: number | null
  readonly isTransport: boolean
}

function streamError(value: unknown, code: number, what: string): void {
  const { isTransport, source, streamErrorCode } = value as PageError
  same(
    { isTransport, source, streamErrorCode },
    { isTransport: true, source: 'stream', streamErrorCode: code },
    what,
  )
}

/**
 * A read of a stream that was reset. Firefox 153 fails it with a TypeError that has no code (the code arrives: qlog shows it,
 * and Chromium); a check of its own says so.
 */
function resetError(value: unknown, code: number, { name }: Browser): void {
  if (name === 'Firefox' && (value as PageError).name === 'TypeError') return
  streamError(value, code, `reset with ${code}`)
}

function inFirefox(reason: string): NonNullable<Check['cannot']> {
  return ({ browser: { name, version } }) => (name === 'Firefox' ? `Firefox ${version} ${reason}` : undefined)
}

const shownCode = inFirefox('fails reading a stream that was reset with a TypeError without a code')
const sentStop = inFirefox('sends no STOP_SENDING when a readable is cancelled')
const countedSession = inFirefox('answers getStats() of a session with NS_ERROR_NOT_IMPLEMENTED')
const countedStream = inFirefox('answers getStats() of a stream with NotSupportedError')
const leftPage = inFirefox('keeps the session of a page that was left')

function sessionError(value: unknown, what: string): void {
  const { isTransport, source } = value as PageError
  same({ isTransport, source }, { isTransport: true, source: 'session' }, what)
}

const ECHO: readonly Check[] = [
  {
    title: 'datagrams come back [echo]',
    run: async ({ call }) => {
      await call('webtransport', 'datagrams', 50)
    },
  },
  {
    title: '10 MB there and back on a bidirectional stream [echo]',
    run: async ({ call }) => {
      await call('webtransport', 'bidirectional', MEGABYTES_10)
    },
  },
  {
    title: '10 MB there and back on unidirectional streams [echo]',
    run: async ({ call }) => {
      await call('webtransport', 'unidirectional', MEGABYTES_10)
    },
  },
  {
    title: '3 sessions with 20 streams each at once',
    run: async ({ call }) => {
      await call('webtransport', 'several', 3, 20)
    },
  },
  {
    title: 'datagrams arrive whole up to maxDatagramSize [echo_datagram_length]',
    run: async ({ call }) => {
      await call('webtransport', 'datagramLength')
    },
  },
  {
    title: 'serverCertificateHashes accept a certificate of 13 days',
    run: async ({ call, site }) => {
      await call('webtransport', 'certificateHash', site.certificateHash)
    },
  },
]

const ANSWERS: readonly Check[] = [
  {
    title: 'a status other than 2xx is no session [custom-response]',
    run: async ({ call }) => {
      await call('webtransport', 'customResponse', 200)
      for (const status of [301, 403, 404, 429, 500]) {
        sessionError(await call('webtransport', 'customResponse', status), `status ${status}`)
      }
    },
  },
]

/** What both ends do to streams, and that the other one gets its code. */
function withCodes(which: string, codes: readonly number[], cannot?: Check['cannot']): Check[] {
  const checks: Check[] = [
    {
      title: `the server resets, and stops, a stream of the page, ${which} [abort-stream-from-server]`,
      run: async ({ call, browser }) => {
        for (const code of codes) {
          resetError(await call('webtransport', 'abortFromServer', 'reset', code), code, browser)
          streamError(
            await call('webtransport', 'abortFromServer', 'stop', code),
            code,
            `stopped with ${code}`,
          )
        }
      },
    },
    {
      title: `the page gives up streams of the server, ${which} [abort-server-initiated-stream]`,
      run: async (context) => {
        const stops = sentStop(context) === undefined ? ['uni stopped', 'bidi stopped'] : []
        const expected = [...stops, 'bidi reset']
        for (const code of codes)
          await giveUp(context, 'giveUpServerStreams', '/server-streams', code, expected)
      },
    },
    {
      title: `the page gives up its own streams, ${which} [client-close]`,
      run: async (context) => {
        const stops = sentStop(context) === undefined ? ['bidi stopped'] : []
        const expected = ['uni reset', 'bidi reset', ...stops]
        for (const code of codes) await giveUp(context, 'giveUpOwnStreams', '/client-close', code, expected)
      },
    },
  ]
  return cannot === undefined ? checks : checks.map((check) => ({ ...check, cannot }))
}

async function giveUp(
  { call, site }: CheckContext,
  name: string,
  path: string,
  code: number,
  expected: readonly string[],
): Promise<void> {
  site.sessions.forget()
  await call('webtransport', name, code)
  for (const what of expected) same(await site.sessions.hear(path, what), code, what)
  await call('webtransport', 'closeHeld')
}

const SERVER_STREAMS: readonly Check[] = [
  {
    title: 'a datagram, a unidirectional and a bidirectional stream of the server',
    run: async ({ call }) => {
      await call('webtransport', 'serverStreams')
    },
  },
  {
    title: 'the server resets its own streams with a code [abort-server-initiated-stream]',
    run: async ({ call, browser }) => {
      const errors = (await call('webtransport', 'resetByServer', 77)) as unknown[]
      for (const error of errors) resetError(error, 77, browser)
    },
  },
  {
    title: 'the page is shown the code of a reset [abort-stream-from-server]',
    cannot: shownCode,
    run: async ({ call }) => {
      streamError(await call('webtransport', 'abortFromServer', 'reset', 5), 5, 'reset')
    },
  },
  {
    title: 'the server hears the code of cancel() [abort-server-initiated-stream]',
    cannot: sentStop,
    run: (context) => giveUp(context, 'giveUpServerStreams', '/server-streams', 5, ['uni stopped']),
  },
  ...withCodes('codes of a byte', SMALL_CODES),
  ...withCodes('codes of 32 bits', GREAT_CODES, needs('WebTransportError.streamErrorCode of 32 bits')),
]

const ENDS: readonly Check[] = [
  {
    title: 'the page closes with code and reason [client-close]',
    run: async ({ call, site }) => {
      const infos = [
        null,
        { closeCode: 99, reason: 'reason X' },
        { closeCode: 0xffff_ffff, reason: LONGEST_REASON },
      ]
      for (const info of infos) {
        site.sessions.forget()
        const expected = info ?? { closeCode: 0, reason: '' }
        same(await call('webtransport', 'clientClose', info), expected, 'at the page')
        same(await site.sessions.hear('/client-close', 'closed'), expected, 'at the server')
      }
    },
  },
  {
    title: 'the server closes with code and reason [server-close]',
    run: async ({ call }) => {
      const infos = [
        { closeCode: 56, reason: 'abc' },
        { closeCode: 0xffff_ffff, reason: LONGEST_REASON },
      ]
      const after = { done: true, failure: 'InvalidStateError' }
      for (const { closeCode, reason } of infos) {
        const path = `/server-close?code=${closeCode}&reason=${encodeURIComponent(reason)}`
        same(await call('webtransport', 'serverClose', path), { closeCode, reason, ...after }, 'closed')
      }
      const bare = { closeCode: 0, reason: '', ...after }
      same(await call('webtransport', 'serverClose', '/server-close'), bare, 'closed without a code')
    },
  },
  {
    title: 'streams of a closed session fail [client-close]',
    run: async ({ call }) => {
      sessionError(await call('webtransport', 'streamAfterClose'), 'read()')
    },
  },
  {
    title: 'the server closes the connection [server-connection-close]',
    run: async ({ call }) => {
      const { closed, read } = (await call('webtransport', 'connectionClose')) as Record<string, unknown>
      sessionError(closed, 'closed')
      sessionError(read, 'read()')
    },
  },
  {
    title: 'a session goes on after the server has asked for its end',
    run: async ({ call }) => {
      await call('webtransport', 'drain', false)
    },
  },
  {
    title: 'session.draining is told that the server wants an end',
    cannot: needs('WebTransport.draining'),
    run: async ({ call }) => {
      await call('webtransport', 'drain', true)
    },
  },
  {
    title: 'the page is left without closing its session',
    cannot: leftPage,
    run: async ({ call }) => {
      await call('webtransport', 'hold')
    },
  },
]

const ORDER_BYTES = 4_000_000
const STATS_BYTES = 100_000

const NUMBERS: readonly Check[] = [
  {
    title: 'a stream with a greater send order is sent first [sendorder]',
    cannot: needs('WebTransportSendStream.sendOrder'),
    run: async ({ call, site }) => {
      same(await call('webtransport', 'sendOrder', ORDER_BYTES), [1, 2, null, 3], 'sendOrder')
      await site.sessions.hearAll('/sink', 'uni read', 3)
      const lengths = site.sessions.heard('/sink').map(({ value }) => value)
      same(lengths.slice(1), [ORDER_BYTES - 1, ORDER_BYTES], 'streams as they were whole')
      await call('webtransport', 'closeHeld')
    },
  },
  {
    title: 'session.getStats() of the server counts what a page has sent [stats]',
    run: async ({ call, site }) => {
      await call('webtransport', 'stats', 'none')
      const { bytesSent, bytesReceived } = (await site.sessions.hear('/stats', 'stats')) as Record<
        string,
        number
      >
      await call('webtransport', 'closeHeld')
      expect(bytesSent > STATS_BYTES, `bytesSent is ${bytesSent}`)
      expect(bytesReceived > STATS_BYTES, `bytesReceived is ${bytesReceived}`)
    },
  },
  {
    title: 'getStats() of a stream in the page [stats]',
    cannot: (context) => needs('WebTransportSendStream.getStats')(context) ?? countedStream(context),
    run: async ({ call }) => {
      same(await call('webtransport', 'stats', 'stream'), STATS_BYTES, 'bytesWritten')
      await call('webtransport', 'closeHeld')
    },
  },
  {
    title: 'session.getStats() in the page [stats]',
    cannot: (context) => needs('WebTransport.getStats')(context) ?? countedSession(context),
    run: async ({ call }) => {
      const bytesSent = Number(await call('webtransport', 'stats', 'session'))
      await call('webtransport', 'closeHeld')
      expect(bytesSent > STATS_BYTES, `bytesSent is ${bytesSent}`)
    },
  },
]

export const WEBTRANSPORT_CHECKS: readonly Check[] = [
  ...ECHO,
  ...ANSWERS,
  ...SERVER_STREAMS,
  ...ENDS,
  ...NUMBERS,
]
