// What a session tells its owner, and how it ended. Implemented by supervisor/webtransport.

import type { CloseInfo } from '../../transport/connection/index.ts'
import type { StreamKind } from '../../transport/streams/index.ts'
import type { CloseMessage } from './capsules.ts'

/** Why a session ended without a close: `aborted` by our application before it was established. */
export type AbruptEnd = 'rejected' | 'reset' | 'failed' | 'aborted' | 'connection'

/** How a session ended. */
export interface SessionEnd extends CloseMessage {
  /** Undefined for a clean end, by WT_CLOSE_SESSION or FIN: then `code` and `reason` are those of the application. */
  readonly abrupt: AbruptEnd | undefined
  /** HTTP/3 error code of an abrupt end, where there is one. */
  readonly httpCode: number | undefined
}

export function cleanEnd({ code, reason }: CloseMessage): SessionEnd {
  return { code, reason, abrupt: undefined, httpCode: undefined }
}

export function abruptEnd(abrupt: AbruptEnd, reason: string, httpCode?: number): SessionEnd {
  return { code: 0, reason, abrupt, httpCode }
}

/** The connection has ended under the session. @param info how it closed, as far as that is known */
export function connectionEnd(info: CloseInfo | undefined): SessionEnd {
  const reason = info === undefined || info.reason === '' ? '' : `: ${info.reason}`
  const code = info?.cause === 'close' && info.isApplication ? info.code : undefined
  return abruptEnd('connection', `the connection has ended${reason}`, code)
}

/** All calls are synchronous. */
export interface SessionEvents {
  /** The session is established. */
  handleOpen(): void
  /** Either side wants it to end soon. */
  handleDraining(): void
  /** `takeIncoming` has a stream. */
  handleIncomingStream(kind: StreamKind): void
  /** `openStream` may succeed again. */
  handleStreamCredit(): void
  /** A datagram that came in a capsule; borrowed. */
  handleDatagram(payload: Uint8Array): void
  /** Last call: the session is closed or about to be, its streams have ended. */
  handleEnd(end: SessionEnd): void
}
