// Who waits for a request stream of a session, and with what. Used by session.ts and those who open streams.
import type { RequestStream } from '../http3/index.ts'

/** Whoever wants a request stream: exactly one of the two is called, at once or when the server allows it. */
export interface StreamTaker {
  take(stream: RequestStream): void
  refuse(reason: unknown): void
}

export interface WaitingStream {
  readonly isSafe: boolean
  readonly fields: readonly string[]
  readonly hasBody: boolean
  readonly taker: StreamTaker
}
