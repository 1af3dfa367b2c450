// A ticket as a client keeps it, RFC 8446 section 4.6.1. Plain values only, so that a store may write it anywhere.
// Made by TlsClient when a NewSessionTicket arrives, offered by a later one.
import { suiteById } from '../crypto/suites.ts'
import { MAX_TICKET_LIFETIME } from './limits.ts'

export interface SessionTicket {
  readonly ticket: Uint8Array
  /** Secret: whoever has it can pretend to be the server to the client and the other way round. */
  readonly psk: Uint8Array
  readonly suite: number
  readonly ageAdd: number
  /** Wall-clock time, ms. */
  readonly receivedAt: number
  /** Seconds. */
  readonly lifetime: number
  readonly allowsEarlyData: boolean
  readonly serverName: string
  readonly alpn: string
  /** QUIC version of the connection that gave it: tickets do not cross versions (RFC 9369 section 5). */
  readonly version: number
  /** Whether the server's certificate was verified then: a resumed handshake shows none. */
  readonly isVerified: boolean
  /** Key exchange group of the connection that gave it: the only one that a later ClientHello needs a share for. */
  readonly group?: number | undefined
}

/** What a client wants to do with the ticket. */
export interface TicketUse {
  readonly serverName: string
  readonly alpn: readonly string[]
  readonly suites: readonly number[]
  readonly version: number
  readonly verifyCertificate: boolean
  /** Wall-clock time, ms. */
  readonly now: number
}

/** Whether a ticket may be offered. */
export function isTicketUsable(ticket: SessionTicket, use: TicketUse): boolean {
  const age = use.now - ticket.receivedAt
  // RFC 8446 section 4.6.1: "MUST NOT cache tickets for longer than 7 days, regardless of the ticket_lifetime".
  const life = Math.min(ticket.lifetime, MAX_TICKET_LIFETIME) * 1000
  const { hash } = suiteById(ticket.suite) ?? {}
  return (
    age >= 0 &&
    age < life &&
    ticket.serverName === use.serverName &&
    ticket.version === use.version &&
    use.alpn.includes(ticket.alpn) &&
    (ticket.isVerified || !use.verifyCertificate) &&
    hash !== undefined &&
    use.suites.some((id) => suiteById(id)?.hash === hash)
  )
}

/** The age as it goes over the wire, RFC 8446 section 4.2.11.1. @param now wall-clock time, ms */
export function obfuscatedAge(ticket: SessionTicket, now: number): number {
  return (Math.max(0, Math.floor(now - ticket.receivedAt)) + ticket.ageAdd) >>> 0
}
