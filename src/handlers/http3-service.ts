// HTTP/3 on a server's connection: a handler per request, and both steps of draining. Made per connection by the
// endpoint through the factory below.
import { H3Connection, type H3Events, type RequestStream } from '../http3/index.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import type { ApplicationFactory } from '../supervisor/endpoint-options.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import type { QuicConnection } from '../transport/connection/index.ts'
import type { ExchangeHandler } from './exchange.ts'
import { H3Exchange } from './h3-exchange.ts'
import { GLITCH_REFUND_PER_SWEEP } from './limits.ts'

class RequestEvents implements H3Events {
  readonly #supervisor: ConnectionSupervisor
  readonly #handler: ExchangeHandler

  constructor(supervisor: ConnectionSupervisor, handler: ExchangeHandler) {
    this.#supervisor = supervisor
    this.#handler = handler
  }

  handleRequest(stream: RequestStream): void {
    const supervisor = this.#supervisor
    supervisor.startHandler(new H3Exchange(stream, supervisor, supervisor.connection.remote, this.#handler))
  }

  handleClosing(): void {}

  handleClosed(): void {}
}

class Http3Service extends H3Connection implements SupervisedApplication {
  constructor(connection: QuicConnection, events: H3Events) {
    super(connection, { role: 'server', events })
  }

  /** RFC 9114 section 5.2: everything is still accepted, but the client learns that the end is near. */
  announceDrain(): void {
    this.goaway()
  }

  finishDrain(): void {
    this.shutdown()
  }

  sweep(): void {
    this.replenish(GLITCH_REFUND_PER_SWEEP)
  }
}

/** Serves HTTP/3 with one handler for all requests. */
export function http3Service(handler: ExchangeHandler): ApplicationFactory {
  return (connection, supervisor) => new Http3Service(connection, new RequestEvents(supervisor, handler))
}
