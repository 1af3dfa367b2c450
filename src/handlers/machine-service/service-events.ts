// The words that a machine service and its stream exchange: what happens to the stream comes in as an event, what the
// machine emits writes the response. Used by machine-service.ts and by the machines of users.
import type { ServerRequest } from '../lazy-request.ts'
import type { ServiceResponse } from './service-response.ts'

/** What happens to the stream of a request. A machine takes the events that it cares about. */
export type ServiceEvent =
  /** A piece of the request's body, at most 64 KiB; it belongs to the machine. */
  | { readonly type: 'body.chunk'; readonly chunk: Uint8Array }
  /** Trailers of the request; before `body.end`. */
  | { readonly type: 'body.trailers'; readonly trailers: Headers }
  /** The request is complete. */
  | { readonly type: 'body.end' }
  /** An HTTP datagram of this request (RFC 9297). */
  | { readonly type: 'datagram'; readonly payload: Uint8Array }
  /** The client reads more slowly than the machine writes: pause. What is written all the same is kept. */
  | { readonly type: 'response.pause' }
  /** There is room again. */
  | { readonly type: 'response.resume' }
  /** The client changed the priority (RFC 9218 section 7); urgency 0 (first) to 7. */
  | { readonly type: 'priority.change'; readonly urgency: number; readonly incremental: boolean }
  /** The client wants no more of the response (STOP_SENDING). `code` as in RFC 9114 section 8.1. */
  | { readonly type: 'recv.stopSending'; readonly code: number }
  /** The client gave its request up (RESET_STREAM). */
  | { readonly type: 'recv.resetStream'; readonly code: number }
  /** The stream or its connection is over. */
  | { readonly type: 'connection.closed' }
  /** The machine has not begun a response in time: the stream is about to be reset. */
  | { readonly type: 'deadline' }
  /** The connection takes no further requests: this one may finish, and may hurry. */
  | { readonly type: 'drain' }

/** Request or response fields, as `new Headers()` takes them. */
export type FieldsInit = Headers | Readonly<Record<string, string>> | readonly (readonly [string, string])[]

/** The head of a response. */
export interface ResponseHead {
  /** 200 to 599; default 200. */
  readonly status?: number
  /** Response fields. */
  readonly headers?: FieldsInit
}

/** What a machine emits to write its response; see the actions of the same meaning. */
export type ResponseEvent =
  | { readonly type: 'response.informational'; readonly status: number; readonly headers?: FieldsInit }
  | ({ readonly type: 'response.head' } & ResponseHead)
  | { readonly type: 'response.chunk'; readonly chunk: Uint8Array | string }
  | { readonly type: 'response.trailers'; readonly trailers: FieldsInit }
  | { readonly type: 'response.end'; readonly chunk?: Uint8Array | string }
  | { readonly type: 'response.reset'; readonly code?: number }
  | { readonly type: 'datagram.send'; readonly payload: Uint8Array }
  /** Take no more of the body until `body.resume`: the client's window closes. */
  | { readonly type: 'body.pause' }
  | { readonly type: 'body.resume' }

/** What a machine knows of its stream. */
export interface ServiceStream {
  /** Which HTTP carries it. */
  readonly protocol: 'h3' | 'h2' | 'http/1.1'
  /** Host and port of the client. */
  readonly remote: { readonly address: string; readonly port: number }
  /** Largest datagram that can be sent now, bytes; 0 when none can. */
  readonly maxDatagramPayload: number
}

/** Input of a machine service. It lives as long as its request: a snapshot that is stored must not contain it. */
export interface ServiceInput {
  /** The request, as fetch handlers see it. */
  readonly request: ServerRequest
  /** The response, for logic that does not emit events. */
  readonly response: ServiceResponse
  /** Fires when the request is cancelled, for whatever the machine has started. */
  readonly signal: AbortSignal
  /** Facts about the stream that carries it. */
  readonly stream: ServiceStream
}

/** A response as plain data. */
export interface ServiceReply extends ResponseHead {
  /** The whole body. */
  readonly body?: Uint8Array | string
}

/** Final output of a machine service; nothing when the machine has sent its response itself. */
// biome-ignore lint/suspicious/noConfusingVoidType: promise logic without a result has the output void
export type ServiceOutput = Response | ServiceReply | Uint8Array | string | undefined | void

/** For `setup({ types })` of a machine that is a service; spread it when the machine has a context, too. */
export const serviceTypes: {
  readonly events: ServiceEvent
  readonly emitted: ResponseEvent
  readonly input: ServiceInput
  readonly output: ServiceOutput
} = {} as never
