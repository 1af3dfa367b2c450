// Actions for machines that are services: each emits what the stream then does. They take a value, or a function of
// context and event, as the actions of XState do.
import type { ActionFunction, EventObject, MachineContext, ParameterizedObject } from 'xstate'
import { emit } from 'xstate'
import type { FieldsInit, ResponseEvent, ResponseHead } from './service-events.ts'

interface ExpressionArguments<Context extends MachineContext, Event extends EventObject> {
  readonly context: Context
  readonly event: Event
}

type Expression<Value, Context extends MachineContext, Event extends EventObject> =
  | Value
  | ((scope: ExpressionArguments<Context, Event>) => Value)

type ResponseAction<
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Parameters extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
> = ActionFunction<Context, ExpressionEvent, Event, Parameters, never, never, never, never, ResponseEvent>

function emitting<
  Value,
  Context extends MachineContext,
  ExpressionEvent extends EventObject,
  Parameters extends ParameterizedObject['params'] | undefined,
  Event extends EventObject,
>(
  value: Expression<Value, Context, ExpressionEvent>,
  eventOf: (value: Value) => ResponseEvent,
): ResponseAction<Context, ExpressionEvent, Parameters, Event> {
  return emit<Context, ExpressionEvent, Parameters, Event, ResponseEvent>((scope) =>
    eventOf(isFunction(value) ? value(scope) : value),
  )
}

function isFunction<Value, Scope>(
  value: Value | ((scope: Scope) => Value),
): value is (scope: Scope) => Value {
  return typeof value === 'function'
}

/** Sends an interim response (RFC 9110 section 15.2), e.g. 103 Early Hints. */
export function sendInformational<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(status: number, headers?: Expression<FieldsInit, C, X>): ResponseAction<C, X, P, E> {
  return emitting(headers, (fields) =>
    fields === undefined
      ? { type: 'response.informational', status }
      : { type: 'response.informational', status, headers: fields },
  )
}

/** Sends the head of the response; status 200 unless it says otherwise. */
export function sendHead<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(head: Expression<ResponseHead, C, X> = {}): ResponseAction<C, X, P, E> {
  return emitting(head, (value) => ({ ...value, type: 'response.head' }))
}

/** Sends a piece of the body; bytes are kept by reference. */
export function sendChunk<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(chunk: Expression<Uint8Array | string, C, X>): ResponseAction<C, X, P, E> {
  return emitting(chunk, (value) => ({ type: 'response.chunk', chunk: value }))
}

/** Sends trailers; `endResponse` follows. */
export function sendTrailers<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(trailers: Expression<FieldsInit, C, X>): ResponseAction<C, X, P, E> {
  return emitting(trailers, (value) => ({ type: 'response.trailers', trailers: value }))
}

/** Ends the response. */
export function endResponse<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(chunk?: Expression<Uint8Array | string, C, X>): ResponseAction<C, X, P, E> {
  return emitting(chunk, (value) =>
    value === undefined ? { type: 'response.end' } : { type: 'response.end', chunk: value },
  )
}

/** Gives the stream up in both directions; `code` as in RFC 9114 section 8.1, default H3_INTERNAL_ERROR. */
export function resetStream<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(code?: Expression<number, C, X>): ResponseAction<C, X, P, E> {
  return emitting(code, (value) =>
    value === undefined ? { type: 'response.reset' } : { type: 'response.reset', code: value },
  )
}

/** Sends an HTTP datagram (RFC 9297). */
export function sendDatagram<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(payload: Expression<Uint8Array, C, X>): ResponseAction<C, X, P, E> {
  return emitting(payload, (value) => ({ type: 'datagram.send', payload: value }))
}

/** Takes no more of the request's body until `resumeBody`. */
export function pauseBody<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(): ResponseAction<C, X, P, E> {
  return emit<C, X, P, E, ResponseEvent>({ type: 'body.pause' })
}

/** Goes on with the request's body. */
export function resumeBody<
  C extends MachineContext,
  X extends EventObject,
  P extends ParameterizedObject['params'] | undefined,
  E extends EventObject,
>(): ResponseAction<C, X, P, E> {
  return emit<C, X, P, E, ResponseEvent>({ type: 'body.resume' })
}
