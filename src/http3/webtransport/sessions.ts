// The WebTransport sessions of one connection, draft-ietf-webtrans-http3 sections 3, 4 and 5.2: which draft is spoken,
// whose a stream is, and what waits for a session that is not there yet. Made by H3Connection where WebTransport is
// wanted; asked by the service on the server and by the client.

import { type CompiledMachine, type LifeActor, webtransportSession } from '../../machines/index.ts'
import type { TransportSettings } from '../../transport/connection/index.ts'
import type { QuicStream } from '../../transport/streams/index.ts'
import type { H3Connection } from '../connection.ts'
import { connectionError, H3ErrorCode } from '../errors.ts'
import type { StreamHeader } from '../message-receiver.ts'
import { RequestStream } from '../request-stream.ts'
import type { H3Settings } from '../settings.ts'
import { WtErrorCode } from './errors.ts'
import { type InitialCredit, SessionCredit } from './flow-control.ts'
import { MAX_EARLY_STREAMS, MAX_SESSIONS, SESSION_DATA_WINDOW, SESSION_STREAM_WINDOW } from './limits.ts'
import { WebTransportSession } from './session.ts'
import { WebTransportStream } from './stream.ts'

/** The supervisor's part: it starts and owns the actors of sessions. */
export interface SessionSupervision {
  startSession(table: CompiledMachine, session: WebTransportSession): LifeActor
  /** The session's streams have ended; its datagrams end with them. */
  endSessionChildren(session: WebTransportSession): void
}

/** Whether and how WebTransport is spoken on a connection. */
export interface WebTransportOptions {
  readonly supervision: SessionSupervision
  /** Sessions at a time; default {@link MAX_SESSIONS}. */
  readonly maxSessions?: number | undefined
}

/** Drafts that are spoken: what browsers have, and the current one. */
export type WebTransportDraft = 'draft02' | 'current'

/** Values of :protocol (section 9.1; before draft 15 it was the name of the protocol for HTTP/2). */
export const WEBTRANSPORT_TOKENS: ReadonlySet<string | undefined> = new Set([
  'webtransport',
  'webtransport-h3',
])

/** What we announce for WebTransport: nothing where the transport takes no datagrams, without which there is none. */
export function webtransportSettings({
  maxDatagramFrameSize,
  resetStreamAt,
}: Pick<TransportSettings, 'maxDatagramFrameSize' | 'resetStreamAt'>): Partial<H3Settings> {
  if (maxDatagramFrameSize === 0) return {}
  return {
    enableConnectProtocol: true,
    webtransportDraft02: true,
    // Section 3.1: servers and clients enable RESET_STREAM_AT.
    webtransport: resetStreamAt,
    webtransportMaxStreamsUni: SESSION_STREAM_WINDOW,
    webtransportMaxStreamsBidi: SESSION_STREAM_WINDOW,
    webtransportMaxData: SESSION_DATA_WINDOW,
  }
}

function creditIn(settings: H3Settings): InitialCredit {
  return {
    data: settings.webtransportMaxData,
    bidi: settings.webtransportMaxStreamsBidi,
    uni: settings.webtransportMaxStreamsUni,
  }
}

export class WebTransportSessions {
  readonly maxSessions: number
  readonly #connection: H3Connection
  readonly #supervision: SessionSupervision
  /** By the ID of the CONNECT stream; from its request to the end of its machine. */
  readonly #sessions = new Map<number, WebTransportSession>()
  /** Streams that wait for their session, with its ID. */
  readonly #early = new Map<WebTransportStream, number>()
  /** Requests that wait for the peer's SETTINGS, by their ID. */
  readonly #expected = new Map<number, () => void>()

  constructor(connection: H3Connection, { supervision, maxSessions = MAX_SESSIONS }: WebTransportOptions) {
    this.#connection = connection
    this.#supervision = supervision
    this.maxSessions = maxSessions
  }

  get count(): number {
    return this.#sessions.size
  }

  get earlyStreams(): number {
    return this.#early.size
  }

  get all(): Iterable<WebTransportSession> {
    return this.#sessions.values()
  }

  /** Which draft both sides speak, once the peer's SETTINGS are known; undefined for none. */
  get draft(): WebTransportDraft | undefined {
    const { settings, peerSettings: peer, transport, role } = this.#connection
    const hasDatagrams = settings.h3Datagram && peer.h3Datagram && transport.datagrams.peerLimit > 0
    if (!hasDatagrams) return undefined
    const isExtended = role === 'server' || peer.enableConnectProtocol
    if (settings.webtransport && peer.webtransport && isExtended && transport.host.canResetAt)
      return 'current'
    // Its setting implies extended CONNECT.
    return peer.webtransportDraft02 ? 'draft02' : undefined
  }

