// A UDP socket on the simulated network: what an Endpoint gets instead of the sockets of transport/io.
import type { DatagramBatch, RemoteAddress } from '../../transport/connection/datagram-batch.ts'
import type { DatagramReceiver, DatagramSocket } from '../../transport/io/datagram-socket.ts'
import { addressKey, type SimNetwork } from './network.ts'

export class SimSocket implements DatagramSocket {
  readonly name = 'simulated'
  readonly localAddress: string
  readonly localPort: number
  readonly isBlocked = false
  readonly forbidsFragmentation = true
  /** Whether the ECN field is set and reported; to be switched before an endpoint gets the socket. */
  supportsEcn = false
  /** Address that others see as the source; differs from the local one after a rebinding. */
  publicAddress: RemoteAddress
  readonly #network: SimNetwork
  #receiver: DatagramReceiver | undefined
  #isClosed = false

  constructor(network: SimNetwork, address: string, port: number) {
    this.#network = network
    this.localAddress = address
    this.localPort = port
    this.publicAddress = { address, port, family: familyOf(address) }
  }

  get key(): string {
    return addressKey(this.publicAddress)
  }

  setPublicAddress(address: string, port: number): void {
    this.publicAddress = { address, port, family: familyOf(address) }
  }

  start(receiver: DatagramReceiver): void {
    this.#receiver = receiver
  }

  send(batch: DatagramBatch): void {
    if (this.#isClosed) throw new Error('send on a closed simulated socket')
    this.#network.transmit(this, batch)
  }

  /**
   * Hands over one datagram in memory of its own, placed off zero so that wrong offsets show. A Buffer, as from
   * node:dgram: its slice() is a view, which plain arrays would hide.
   */
  deliver(bytes: Uint8Array, remote: RemoteAddress, ecn = 0): void {
    if (this.#receiver === undefined) return
    const start = 3
    const buffer = Buffer.alloc(start + bytes.length + 5)
    buffer.set(bytes, start)
    this.#receiver(buffer, start, start + bytes.length, remote, ...(this.supportsEcn ? [ecn] : []))
    // The receiver only borrowed the memory: whoever kept a view of it must be seen to fail.
    buffer.fill(0xee)
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#receiver = undefined
    this.#network.removeSocket(this)
    return Promise.resolve()
  }
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
