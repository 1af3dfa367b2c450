// A client in the middle of a Retry: its packets taken out one by one, a Retry made for it, a server that knows of it.
import { buildRetry, type ConnectionOptions, DatagramBatch } from '../../src/transport/connection/index.ts'
import { PacketHeader, parsePacketHeader } from '../../src/transport/wire/index.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS, TestEnd, TestEntropy } from '../unit/transport/connection/pair.ts'

export const RETRY_ID = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2)
export const TOKEN = new Uint8Array(90).fill(0x77)

/** Everything that an end has to send at a time. */
export function takeDatagrams(end: TestEnd, now: number): Uint8Array[] {
  const batch = new DatagramBatch()
  const datagrams: Uint8Array[] = []
  while (end.connection.pollTransmit(batch, now) > 0) {
    for (let i = 0; i < batch.count; i++) {
      datagrams.push(
        new Uint8Array(batch.buffer.subarray(batch.starts[i], batch.starts[i] + batch.lengths[i])),
      )
    }
    batch.reset()
  }
  return datagrams
}

export function headerOf(datagram: Uint8Array): PacketHeader {
  const header = new PacketHeader()
  if (!parsePacketHeader(datagram, 0, datagram.length, 8, header)) throw new Error('not a packet')
  return header
}

export class RetryFlight {
  readonly client: TestEnd
  server: TestEnd | undefined
  /** The client's first flight. */
  readonly first: Uint8Array[]
  now = 0

  constructor(options: Partial<ConnectionOptions> = {}) {
    this.client = new TestEnd('client', undefined, 3, {}, options)
    this.first = takeDatagrams(this.client, 0)
  }

  get originalId(): Uint8Array {
    return this.client.connection.originalDestinationConnectionId
  }

  /** A Retry packet that answers the client's first packet. */
  retry(id = RETRY_ID, token = TOKEN): Uint8Array {
    return buildRetry(this.first[0], headerOf(this.first[0]), id, token, new TestEntropy(5))
  }

  /** Hands bytes to the client and takes what it sends. */
  give(bytes: Uint8Array): Uint8Array[] {
    this.client.connection.handleDatagram(bytes, 0, bytes.length, SERVER_ADDRESS, this.now)
    return takeDatagrams(this.client, this.now)
  }

  /**
   * Lets a server carry the handshake to its end, or to a close.
   * @param announced the ID that it gives in its transport parameters; null for none
   */
  finish(datagrams: Uint8Array[], announced: Uint8Array | null = RETRY_ID): void {
    const options: Partial<ConnectionOptions> = { isAddressValidated: true }
    this.server = new TestEnd(
      'server',
      this.originalId,
      4,
      {},
      {
        ...options,
        ...(announced === null ? {} : { retrySourceConnectionId: announced }),
      },
    )
    // Whatever it says, the client's packets are protected for the ID of the Retry.
    this.server.connection.retry.sourceConnectionId = RETRY_ID
    this.server.connection.retry.installInitialKeys(this.server.connection)
    let toServer = datagrams
    for (let turn = 0; turn < 20; turn++) {
      this.now += 20
      for (const bytes of toServer)
        this.server.connection.handleDatagram(bytes, 0, bytes.length, CLIENT_ADDRESS, this.now)
      for (const { connection } of [this.server, this.client]) {
        if (connection.nextTimeout() <= this.now) connection.handleTimeout(this.now)
      }
      const toClient = takeDatagrams(this.server, this.now)
      for (const bytes of toClient)
        this.client.connection.handleDatagram(bytes, 0, bytes.length, SERVER_ADDRESS, this.now)
      toServer = takeDatagrams(this.client, this.now)
    }
  }
}
