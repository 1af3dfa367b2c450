// The life of a handler on the TCP fallback: over HTTP/3 its supervisor does this. Used by tcp-server.ts.
import type { ExchangeHandler } from './exchange.ts'
import type { NodeExchange } from './node-exchange.ts'
import { runContained } from './stray-errors.ts'

/** Runs a handler; whatever it throws ends this exchange only. */
export async function runExchange(handler: ExchangeHandler, exchange: NodeExchange): Promise<void> {
  try {
    await runContained(exchange, handler, exchange)
    const { tunnel } = exchange
    if (tunnel !== undefined) {
      if (!tunnel.closed) await new Promise((resolve) => tunnel.once('close', resolve))
      return
    }
    if (exchange.isResponseEnded || exchange.isCancelled) return
    throw new Error('the handler ended without a whole response')
  } catch (error) {
    // After a cancellation an error is the expected way out.
    if (!exchange.isCancelled) exchange.handleStray(error)
  }
}
