// Spans of OpenTelemetry for requests, through the API package that the user brings: nothing of it is imported here, so
// it is no dependency. Attributes after the semantic conventions for HTTP servers. Wrapped around a handler by users.
import type { Exchange, ExchangeHandler } from '../exchange.ts'
import { observe } from './access-log.ts'

/** The part of a span that is used. */
interface Span {
  setAttribute(name: string, value: string | number | boolean): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): void
  end(): void
}

/** The part of `@opentelemetry/api` that is used: pass the module itself. */
export interface OpenTelemetryApi<Context = unknown> {
  /** Makes spans. */
  readonly trace: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { kind: number; attributes: Record<string, string | number> },
        context: Context,
      ): Span
    }
    setSpan(context: Context, span: never): Context
  }
  /** Knows which span is the current one. */
  readonly context: {
    active(): Context
    with<Result>(context: Context, run: () => Result): Result
  }
  /** Reads the caller's span from the request's fields. */
  readonly propagation: {
    extract(
      context: Context,
      carrier: Exchange,
      getter: { keys(carrier: Exchange): string[]; get(carrier: Exchange, key: string): string | undefined },
    ): Context
  }
  /** What kind of span it is: a server's. */
  readonly SpanKind: { readonly SERVER: number }
  /** How a span ended. */
  readonly SpanStatusCode: { readonly ERROR: number }
}

const fieldsOf = {
  keys: ({ headers }: Exchange): string[] => headers.filter((_, index) => index % 2 === 0),
  get: (exchange: Exchange, key: string): string | undefined => exchange.header(key.toLowerCase()),
}

const VERSIONS = { h3: '3', h2: '2', 'http/1.1': '1.1' } as const

/**
 * Wraps a handler: each request is a span of kind SERVER, a child of what `traceparent` names, and active while the
 * handler runs.
 * @param api the module `@opentelemetry/api`
 * @param name of the tracer
 */
export function traced<Context>(
  handler: ExchangeHandler,
  api: OpenTelemetryApi<Context>,
  name = 'quactor',
): ExchangeHandler {
  const tracer = api.trace.getTracer(name)
  return (exchange) => {
    const parent = api.propagation.extract(api.context.active(), exchange, fieldsOf)
    const options = { kind: api.SpanKind.SERVER, attributes: attributesOf(exchange) }
    const span = tracer.startSpan(exchange.method, options, parent)
    const finish = (_exchange: Exchange, _begun: number, outcome: string, error?: unknown): void => {
      span.setAttribute('http.response.status_code', exchange.status)
      span.setAttribute('http.response.body.size', exchange.bytesSent)
      if (outcome === 'crashed' || exchange.status >= 500) {
        span.setStatus({ code: api.SpanStatusCode.ERROR, message: outcome })
      }
      if (error instanceof Error) span.recordException(error)
      span.end()
    }
    const context = api.trace.setSpan(parent, span as never)
    return api.context.with(context, () => observe(handler, exchange, finish))
  }
}

function attributesOf(exchange: Exchange): Record<string, string | number> {
  const { method, path, scheme, authority, protocol, remote } = exchange
  const query = path.indexOf('?')
  const agent = exchange.header('user-agent')
  return {
    'http.request.method': method,
    'url.path': query < 0 ? path : path.slice(0, query),
    'url.scheme': scheme,
    'server.address': authority,
    'client.address': remote.address,
    'client.port': remote.port,
    'network.protocol.name': 'http',
    'network.protocol.version': VERSIONS[protocol],
    ...(query >= 0 && { 'url.query': path.slice(query + 1) }),
    ...(agent !== undefined && { 'user_agent.original': agent }),
  }
}
