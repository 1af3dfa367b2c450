// Which of the tickets that a ClientHello offers a server resumes with, RFC 8446 sections 4.2.11 and 4.2.10.
// Used by TlsServer.
import { equalSecret } from '../crypto/constant-time.ts'
import { type CipherSuite, suiteById } from '../crypto/suites.ts'
import { Alert, alertError } from './alerts.ts'
import { EarlyStage } from './key-schedule-stages.ts'
import { MAX_TICKETS_TRIED } from './limits.ts'
import type { ClientHello } from './messages/client-hello.ts'
import { type OpenedTicket, type SessionTickets, sameBytes } from './session-tickets.ts'
import type { Transcript } from './transcript.ts'

export interface TicketChoice {
  readonly ticket: OpenedTicket
  /** Position in the client's list. */
  readonly index: number
  readonly obfuscatedAge: number
  readonly suite: CipherSuite
}

/**
 * The first ticket that opens, belongs to the same scope, and fits a cipher suite of both sides.
 * @param binding hash of the scope of this handshake
 * @param suites ours, preferred first
 * @param fixed the suite of a HelloRetryRequest, which cannot change any more
 */
export function chooseTicket(
  tickets: SessionTickets,
  hello: ClientHello,
  binding: Uint8Array,
  suites: readonly number[],
  fixed: CipherSuite | undefined,
): TicketChoice | undefined {
  if (!hello.allowsPsk || hello.preSharedKeys === undefined) return undefined
  const { identities } = hello.preSharedKeys
  for (let index = 0; index < Math.min(identities.length, MAX_TICKETS_TRIED); index++) {
    const { ticket: bytes, obfuscatedAge } = identities[index]
    const ticket = tickets.open(bytes)
    if (ticket === undefined || !sameBytes(ticket.binding, binding)) continue
    const suite = suiteFor(ticket, suites, hello.cipherSuites, fixed)
    if (suite !== undefined) return { ticket, index, obfuscatedAge, suite }
  }
  return undefined
}

/** The ticket's own suite if it can be, else the first with the same hash (RFC 8446 section 4.2.11). */
function suiteFor(
  ticket: OpenedTicket,
  ours: readonly number[],
  theirs: readonly number[],
  fixed: CipherSuite | undefined,
): CipherSuite | undefined {
  const hash = suiteById(ticket.suite)?.hash
  if (fixed !== undefined) return fixed.hash === hash ? fixed : undefined
  const candidates = ours.filter((id) => theirs.includes(id) && suiteById(id)?.hash === hash)
  return suiteById(candidates.includes(ticket.suite) ? ticket.suite : (candidates[0] ?? 0))
}

/**
 * The key schedule of a resumed handshake, once the client has proved that it knows the ticket's key.
 * @param transcript what precedes the ClientHello, hash function chosen
 * @throws decrypt_error, RFC 8446 section 4.2.11
 */
export function verifyBinder(
  choice: TicketChoice,
  hello: ClientHello,
  message: Uint8Array,
  transcript: Transcript,
): EarlyStage {
  const { binders, bindersLength } = hello.preSharedKeys!
  const stage = new EarlyStage(choice.suite, choice.ticket.psk)
  const hash = transcript.currentWith(message.subarray(0, message.length - bindersLength))
  if (!equalSecret(stage.binder(hash), binders[choice.index])) {
    throw alertError(Alert.decryptError, 'the binder of a ticket does not verify')
  }
  return stage
}
