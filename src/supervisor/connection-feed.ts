// Tells whoever wants to know that a connection's handshake is complete, and that a connection is gone. One per endpoint;
// serve() makes server.connections$ of it.
import type { ConnectionSupervisor } from './connection-supervisor.ts'

/** Told about connections. Must not throw. */
export interface ConnectionListener {
  handleOpened(supervisor: ConnectionSupervisor): void
  /** Also for connections whose handshake never came to its end. */
  handleClosed(supervisor: ConnectionSupervisor): void
}

export class ConnectionFeed {
  readonly #listeners = new Set<ConnectionListener>()

  /** Returns how to stop listening. */
  subscribe(listener: ConnectionListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  opened(supervisor: ConnectionSupervisor): void {
    for (const listener of this.#listeners) listener.handleOpened(supervisor)
  }

  closed(supervisor: ConnectionSupervisor): void {
    for (const listener of this.#listeners) listener.handleClosed(supervisor)
  }
}
