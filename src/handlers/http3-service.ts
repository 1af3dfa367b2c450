// HTTP/3 on a server's connection: a handler per request, and both steps of draining. Made per connection by the
// endpoint through the factory below.
import {
  H3Connection,
  type H3ConnectionOptions,
  type H3Events,
  type QpackLimits,
  qpackLimitsOf,
  type RequestStream,
  WEBTRANSPORT_TOKENS,
  webtransportSettings,
} from '../http3/index.ts'
import { MAX_FIELD_SECTION_SIZE } from '../http3/limits.ts'
import { encodeOriginFrame } from '../http3/origin-frame.ts'
import { initialSettings, settingsState } from '../http3/settings.ts'
import { SlowHeads } from '../http3/slow-heads.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import type { ApplicationFactory } from '../supervisor/endpoint-options.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import type { QuicConnection } from '../transport/connection/index.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import type { ExchangeHandler } from './exchange.ts'
import { expectsTheUnknown } from './expectations.ts'
import { type ExchangeService, H3Exchange } from './h3-exchange.ts'
import { GLITCH_REFUND_PER_SWEEP, MAX_DATAGRAM_FRAME_SIZE } from './limits.ts'
import { NO_TUNNELS, routeOf, type TunnelRoutes } from './tunnel-routes.ts'
import { WebTransportExchange } from './webtransport-exchange.ts'
import type { WebTransportService } from './webtransport-session.ts'

/** RFC 9110 section 9.2.1: what may be repeated without anybody's harm. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** RFC 8470 section 5.2 */
const TOO_EARLY = 425

/** What a server offers beside plain requests. */
export interface Http3Options {
  /** What is spoken on tunnels; default nothing. */
  readonly tunnels?: TunnelRoutes | undefined
  /** What is done with WebTransport sessions; default they are not spoken. */
  readonly webtransport?: WebTransportService | undefined
  /** Origins that the server is ready to answer for, named to clients in an ORIGIN frame (RFC 9412). */
  readonly origins?: readonly string[] | undefined
  /** Dynamic table of header compression (RFC 9204); what is left out is the default, 0 turns it off. */
  readonly qpack?: Partial<QpackLimits> | undefined
}

type AnnouncedSettings = NonNullable<H3ConnectionOptions['settings']>

/** What our SETTINGS say apart from the defaults. */
function announced({ tunnels = NO_TUNNELS, webtransport }: Http3Options): AnnouncedSettings {
  return { enableConnectProtocol: tunnels.size > 0 || webtransport !== undefined }
}

/** What our SETTINGS promise to early data: tickets remember it (RFC 9114 section 7.2.4.2). */
export function earlyDataSettings(options: Http3Options = {}): Uint8Array {
  const { maxTableCapacity, blockedStreams } = qpackLimitsOf(options.qpack)
  return settingsState({
    ...initialSettings,
    qpackMaxTableCapacity: maxTableCapacity,
    qpackBlockedStreams: blockedStreams,
    maxFieldSectionSize: MAX_FIELD_SECTION_SIZE,
    ...(options.webtransport &&
      webtransportSettings({ maxDatagramFrameSize: MAX_DATAGRAM_FRAME_SIZE, resetStreamAt: true })),
    ...announced(options),
  })
}

/** The same for a server that offers nothing else. */
export const EARLY_DATA_SETTINGS: Uint8Array = earlyDataSettings()

/** RFC 9110 section 15.5.18 */
const EXPECTATION_FAILED = 417

function refuse(stream: RequestStream, status: number, { date }: ExchangeService): void {
  const fields = ['content-length', '0']
  if (date !== undefined) fields.push('date', date())
  stream.respond(status, fields, { end: true })
}

class RequestEvents implements H3Events {
  readonly #supervisor: ConnectionSupervisor
  readonly #service: ExchangeService
  readonly #tunnels: TunnelRoutes
  readonly #webtransport: WebTransportService | undefined

