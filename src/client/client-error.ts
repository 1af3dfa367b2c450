// The one error class that the client rejects with; `kind` is for programs, the message for people.

/** Why a request or a connection attempt failed. */
export type ClientErrorKind =
  /** No connection: name not found, port unreachable, handshake refused or certificate not accepted. */
  | 'connect'
  /** The time given was over. */
  | 'timeout'
  /** The connection went away under the request. */
  | 'closed'
  /** The server reset this request's stream. */
  | 'reset'
  /** The server did not process the request (RFC 9114 section 4.1.1): it may be sent again. */
  | 'rejected'
  /** Our own AbortSignal or close(). */
  | 'aborted'
  /** The response is not what it says it is: a content coding that cannot be undone. */
  | 'content'
  /** Redirected although the caller forbids it, or too often. */
  | 'redirect'
  /** The server answered a request for a tunnel, but not with 2xx. */
  | 'refused'
  /** The server has not announced what the call needs. */
  | 'unsupported'
  /** More waits than the limits allow. */
  | 'limit'

/**
 * What every call of the client rejects with, apart from wrong arguments (TypeError) and the reason of an
 * AbortSignal.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** Why it failed; the message is for people. */
  readonly kind: ClientErrorKind
  /** HTTP/3 or QUIC error code where there is one. */
  readonly code: number | undefined

  constructor(kind: ClientErrorKind, message: string, code?: number, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.code = code
  }

  /** Whether the same request may be sent again without a risk of being processed twice. */
  get isRetryable(): boolean {
    return this.kind === 'rejected' || this.kind === 'connect'
  }
}
