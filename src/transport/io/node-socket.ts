// UDP by node:dgram: the implementation of DatagramSocket that works everywhere. Bound by serve() and connect().
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { DatagramBatch, RemoteAddress } from '../connection/datagram-batch.ts'

import type { DatagramReceiver, DatagramSocket } from './datagram-socket.ts'
import { SEND_QUEUE_CAP, SOCKET_RECEIVE_BUFFER, SOCKET_SEND_BUFFER } from './limits.ts'

/** Where a socket is bound. Port 0 lets the system choose. */
export interface BindOptions {
  address: string
  port: number
  /** Shares the port with other processes (SO_REUSEPORT): the kernel spreads the datagrams over them. */
  shared?: boolean
}

/** Slots of the cache of remote addresses: one object per peer instead of one per datagram. */
const REMOTE_CACHE_SLOTS = 256

export class NodeSocket implements DatagramSocket {
  readonly name = 'node'
  readonly localAddress: string
  readonly localPort: number
  /** Sizes that the kernel granted, bytes. */
  readonly buffers: { readonly receive: number; readonly send: number }
  /** Datagrams that could not be sent, and errors of the socket itself. */
  errors = 0
  readonly #socket: Socket
  readonly #remotes: (RemoteAddress | undefined)[] = new Array(REMOTE_CACHE_SLOTS).fill(undefined)

  constructor(socket: Socket) {
    this.#socket = socket
    const bound = socket.address()
    this.localAddress = bound.address
    this.localPort = bound.port
    this.buffers = { receive: socket.getRecvBufferSize(), send: socket.getSendBufferSize() }
    socket.on('error', this.#countError)
  }

  get isBlocked(): boolean {
    return this.#queuedBytes() > SEND_QUEUE_CAP
  }

  start(receiver: DatagramReceiver): void {
    this.#socket.on('message', (message: Buffer, from: RemoteInfo) => {
      receiver(message, 0, message.length, this.#remoteOf(from))
    })
  }

  send(batch: DatagramBatch): void {
    const { buffer, starts, lengths, remotes, count } = batch
    for (let index = 0; index < count; index++) {
      const remote = remotes[index]!
      try {
        this.#socket.send(
          buffer,
          starts[index]!,
          lengths[index]!,
          remote.port,
          remote.address,
          this.#handleSent,
        )
      } catch {
        this.errors++
      }
    }
    // The kernel was full: Node still reads from this memory, so the next batch needs memory of its own.
    if (this.#queuedBytes() > 0) batch.reset(true)
  }

  /** Keeps the process alive again, as from the start. */
  ref(): void {
    this.#socket.ref()
  }

  /** Lets the process end although the socket is open. */
  unref(): void {
    this.#socket.unref()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      try {
        this.#socket.close(resolve)
      } catch {
        resolve()
      }
    })
  }

  #queuedBytes(): number {
    try {
      return this.#socket.getSendQueueSize()
    } catch {
      return 0
    }
  }

  #handleSent = (error: Error | null): void => {
    if (error) this.errors++
  }

  #countError = (): void => {
    this.errors++
  }

  #remoteOf(from: RemoteInfo): RemoteAddress {
    const slot = from.port % REMOTE_CACHE_SLOTS
    const known = this.#remotes[slot]
    if (known !== undefined && known.port === from.port && known.address === from.address) return known
    const remote: RemoteAddress = {
      address: from.address,
      port: from.port,
      family: from.family === 'IPv6' ? 6 : 4,
    }
    this.#remotes[slot] = remote
    return remote
  }
}

/**
 * Binds a UDP socket. An IPv6 socket takes IPv6 only, so that one per version can share a port.
 * Rejects with the system's error (EADDRINUSE, EADDRNOTAVAIL, EACCES ...).
 */
export function bindNodeSocket(options: BindOptions): Promise<NodeSocket> {
  const isIpv6 = options.address.includes(':')
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: isIpv6 ? 'udp6' : 'udp4',
      ipv6Only: isIpv6,
      reusePort: options.shared === true,
      recvBufferSize: SOCKET_RECEIVE_BUFFER,
      sendBufferSize: SOCKET_SEND_BUFFER,
      // Addresses are literals here: answering at once keeps dgram from queueing every datagram behind a lookup.
      lookup: (hostname, _options, answer) => answer(null, hostname, isIpv6 ? 6 : 4),
    })
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address: options.address, port: options.port }, () => {
      socket.removeAllListeners('error')
      resolve(new NodeSocket(socket))
    })
  })
}
