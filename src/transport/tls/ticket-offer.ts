// The ticket that a client offers in its ClientHello, with the key schedule that starts at it: RFC 8446 sections
// 4.2.10 and 4.2.11. Used by TlsClient.
import { digest } from '../crypto/key-schedule.ts'
import { type CipherSuite, suiteById } from '../crypto/suites.ts'
import { EarlyStage } from './key-schedule-stages.ts'
import { type ClientHelloOffer, helloWithoutBinder } from './messages/client-hello.ts'
import { canonicalName } from './server-name.ts'
import { isTicketUsable, obfuscatedAge, type SessionTicket } from './session-ticket.ts'
import type { ClientTlsConfig } from './tls-output.ts'
import type { Transcript } from './transcript.ts'

export class TicketOffer {
  readonly ticket: SessionTicket
  readonly suite: CipherSuite
  readonly stage: EarlyStage
  readonly #now: () => number

  constructor(ticket: SessionTicket, now: () => number) {
    this.ticket = ticket
    this.suite = suiteById(ticket.suite)!
    this.stage = new EarlyStage(this.suite, ticket.psk)
    this.#now = now
  }

  /** The offer that a configuration allows for; undefined without a ticket that can be used now. */
  static from(config: ClientTlsConfig, suites: readonly number[]): TicketOffer | undefined {
    const { resumption, alpn, verifyCertificate, version = 0 } = config
    const ticket = resumption?.ticket
    if (ticket === undefined) return undefined
    const serverName = canonicalName(config.serverName)
    const use = { serverName, alpn, suites, version, verifyCertificate, now: resumption!.now() }
    return isTicketUsable(ticket, use) ? new TicketOffer(ticket, resumption!.now) : undefined
  }

  /** What the ClientHello says of it. */
  get fields(): Pick<ClientHelloOffer, 'preSharedKey'> {
    const { ticket, suite } = this
    const age = obfuscatedAge(ticket, this.#now())
    return {
      preSharedKey: { ticket: ticket.ticket, obfuscatedAge: age, hashLength: suite.hashLength },
    }
  }

  /**
   * Writes the binder at the end of a ClientHello (section 4.2.11.2).
   * @param transcript what precedes the second hello; undefined for the first
   */
  bind(hello: Uint8Array, transcript: Transcript | undefined): void {
    const { hash, hashLength } = this.suite
    const covered = helloWithoutBinder(hello, hashLength)
    const covering = transcript === undefined ? digest(hash, covered) : transcript.currentWith(covered)
    hello.set(this.stage.binder(covering), hello.length - hashLength)
  }

  /** client_early_traffic_secret of a first ClientHello. */
  earlyTraffic(hello: Uint8Array): Uint8Array {
    return this.stage.clientEarlyTraffic(digest(this.suite.hash, hello))
  }
}
