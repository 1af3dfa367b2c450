// WebTransportError of the W3C's WebTransport, section 12: what its promises and streams fail with. Used by this folder,
// handlers and client.

/** Whether one stream failed, or the whole session. */
export type WebTransportErrorSource = 'stream' | 'session'

export interface WebTransportErrorOptions {
  readonly source?: WebTransportErrorSource
  /** Code of the application that reset or stopped a stream, 0..2^32-1. */
  readonly streamErrorCode?: number | null
}

/** What streams and promises of WebTransport fail with (W3C WebTransport section 12). */
export class WebTransportError extends DOMException {
  /** Whether the session failed, or one stream. */
  readonly source: WebTransportErrorSource
  /** Null where no application gave one. */
  readonly streamErrorCode: number | null

  /** @param message for people; the options say what failed, by default one stream without a code */
  constructor(message = '', { source = 'stream', streamErrorCode = null }: WebTransportErrorOptions = {}) {
    super(message, 'WebTransportError')
    this.source = source
    this.streamErrorCode = streamErrorCode
  }
}

/** The code that an abort or cancel reason carries: 0 when it has none, as the W3C wants it. */
export function codeOf(reason: unknown): number {
  return reason instanceof WebTransportError ? (reason.streamErrorCode ?? 0) : 0
}
