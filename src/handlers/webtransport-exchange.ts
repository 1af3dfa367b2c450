// The CONNECT request of a WebTransport session on the server: the handler's actor, which brings what happens to the
// stream to the session, and lives as long as both the handler and the session. Made by http3-service.ts.
import {
  H3ErrorCode,
  type RequestStream,
  type SessionEnd,
  type WebTransportSession,
  WtErrorCode,
} from '../http3/index.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import { type CancelReason, HandlerActor, HandlerPhase } from '../supervisor/handler-actor.ts'
import { fieldValue } from './exchange.ts'
import { runContained } from './stray-errors.ts'
import {
  type WebTransportHandler,
  WebTransportServerSession,
  type WebTransportService,
} from './webtransport-session.ts'

/** RFC 9110 section 15.5.4, RFC 6585 section 4 */
const FORBIDDEN = 403
const TOO_MANY = 429

export class WebTransportExchange extends HandlerActor {
  readonly #service: WebTransportService
  readonly #supervisor: ConnectionSupervisor
  readonly #date: (() => string) | undefined
  readonly #over = Promise.withResolvers<void>()
  #core: WebTransportSession | undefined
  #session: WatchedSession | undefined

  constructor(
    request: RequestStream,
    supervisor: ConnectionSupervisor,
    service: WebTransportService,
    date: (() => string) | undefined,
  ) {
    super(request, supervisor)
    this.#supervisor = supervisor
    this.#service = service
    this.#date = date
  }

  protected run(): void | PromiseLike<void> {
    const { webtransport, hasPeerSettings } = this.request.connection
    if (hasPeerSettings) return this.#begin()
    const known = Promise.withResolvers<void>()
    webtransport!.expect(this.request, known.resolve)
    return Promise.race([known.promise, this.#over.promise]).then(() => this.#begin())
  }

  #begin(): void | PromiseLike<void> {
    if (this.phase !== HandlerPhase.running) return
    const { request } = this
    const sessions = request.connection.webtransport!
    if (sessions.draft === undefined) {
      // draft-ietf-webtrans-http3 section 3.1: without what it needs "all [...] sessions [are] malformed".
      request.connection.chargeFault()
      this.resetByHandler(H3ErrorCode.H3_MESSAGE_ERROR)
      return
    }
    const origin = fieldValue(request.headers, 'origin')
    const { origins, handler } = this.#service
    if (origin !== undefined && origins?.includes(origin) === false) return this.#refuse(FORBIDDEN)
    if (sessions.count >= sessions.limit) {
      // Section 5.1: without flow control "MUST reset the excessive CONNECT streams" so.
      if (sessions.limit === 1) this.resetByHandler(H3ErrorCode.H3_REQUEST_REJECTED)
      else this.#refuse(TOO_MANY)
      return
    }
    this.#core = sessions.open(request)
    this.#session = new WatchedSession(
      {
        core: this.#core,
        supervisor: this.#supervisor,
        protocols: this.#service.protocols ?? [],
        date: this.#date,
      },
      (end) => this.#handleEnd(end),
    )
    sessions.adoptEarly(this.#core)
    return this.#work(handler, this.#session)
  }

  #refuse(status: number): void {
    this.request.respond(status, this.#date === undefined ? [] : ['date', this.#date()], { end: true })
  }

  /** Runs the user's code, and waits for the end of the session. */
  async #work(handler: WebTransportHandler, session: WatchedSession): Promise<void> {
    try {
      const result = await runContained(this, handler, session)
      if (result instanceof Response && !session.isDecided) await rejectWith(session, result)
      else session.accept()
    } catch (error) {
      if (error instanceof Response && !session.isDecided) await rejectWith(session, error)
      else this.#fail(error)
    }
    await this.#over.promise
  }

  /** The handler failed: its session goes with it. What fails because the session has ended is no fault. */
  #fail(error: unknown): void {
    if (this.phase !== HandlerPhase.running || this.#core?.isOver === true) return
    this.owner.handleHandlerCrash(this, error)
    this.cancel('crashed', H3ErrorCode.H3_INTERNAL_ERROR)
  }

  #handleEnd({ abrupt }: SessionEnd): void {
    this.#over.resolve()
    // From here on the handler only has to come to an end: what it still waits for has failed.
    if (abrupt !== 'rejected') this.cancel('streamClosed', H3ErrorCode.H3_REQUEST_CANCELLED)
  }

  protected deliverCancel(reason: CancelReason): void {
    const core = this.#core
    if (core === undefined) {
      this.request.connection.webtransport!.forgetExpected(this.request)
      this.#over.resolve()
      return
    }
    if (core.isOver) return
    if (reason === 'crashed') core.fail(H3ErrorCode.H3_INTERNAL_ERROR, 'the handler failed')
    else if (reason === 'deadline') core.fail(H3ErrorCode.H3_INTERNAL_ERROR, 'nobody accepted the session')
  }

  protected deliverCut(): void {}

  /** The connection has told the session. */
  protected deliverDrain(): void {}

  // --- events of the CONNECT stream ----------------------------------------------------------------------------------

  handleBodyReadable(): void {
    this.#core?.handleBodyReadable()
  }

  handleBodyEnd(): void {
    this.#core?.handleBodyEnd()
  }

  handleWritable(): void {}

  handleDatagram(payload: Uint8Array): void {
    this.#session?.handleDatagram(payload)
  }

  override handleReset(code: number, isLocal: boolean): void {
    this.#core?.handleReset(code, isLocal)
    super.handleReset(code, isLocal)
  }

  override handleStopSending(code: number): void {
    this.#core?.handleStopSending(code)
    // The session knows when it is over: it may go on for the moment.
    if (code !== WtErrorCode.WT_SESSION_GONE) super.handleStopSending(code)
  }

  override handleClosed(outcome: 'closed' | 'reset'): void {
    this.#core?.handleClosed()
    super.handleClosed(outcome)
  }
}

/** A session whose end the exchange hears of, too. */
class WatchedSession extends WebTransportServerSession {
  readonly #onEnd: (end: SessionEnd) => void

  constructor(
    setup: ConstructorParameters<typeof WebTransportServerSession>[0],
    onEnd: (end: SessionEnd) => void,
  ) {
    super(setup)
    this.#onEnd = onEnd
  }

  override handleEnd(end: SessionEnd): void {
    super.handleEnd(end)
    this.#onEnd(end)
  }
}

async function rejectWith(session: WebTransportServerSession, response: Response): Promise<void> {
  const { status, headers } = response
  const body = new Uint8Array(await response.arrayBuffer())
  if (session.isDecided) return
  if (status < 300) session.accept({ headers })
  else session.reject(status, { headers, body })
}
