// What happens in a server as channels of node:diagnostics_channel, for tools that know nothing of quactor's own
// interfaces. Nothing is built while nobody subscribes. Used by start-server.ts.
//
// | channel | message |
// |---|---|
// | quactor:request:start, :end, :error | { exchange, outcome?, duration?, error? }; duration in ms |
// | quactor:handlerFault | { kind, method, path, error } |
// | quactor:stuck, quactor:missedTransition, quactor:invariantViolation | published by the supervisor |
import { channel } from 'node:diagnostics_channel'
import type { HandlerFault } from '../../supervisor/supervision.ts'
import type { Exchange, ExchangeHandler } from '../exchange.ts'
import { observe } from './access-log.ts'

const started = channel('quactor:request:start')
const ended = channel('quactor:request:end')
const failed = channel('quactor:request:error')
const faults = channel('quactor:handlerFault')

/** Message of `quactor:request:*`. */
export interface RequestMessage {
  /** The request and its response. */
  readonly exchange: Exchange
  /** How it ended; absent at its start. */
  readonly outcome?: 'answered' | 'cancelled' | 'crashed'
  /** Time since the start of the handler, ms. */
  readonly duration?: number
  /** What the handler threw, where it crashed. */
  readonly error?: unknown
}

/** Wraps the handler of a server; costs three comparisons per request while nobody subscribes. */
export function publishRequests(handler: ExchangeHandler): ExchangeHandler {
  return (exchange) => {
    if (!started.hasSubscribers && !ended.hasSubscribers && !failed.hasSubscribers) return handler(exchange)
    started.publish({ exchange } satisfies RequestMessage)
    return observe(handler, exchange, (_exchange, begun, outcome, error) => {
      const message: RequestMessage = { exchange, outcome, duration: performance.now() - begun, error }
      if (error !== undefined) failed.publish(message)
      ended.publish(message)
    })
  }
}

/** A handler that crashed or hung. */
export function publishFault(fault: HandlerFault): void {
  if (faults.hasSubscribers) faults.publish(fault)
}
