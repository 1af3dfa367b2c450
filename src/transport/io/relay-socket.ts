// A UDP socket that talks to one address for somebody else: the far side of a CONNECT-UDP tunnel (RFC 9298). Opened by
// handlers/connect-udp.
import { createSocket, type Socket } from 'node:dgram'
import type { RemoteAddress } from '../connection/datagram-batch.ts'
import { RELAY_SEND_QUEUE_CAP } from './limits.ts'

/** What the owner is told. */
export interface RelayEvents {
  /** A datagram has come from the address; the view may be kept. */
  handleMessage(payload: Uint8Array): void
  /** The socket is of no use any more. */
  handleFailure(error: Error): void
}

export interface RelaySocket {
  /**
   * Sends a datagram; the payload is copied.
   * @returns false when it was dropped, because too much waits for the kernel
   */
  send(payload: Uint8Array): boolean
  close(): void
}

/** Opens a socket that exchanges datagrams with `target` only; rejects with the system's error. */
export type OpenRelaySocket = (target: RemoteAddress, events: RelayEvents) => Promise<RelaySocket>

/** What the system reports about single datagrams: nobody listens there now, or one was too large for the path. */
const PASSING_ERRORS = new Set(['ECONNREFUSED', 'EMSGSIZE', 'EHOSTUNREACH', 'ENETUNREACH'])

class NodeRelaySocket implements RelaySocket {
  readonly #socket: Socket
  #isClosed = false

  constructor(socket: Socket, events: RelayEvents) {
    this.#socket = socket
    socket.on('message', (message) => events.handleMessage(message))
    socket.on('error', (error) => {
      if (!this.#isClosed && !PASSING_ERRORS.has(codeOf(error))) events.handleFailure(error)
    })
  }

  send(payload: Uint8Array): boolean {
    if (this.#isClosed || this.#socket.getSendQueueSize() > RELAY_SEND_QUEUE_CAP) return false
    this.#socket.send(new Uint8Array(payload), ignore)
    return true
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.close()
  }
}

export function openRelaySocket(target: RemoteAddress, events: RelayEvents): Promise<RelaySocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: target.family === 6 ? 'udp6' : 'udp4',
      // Never a name here: what was checked is what is talked to.
      lookup: (hostname, _options, answer) => answer(null, hostname, target.family),
    })
    const fail = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    socket.connect(target.port, target.address, () => {
      socket.off('error', fail)
      resolve(new NodeRelaySocket(socket, events))
    })
  })
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

/** A datagram that could not be sent is lost, as datagrams may be. */
function ignore(): void {}
