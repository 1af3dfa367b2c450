// Proof of the client's address, as a connection sees it: the Retry that came between its first packet and its keys
// (RFC 9000 sections 8.1.2 and 17.2.5, RFC 9001 section 5.8), and the token that its Initial packets carry. A server
// is told of the Retry that the endpoint sent; a client processes the one it gets. A part of QuicConnection.
import { type BackendSet, initialKeys, TAG_LENGTH, verifyRetryIntegrityTag } from '../crypto/index.ts'
import type { PacketHeader } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { MAX_TOKEN_LENGTH } from './limits.ts'
import { Space } from './packet-space.ts'

export class Retry {
  /** Source connection ID of the Retry packet; undefined when there was none. */
  sourceConnectionId: Uint8Array | undefined
  /** What the client's Initial packets carry. */
  token: Uint8Array | undefined
  readonly #backends: BackendSet

  constructor(options: ConnectionOptions) {
    this.#backends = options.backends
    this.sourceConnectionId = options.retrySourceConnectionId
    const { token } = options
    if (token !== undefined && token.length <= MAX_TOKEN_LENGTH) this.token = token
  }

  /** RFC 9001 section 5.2: Initial keys come from the destination ID that the client uses after a Retry, if any. */
  installInitialKeys({ spaces, isServer, version, originalDestinationConnectionId }: InitialKeysOf): void {
    const id = this.sourceConnectionId ?? originalDestinationConnectionId
    const keys = initialKeys(this.#backends, version, id)
    const space = spaces[Space.initial]
    space.readKeys = isServer ? keys.client : keys.server
    space.writeKeys = isServer ? keys.server : keys.client
  }

  /** A Retry packet has arrived. One that does not count is dropped without a sign. */
  handlePacket(connection: QuicConnection, header: PacketHeader, buffer: Uint8Array): void {
    const { isServer, isPeerIdKnown, version, localIds, peerIds } = connection
    // RFC 9000 section 17.2.5.2: one Retry at most, and none after a packet of the server has been processed.
    if (isServer || isPeerIdKnown || this.sourceConnectionId !== undefined) return
    // RFC 9369 section 4.1: a Retry has the version in which the connection began.
    if (header.version !== version) return
    const { dcidStart, dcidLength, scidStart, scidLength, tokenStart, tokenLength } = header
    if (!localIds.isOurs(buffer, dcidStart, dcidLength)) return
    const source = new Uint8Array(buffer.subarray(scidStart, scidStart + scidLength))
    // "A client MUST discard a Retry packet that contains a Source Connection ID field that is identical to the
    // Destination Connection ID field of its Initial packet", and one "with a zero-length Retry Token field".
    if (Buffer.compare(source, peerIds.current) === 0 || tokenLength === 0) return
    if (tokenLength > MAX_TOKEN_LENGTH || !isAuthentic(connection, header, buffer)) return
    this.token = new Uint8Array(buffer.subarray(tokenStart, tokenStart + tokenLength))
    this.sourceConnectionId = source
    peerIds.replaceFirst(source)
    this.installInitialKeys(connection)
    this.#beginAnew(connection)
  }

  /** The same ClientHello once more; packet numbers go on (section 17.2.5.3). */
  #beginAnew(connection: QuicConnection): void {
    connection.recovery.discardSpace(Space.initial, connection.now)
    const { send } = connection.spaces[Space.initial].crypto
    send.lose(send.base, send.next)
    if (connection.handshake.early.writeKeys !== undefined) connection.handshake.early.takeBack()
    connection.wake()
  }
}

type InitialKeysOf = Pick<
  QuicConnection,
  'spaces' | 'isServer' | 'version' | 'originalDestinationConnectionId'
>

/** RFC 9001 section 5.8: the integrity tag shows that the sender has seen our Initial packet. */
function isAuthentic(connection: QuicConnection, header: PacketHeader, buffer: Uint8Array): boolean {
  const first = connection.originalDestinationConnectionId
  const { start, end, version } = header
  const pseudo = new Uint8Array(1 + first.length + end - start - TAG_LENGTH)
  pseudo[0] = first.length
  pseudo.set(first, 1)
  pseudo.set(buffer.subarray(start, end - TAG_LENGTH), 1 + first.length)
  return verifyRetryIntegrityTag(version, pseudo, buffer.subarray(end - TAG_LENGTH, end))
}
