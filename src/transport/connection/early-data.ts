// 0-RTT: its keys, the limits of the last connection under which it is sent, and what follows from the server's
// verdict (RFC 9001 sections 4.6 and 4.9.3, RFC 9000 section 7.4.1). A part of the connection's Handshake; receive
// and transmit look up the keys here.
import type { PacketKeys } from '../crypto/index.ts'
import type { EntryTarget } from '../streams/index.ts'
import type { SessionTicket } from '../tls/index.ts'
import { Cursor, QuicError, TransportErrorCode, varintLength, writeVarint } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import { CLOSE_PTO_COUNT } from './limits.ts'
import { Space } from './packet-space.ts'
import { TimerKind } from './timers.ts'

/** What early data may rely on: the parameters of RFC 9000 section 7.4.1 that may not shrink, and RFC 9221's. */
const REMEMBERED = [
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'activeConnectionIdLimit',
  'maxDatagramFrameSize',
] as const

/**
 * Limits of a server as a client remembers them with a ticket; bytes and counts. `resetStreamAt` is remembered after
 * draft-ietf-quic-reliable-stream-reset section 3.
 */
export type RememberedLimits = Readonly<Record<(typeof REMEMBERED)[number], number>> & {
  readonly resetStreamAt: boolean
}

/** Everything that a client needs to take up a session again. Plain values: a store may write it anywhere. */
export interface ResumableSession {
  /** The ticket, and the secret that it stands for. */
  readonly ticket: SessionTicket
  /** Limits of the server that early data has to keep. */
  readonly limits: RememberedLimits
}

/** The remembered ones among all limits. */
export function rememberedLimits(limits: RememberedLimits): RememberedLimits {
  const entries = [...REMEMBERED, 'resetStreamAt' as const].map((name) => [name, limits[name]] as const)
  return Object.fromEntries(entries) as unknown as RememberedLimits
}

/** The limits as a server puts them into its tickets. */
export function encodeRememberedLimits(limits: RememberedLimits): Uint8Array {
  let length = 1
  for (const name of REMEMBERED) length += varintLength(limits[name])
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const name of REMEMBERED) offset = writeVarint(bytes, offset, limits[name])
  bytes[offset] = Number(limits.resetStreamAt)
  return bytes
}

/** Whether limits that a ticket remembers are all kept: none of ours is smaller now. */
export function keepsRememberedLimits(ours: RememberedLimits, state: Uint8Array): boolean {
  const cursor = new Cursor().reset(state, 0, state.length)
  for (const name of REMEMBERED) {
    if (cursor.remaining === 0 || cursor.readVarint() > ours[name]) return false
  }
  // "the server MUST NOT disable this extension on the resumed connection" (section 3 of its draft).
  return cursor.remaining > 0 && cursor.readVarint() <= Number(ours.resetStreamAt)
}

export class EarlyData {
  readonly #connection: QuicConnection
  readonly #session: ResumableSession | undefined
  /** Client: protects what is sent before the server has answered. */
  writeKeys: PacketKeys | undefined
  /** Server: opens 0-RTT packets, once it has accepted them. */
  readKeys: PacketKeys | undefined
  /** Client: what the server made of our early data; undefined before that, and when none could be sent. */
  isAccepted: boolean | undefined

  constructor(connection: QuicConnection, session: ResumableSession | undefined) {
    this.#connection = connection
    this.#session = session
  }

  /** What became of the client's early data, at either side; undefined where there was none. */
  get verdict(): 'accepted' | 'rejected' | undefined {
    if (this.#connection.isServer) return this.#connection.tls.earlyData
    return this.isAccepted === undefined ? undefined : this.isAccepted ? 'accepted' : 'rejected'
  }

  /** Client: the keys exist, streams may be opened under the limits of then. */
  open(keys: PacketKeys): void {
    const { host, datagrams } = this.#connection
    const { limits } = this.#session!
    this.writeKeys = keys
    host.setPeerLimits(limits)
    datagrams.peerLimit = limits.maxDatagramFrameSize
  }

  /** Client: the server's verdict. What has been sent in vain goes out again as 1-RTT (RFC 9001 section 4.6.2). */
  settle(isAccepted: boolean): void {
    const connection = this.#connection
    // RFC 9000 section 7.4.1: 0-RTT packets may not use what the handshake has changed. So there are no more of them.
    this.writeKeys = undefined
    this.isAccepted = isAccepted
    if (!isAccepted) {
      this.takeBack()
      connection.host.rewind()
      connection.datagrams.peerLimit = 0
    }
    connection.application?.handleEarlyDataVerdict?.(isAccepted)
  }

  /**
   * Nothing that was sent counts any more: not as in flight, not as delivered. Packet numbers go on. Also after a Retry:
   * who sent it has kept nothing (RFC 9000 section 17.2.5.3).
   */
  takeBack(): void {
    const { recovery, now } = this.#connection
    for (let index = 0; ; index++) {
      const packet = recovery.outstandingAt(Space.application, index)
      if (packet === undefined) break
      for (let i = 0; i < packet.entryCount; i++) {
        const target = packet.targets[i] as EntryTarget
        target.handleLost(packet.kinds[i], packet.starts[i], packet.ends[i])
      }
    }
    recovery.discardSpace(Space.application, now)
  }

  /**
   * Client: holds the server's new limits against those that early data was sent under.
   * @throws QuicError PROTOCOL_VIOLATION for smaller ones beside accepted early data, no_application_protocol when the
   *   streams of rejected early data belong to another protocol
   */
  checkPeerLimits(limits: RememberedLimits, alpn: string | undefined): void {
    if (this.isAccepted === undefined) return
    const { limits: remembered, ticket } = this.#session!
    if (this.isAccepted) {
      // RFC 9000 section 7.4.1: "MUST NOT reduce any limits or alter any values that might be violated".
      for (const name of REMEMBERED) {
        if (limits[name] >= remembered[name]) continue
        throw new QuicError(
          TransportErrorCode.PROTOCOL_VIOLATION,
          `${name} was reduced although early data was accepted`,
        )
      }
      if (remembered.resetStreamAt && !limits.resetStreamAt) {
        throw new QuicError(TransportErrorCode.PROTOCOL_VIOLATION, 'resetStreamAt was taken back')
      }
    } else if (alpn !== ticket.alpn) {
      // RFC 9001 section 4.6.2: the streams were made for a protocol that is not spoken; there is nothing to repeat.
      throw new QuicError(NO_APPLICATION_PROTOCOL, 'early data was sent for another protocol')
    }
  }

  /** Server: the handshake is complete, so that only reordered 0-RTT packets can still come (RFC 9001 section 4.9.3). */
  beginEnd(): void {
    if (this.readKeys === undefined) return
    const { timers, recovery, now } = this.#connection
    timers.set(TimerKind.earlyKeyDiscard, now + CLOSE_PTO_COUNT * recovery.ptoInterval(Space.application))
  }

  discard(): void {
    this.#connection.timers.clear(TimerKind.earlyKeyDiscard)
    this.readKeys = undefined
    this.writeKeys = undefined
  }
}

/** CRYPTO_ERROR with alert 120. */
const NO_APPLICATION_PROTOCOL = 0x0178
