// What fails when the opening handshake of a WebSocket makes no sense: 400 on a server, a rejection on a client. On its own,
// so that the public types do not depend on those of the library `ws`.

/** The handshake's fields ask for something that cannot be. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError'
}
