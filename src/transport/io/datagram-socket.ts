// A bound UDP socket as the endpoint sees it. node-socket.ts implements it with node:dgram, the simulator with
// a seeded network. Used by supervisor/endpoint.ts.
import type { DatagramBatch, RemoteAddress } from '../connection/datagram-batch.ts'

/**
 * Called per datagram. The buffer is only lent for the duration of the call; it may be changed in place.
 * `ecn` is the ECN field of the IP header, where the socket reports it.
 */
export type DatagramReceiver = (
  buffer: Uint8Array,
  start: number,
  end: number,
  remote: RemoteAddress,
  ecn?: number,
) => void

export interface DatagramSocket {
  /** Which implementation this is; shown in /status. */
  readonly name: string
  readonly localAddress: string
  readonly localPort: number
  /** True while the socket cannot take more; the endpoint then leaves data in the connections. */
  readonly isBlocked: boolean
  /**
   * Whether datagrams are lost rather than fragmented when the path does not carry them, as path MTU discovery
   * requires (RFC 8899 section 3); absent for no.
   */
  readonly forbidsFragmentation?: boolean
  /** Whether it sets and reports the ECN field (RFC 9000 section 13.4); absent for no. */
  readonly supportsEcn?: boolean
  /** Delivers what arrives from now on. */
  start(receiver: DatagramReceiver): void
  /**
   * Sends every datagram of the batch. The batch's buffer may be reused once this returns (the socket puts
   * another one into the batch when it has to keep it). Never throws: what cannot be sent counts as lost.
   */
  send(batch: DatagramBatch): void
  /** Resolves when the port is free again. */
  close(): Promise<void>
}