  /** How many sessions there may be: several only under flow control (section 5.1), which draft 02 does not know. */
  get limit(): number {
    if (this.draft !== 'current' || this.#newCredit().isEnabled) return this.maxSessions
    return Math.min(1, this.maxSessions)
  }

  #newCredit(): SessionCredit {
    const { settings, peerSettings } = this.#connection
    const isCurrent = this.draft === 'current'
    return new SessionCredit(
      creditIn(settings),
      isCurrent ? creditIn(peerSettings) : { data: 0, bidi: 0, uni: 0 },
    )
  }

  /**
   * Server: calls back once the client's SETTINGS are known. Section 3.1: "the server MUST NOT process any incoming
   * WebTransport requests until the client's SETTINGS have been received".
   */
  expect(request: RequestStream, proceed: () => void): void {
    if (this.#connection.hasPeerSettings) proceed()
    else this.#expected.set(request.id, proceed)
  }

  /** The request is gone before SETTINGS came. */
  forgetExpected(request: RequestStream): void {
    this.#expected.delete(request.id)
  }

  handleSettings(): void {
    const expected = [...this.#expected.values()]
    this.#expected.clear()
    for (const proceed of expected) proceed()
  }

  /** A session for a CONNECT request that has been received or sent. Set its `events`, then call `adoptEarly`. */
  open(request: RequestStream): WebTransportSession {
    const session = new WebTransportSession(request, this, this.#newCredit())
    this.#sessions.set(request.id, session)
    return session
  }

  /** Gives the session the streams that came before it. */
  adoptEarly(session: WebTransportSession): void {
    for (const [stream, id] of [...this.#early]) {
      if (id !== session.id) continue
      this.#early.delete(stream)
      session.adopt(stream)
    }
  }

  /** A stream of the peer has shown its header: it belongs to a session. */
  adopt(stream: QuicStream, { id, lowByte, bytes, rest }: StreamHeader): void {
    // Section 4: "does not correspond to a client-initiated bidirectional stream ID".
    if ((lowByte & 3) !== 0) {
      this.#connection.fail(connectionError(H3ErrorCode.H3_ID_ERROR, 'session ID that is no request stream'))
      return
    }
    const child = new WebTransportStream(stream, bytes, new Uint8Array(rest))
    stream.application = child
    const session = this.#sessions.get(id)
    if (session !== undefined) session.adopt(child)
    else if (!this.#mayCome(id)) child.abandon(WtErrorCode.WT_SESSION_GONE)
    else this.#keepEarly(child, id)
  }

  /** Whether the session's request may still arrive, or its head is still on its way. */
  #mayCome(id: number): boolean {
    const { role, transport, nextRequestId } = this.#connection
    if (role === 'client') return false
    if (id >= nextRequestId || this.#expected.has(id)) return true
    const request = transport.streams.get(id)?.application
    return request instanceof RequestStream && request.events === undefined
  }

  // Section 4.6: "When the number of buffered streams is exceeded, a stream MUST be closed".
  #keepEarly(stream: WebTransportStream, id: number): void {
    if (this.#early.size >= MAX_EARLY_STREAMS) {
      stream.abandon(WtErrorCode.WT_BUFFERED_STREAM_REJECTED)
      return
    }
    this.#early.set(stream, id)
    stream.wait((gone) => this.#early.delete(gone))
  }

  handleGoaway(): void {
    for (const session of [...this.#sessions.values()]) session.handleDrain()
  }

  handleStreamCredit(): void {
    for (const session of [...this.#sessions.values()]) session.events?.handleStreamCredit()
  }

  /** About once a second. `now` in ms. */
  sweep(now: number): void {
    for (const session of [...this.#sessions.values()]) session.sweep(now)
    for (const [stream, id] of [...this.#early]) {
      if (this.#mayCome(id)) continue
      this.#early.delete(stream)
      stream.abandon(WtErrorCode.WT_BUFFERED_STREAM_REJECTED)
    }
  }

  // --- called by sessions, and by their supervisor -------------------------------------------------------------------

  startActor(session: WebTransportSession): LifeActor {
    return this.#supervision.startSession(webtransportSession, session)
  }

  handleChildrenEnded(session: WebTransportSession): void {
    this.#supervision.endSessionChildren(session)
  }

  /** The session's machine is final. */
  release(session: WebTransportSession): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
  }
}