  constructor(supervisor: ConnectionSupervisor, service: ExchangeService, options: Http3Options) {
    this.#supervisor = supervisor
    this.#service = service
    this.#tunnels = options.tunnels ?? NO_TUNNELS
    this.#webtransport = options.webtransport
  }

  handleRequest(stream: RequestStream): void {
    const supervisor = this.#supervisor
    if (!SAFE_METHODS.has(stream.method)) {
      // The client may try again once its handshake is complete.
      const isEarly = supervisor.connection.isEarly
      if (isEarly || expectsTheUnknown(stream.headers)) {
        refuse(stream, isEarly ? TOO_EARLY : EXPECTATION_FAILED, this.#service)
        return
      }
    }
    const webtransport = this.#webtransport
    if (webtransport !== undefined && WEBTRANSPORT_TOKENS.has(stream.protocol)) {
      supervisor.startHandler(new WebTransportExchange(stream, supervisor, webtransport, this.#service.date))
      return
    }
    const service = this.#serviceFor(stream)
    supervisor.startHandler(new H3Exchange(stream, supervisor, supervisor.connection.remote, service))
  }

  #serviceFor({ protocol }: RequestStream): ExchangeService {
    if (protocol === undefined) return this.#service
    const { handler, date } = this.#service
    return { handler: routeOf(protocol, this.#tunnels, handler), date }
  }

  handleClosing(): void {}

  handleClosed(): void {}
}

class Http3Service extends H3Connection implements SupervisedApplication {
  readonly #origins: Uint8Array | undefined
  readonly #slowHeads: SlowHeads

  /** @param origins an ORIGIN frame */
  constructor(
    connection: QuicConnection,
    options: Pick<H3ConnectionOptions, 'events' | 'settings' | 'webtransport' | 'qpack'>,
    origins: Uint8Array | undefined,
  ) {
    super(connection, { role: 'server', grease: greaseOf(connection), ...options })
    this.#origins = origins
    this.#slowHeads = new SlowHeads(connection)
  }

  override handleOwnControl(stream: QuicStream): void {
    super.handleOwnControl(stream)
    if (this.#origins !== undefined) stream.write(this.#origins)
  }

  /** RFC 9114 section 5.2: everything is still accepted, but the client learns that the end is near. */
  announceDrain(): void {
    this.goaway()
  }

  finishDrain(): void {
    this.shutdown()
  }

  report(): Readonly<Record<string, number>> {
    const { decoder, writer } = this
    const { encoder } = writer
    return {
      qpackTableBytes: decoder.table.size,
      qpackBlockedStreams: decoder.blockedStreams,
      qpackPeerTableBytes: encoder.table.size,
      qpackUnacknowledgedSections: encoder.outstandingSections,
    }
  }

  sweep(now: number): void {
    this.replenish(GLITCH_REFUND_PER_SWEEP)
    this.#slowHeads.sweep(now)
    this.webtransport?.sweep(now)
  }
}

/** Which reserved setting goes along (RFC 9114 section 7.2.4.1): another one on every connection. */
function greaseOf({ originalDestinationConnectionId: id }: QuicConnection): number {
  return (id[0] << 12) ^ (id[1] << 4) ^ (id[2] & 0x0f)
}

/**
 * Serves HTTP/3 with one handler for all requests.
 * @param date value of the date field of every response
 */
export function http3Service(
  handler: ExchangeHandler,
  date?: () => string,
  options: Http3Options = {},
): ApplicationFactory {
  const service: ExchangeService = { handler, date }
  const { webtransport } = options
  const origins = options.origins && encodeOriginFrame(options.origins)
  const qpack = qpackLimitsOf(options.qpack)
  return (connection, supervisor) => {
    const events = new RequestEvents(supervisor, service, options)
    const sessions = webtransport && {
      supervision: supervisor.sessions,
      maxSessions: webtransport.maxSessions,
    }
    return new Http3Service(
      connection,
      { events, settings: announced(options), webtransport: sessions, qpack },
      origins,
    )
  }
}
