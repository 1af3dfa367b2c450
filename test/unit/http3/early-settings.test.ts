// Settings around 0-RTT: RFC 9114 section 7.2.4.2, RFC 9204 section 3.2.3.
import { describe, expect, it } from 'vitest'
import { H3ErrorCode, type H3Settings } from '../../../src/http3/index.ts'
import { checkRememberedSettings, initialSettings, settingsState } from '../../../src/http3/settings.ts'

const remembered: H3Settings = {
  qpackMaxTableCapacity: 4_096,
  qpackBlockedStreams: 16,
  maxFieldSectionSize: 65_536,
  enableConnectProtocol: true,
  h3Datagram: true,
  webtransportDraft02: true,
  webtransport: true,
  webtransportMaxStreamsUni: 10,
  webtransportMaxStreamsBidi: 10,
  webtransportMaxData: 65_536,
}

/** Code of the error for new settings; undefined when they are accepted. */
function verdict(changes: Partial<H3Settings>, old = remembered): number | undefined {
  try {
    checkRememberedSettings(old, { ...old, ...changes })
  } catch (error) {
    return (error as { code: number }).code
  }
  return undefined
}

describe('SETTINGS after accepted early data', () => {
  it.each<[string, Partial<H3Settings>]>([
    ['the same', {}],
    ['larger limits', { maxFieldSectionSize: 100_000, qpackBlockedStreams: 17 }],
  ])('%s are fine', (_what, changes) => {
    expect(verdict(changes)).toBeUndefined()
  })

  it.each<[string, Partial<H3Settings>]>([
    ['a smaller field section', { maxFieldSectionSize: 65_535 }],
    ['a limit that is left out', { maxFieldSectionSize: Number.POSITIVE_INFINITY }],
    ['fewer blocked streams', { qpackBlockedStreams: 15 }],
    ['extended CONNECT withdrawn (RFC 8441 section 3)', { enableConnectProtocol: false }],
    ['less credit for WebTransport (draft-ietf-webtrans-http3 section 3.2)', { webtransportMaxData: 65_535 }],
    ['datagrams withdrawn (RFC 9297 section 2.1.1)', { h3Datagram: false }],
  ])('%s: H3_SETTINGS_ERROR', (_what, changes) => {
    expect(verdict(changes)).toBe(H3ErrorCode.H3_SETTINGS_ERROR)
  })

  it.each([0, 4_095, 4_097])('table capacity %s instead of 4096: QPACK_DECODER_STREAM_ERROR', (capacity) => {
    expect(verdict({ qpackMaxTableCapacity: capacity })).toBe(H3ErrorCode.QPACK_DECODER_STREAM_ERROR)
  })

  it('settings that were never announced may come', () => {
    const unlimited = { ...remembered, maxFieldSectionSize: Number.POSITIVE_INFINITY }
    expect(verdict(unlimited, initialSettings)).toBeUndefined()
    // No limit was a promise, too.
    expect(verdict(remembered, initialSettings)).toBe(H3ErrorCode.H3_SETTINGS_ERROR)
  })
})

it('every setting is part of what a server remembers', () => {
  const states = (Object.keys(remembered) as (keyof H3Settings)[]).map((name) =>
    Buffer.from(settingsState({ ...remembered, [name]: initialSettings[name] })).toString(),
  )
  expect(new Set([...states, Buffer.from(settingsState(remembered)).toString()]).size).toBe(11)
})
