// The HTTP datagrams of one exchange (RFC 9297), as a handler uses them: what arrives is iterated, what is sent may get
// lost. Made by H3Exchange when the handler first asks for it.
import type { RequestStream } from '../http3/index.ts'
import type { DatagramChannel } from '../supervisor/datagram-channel.ts'
import { DatagramReader } from '../supervisor/datagram-reader.ts'
import type { DatagramWatcher } from '../transport/connection/index.ts'
import type { DatagramFrames } from '../tunnels/tunnel-datagrams.ts'
import type { ExchangeDatagrams } from './exchange.ts'

/** DATAGRAM frames, once both sides have announced them (RFC 9297 section 2.1.1). */
export function framesOf(request: RequestStream): DatagramFrames {
  const { connection } = request
  return {
    get maxPayload(): number {
      const { settings, peerSettings } = connection
      return settings.h3Datagram && peerSettings.h3Datagram ? connection.datagrams.maxPayload(request) : 0
    },
    send: (payload: Uint8Array, watcher?: DatagramWatcher) =>
      connection.datagrams.send(request, payload, watcher),
  }
}

export class H3Datagrams implements ExchangeDatagrams {
  readonly #request: RequestStream
  readonly #channel: DatagramChannel
  readonly #reader: DatagramReader

  constructor(request: RequestStream, channel: DatagramChannel) {
    this.#request = request
    this.#channel = channel
    this.#reader = new DatagramReader(channel)
  }

  get maxPayload(): number {
    return this.#channel.isClosed ? 0 : this.#request.connection.datagrams.maxPayload(this.#request)
  }

  send(payload: Uint8Array, watcher?: DatagramWatcher): void {
    if (this.#channel.isClosed) watcher?.handleDatagramFate('dropped')
    else this.#request.connection.datagrams.send(this.#request, payload, watcher)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#reader
  }
}
