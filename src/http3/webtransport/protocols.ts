// Application protocols in WT-Available-Protocols and WT-Protocol, draft-ietf-webtrans-http3 section 3.3: a list and an
// item of strings. A field that is anything else is ignored as a whole.

import { parseItem, parseList, StructuredFieldError } from '../structured-fields.ts'
import { MAX_OFFERED_PROTOCOLS } from './limits.ts'

/** Undefined where parsing fails: "MUST be treated as an error that causes the entire field to be ignored". */
function lenient<T>(parse: () => T | undefined): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof StructuredFieldError) return undefined
    throw error
  }
}

/** Protocols that a client offers, most preferred first; empty when the field is absent or ignored. */
export function offeredProtocols(value: string | undefined): readonly string[] {
  if (value === undefined) return []
  const list = lenient(() => {
    const protocols: string[] = []
    for (const member of parseList(value)) {
      if (!('item' in member) || member.item.type !== 'string') return undefined
      protocols.push(member.item.value)
    }
    return protocols
  })
  return list === undefined || list.length > MAX_OFFERED_PROTOCOLS ? [] : list
}

/** The protocol that a server has chosen; undefined when the field is absent or ignored. */
export function readProtocol(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  return lenient(() => {
    const { item } = parseItem(value)
    return item.type === 'string' ? item.value : undefined
  })
}

/** The client's most preferred one among those that the server supports. */
export function chooseProtocol(offered: readonly string[], supported: readonly string[]): string | undefined {
  return offered.find((protocol) => supported.includes(protocol))
}

/**
 * Value of either field.
 * @throws TypeError for a character that a string of RFC 9651 section 3.3.3 cannot have
 */
export function encodeProtocols(protocols: readonly string[]): string {
  return protocols.map(encodeString).join(', ')
}

function encodeString(text: string): string {
  if (!/^[ -~]*$/.test(text)) throw new TypeError(`protocol ${JSON.stringify(text)} is not printable ASCII`)
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
