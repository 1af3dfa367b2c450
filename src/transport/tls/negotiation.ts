// The server's choices from what a ClientHello offers: RFC 8446 section 4.1.1, RFC 7301 section 3.2. Pure.

import { groupById, type KeyExchangeGroup } from '../crypto/key-exchange.ts'
import { type CipherSuite, suiteById } from '../crypto/suites.ts'
import { Alert, alertError } from './alerts.ts'
import type { KeyShareEntry } from './extension-bodies.ts'

/**
 * The first of our suites that the client offers.
 * @param ours code points in our order of preference
 * @throws handshake_failure
 */
export function chooseSuite(ours: readonly number[], offered: readonly number[]): CipherSuite {
  for (const id of ours) {
    const suite = offered.includes(id) ? suiteById(id) : undefined
    if (suite !== undefined) return suite
  }
  throw alertError(Alert.handshakeFailure, 'no cipher suite in common')
}

/**
 * The first of our protocols that the client offers.
 * @throws no_application_protocol, RFC 9001 section 8.1
 */
export function chooseProtocol(ours: readonly string[], offered: readonly string[]): string {
  for (const name of ours) if (offered.includes(name)) return name
  throw alertError(Alert.noApplicationProtocol, 'no application protocol in common')
}

export interface GroupChoice {
  group: KeyExchangeGroup
  /** The client's share, or undefined: then a HelloRetryRequest must ask for one. */
  share: KeyShareEntry | undefined
}

/**
 * The first of our groups for which there is a share already; a round trip is worth more than our preference. If
 * there is no such share, the first of our groups that the client supports.
 * @throws handshake_failure
 */
export function chooseGroup(
  ours: readonly number[],
  supported: readonly number[],
  shares: readonly KeyShareEntry[],
): GroupChoice {
  for (const id of ours) {
    const share = shares.find((entry) => entry.group === id)
    const group = share && groupById(id)
    if (group !== undefined) return { group, share }
  }
  for (const id of ours) {
    const group = supported.includes(id) ? groupById(id) : undefined
    if (group !== undefined) return { group, share: undefined }
  }
  throw alertError(Alert.handshakeFailure, 'no key exchange group in common')
}
