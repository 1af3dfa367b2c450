// One line per request, when its handler has ended: JSON as pino writes it, or text for people. Used by
// serve({ accessLog }), and by hand around a handler.
import { hostname } from 'node:os'
import { CancelledError, type Exchange, type ExchangeHandler } from '../exchange.ts'

/** Options of {@link accessLog}. */
export interface AccessLogOptions {
  /** `json` (default): lines as pino writes them, for its tools; `text`: for people. */
  readonly format?: 'json' | 'text'
  /** Receives each line, without its end; default standard output. What it throws is lost. */
  readonly write?: (line: string) => void
}

/** What became of a request. */
type Outcome = 'answered' | 'cancelled' | 'crashed'

/** Pino's levels: info, warn, error. */
const LEVELS: Readonly<Record<Outcome, number>> = { answered: 30, cancelled: 40, crashed: 50 }

/** Wraps a handler: each of its requests is logged at its end. */
export function accessLog(handler: ExchangeHandler, options: AccessLogOptions = {}): ExchangeHandler {
  const write = options.write ?? ((line: string) => void process.stdout.write(`${line}\n`))
  const lineOf = options.format === 'text' ? textLine : jsonLine
  const log = (exchange: Exchange, begun: number, outcome: Outcome): void => {
    try {
      write(lineOf(exchange, performance.now() - begun, outcome))
    } catch {
      // A log that cannot be written must not become the request's failure.
    }
  }
  return (exchange) => observe(handler, exchange, log)
}

/** Runs a handler and tells how it ended; a synchronous one stays synchronous. */
export function observe(
  handler: ExchangeHandler,
  exchange: Exchange,
  tell: (exchange: Exchange, begun: number, outcome: Outcome, error?: unknown) => void,
): void | Promise<void> {
  const begun = performance.now()
  const fail = (error: unknown): never => {
    tell(exchange, begun, error instanceof CancelledError ? 'cancelled' : 'crashed', error)
    throw error
  }
  try {
    const outcome = handler(exchange)
    if (outcome instanceof Promise) {
      return outcome.then(() => tell(exchange, begun, endOf(exchange)), fail)
    }
    tell(exchange, begun, endOf(exchange))
  } catch (error) {
    fail(error)
  }
}

/** A handler that returns without a head has been cancelled, or crashes by that. */
function endOf(exchange: Exchange): Outcome {
  if (exchange.status !== 0) return 'answered'
  return exchange.isEnded ? 'cancelled' : 'crashed'
}

const HOST = hostname()

function jsonLine(exchange: Exchange, duration: number, outcome: Outcome): string {
  const { method, path, protocol, authority, status, bytesSent, remote, earlyData } = exchange
  return JSON.stringify({
    level: LEVELS[outcome],
    time: Date.now(),
    pid: process.pid,
    hostname: HOST,
    req: {
      method,
      url: path,
      host: authority,
      remoteAddress: remote.address,
      remotePort: remote.port,
      userAgent: exchange.header('user-agent'),
    },
    res: { statusCode: status, bytes: bytesSent },
    protocol,
    ...(earlyData && { earlyData }),
    responseTime: Math.round(duration * 1_000) / 1_000,
    msg: outcome === 'answered' ? 'request completed' : `request ${outcome}`,
  })
}

/** What a client sent must not break a line, nor move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, (sign) => encodeURIComponent(sign))
}

function textLine(exchange: Exchange, duration: number, outcome: Outcome): string {
  const { method, path, protocol, status, bytesSent, remote } = exchange
  const result = outcome === 'answered' ? String(status) : outcome
  const parts = [
    new Date().toISOString(),
    remote.address,
    protocol,
    printable(method),
    printable(path || exchange.authority),
    result,
    `${bytesSent} B`,
    `${duration.toFixed(1)} ms`,
  ]
  return parts.join(' ')
}
