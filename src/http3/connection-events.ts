// What an HTTP/3 connection tells its owner, and what its owner can choose. Implemented by the server's service and the
// client's session.

import type { CloseInfo } from '../transport/connection/index.ts'
import type { QpackLimits } from './qpack/decoder.ts'
import type { RequestStream } from './request-stream.ts'
import type { H3Settings } from './settings.ts'
import type { WebTransportOptions } from './webtransport/sessions.ts'

/** What the owner of a connection is told. All calls are synchronous. */
export interface H3Events {
  /** Server: a request head is complete and valid. Set `stream.events` in this call. */
  handleRequest(stream: RequestStream): void
  /** The peer's SETTINGS frame has arrived. */
  handleSettings?(settings: H3Settings): void
  /** The peer will not process requests (client) or pushes (server) with this ID or a larger one. */
  handleGoaway?(id: number): void
  /** Client: the server has named origins that it is ready to answer for (RFC 9412). */
  handleOrigins?(origins: readonly string[]): void
  /** Client: `openRequest` may succeed again. */
  handleRequestCredit?(): void
  /** The connection starts to close, whoever wanted it. */
  handleClosing(close: CloseInfo): void
  /** The connection is gone. */
  handleClosed(): void
}

/** Options of {@link H3Connection}. */
export interface H3ConnectionOptions {
  readonly role: 'client' | 'server'
  readonly events: H3Events
  /** What differs from the defaults in our SETTINGS. */
  readonly settings?: Partial<Pick<H3Settings, 'maxFieldSectionSize' | 'enableConnectProtocol'>>
  /** Speaks WebTransport; what it needs in SETTINGS is announced. */
  readonly webtransport?: WebTransportOptions | undefined
  /** What the peer may use of our dynamic table (RFC 9204 section 5); the defaults stand in limits.ts. */
  readonly qpack?: QpackLimits | undefined
  /** Picks the reserved setting sent along, 0..2^20; vary it per connection. */
  readonly grease?: number
}
