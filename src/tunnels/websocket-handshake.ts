// The header fields of a WebSocket's opening handshake that all versions of HTTP share (RFC 6455 sections 4.1 and 4.2,
// RFC 8441 section 5): subprotocols, and compression where both sides want it. Called by the handlers room and the client.
import { HandshakeError } from './handshake-error.ts'
import { MAX_SUBPROTOCOLS, MAX_WEBSOCKET_PAYLOAD } from './limits.ts'
import type { WebSocketLimits } from './websocket-connection.ts'
import { type DeflateExtension, extension, PerMessageDeflate, subprotocol } from './ws-library.ts'

const DEFLATE = 'permessage-deflate'

/**
 * The subprotocols that a client offers, in its order.
 * @param header value of sec-websocket-protocol
 * @throws HandshakeError when it is no list of tokens without repetitions (RFC 6455 section 4.1)
 */
export function offeredProtocols(header: string | undefined): string[] {
  if (header === undefined) return []
  try {
    return [...subprotocol.parse(header)].slice(0, MAX_SUBPROTOCOLS)
  } catch {
    throw new HandshakeError('sec-websocket-protocol is no list of different tokens')
  }
}

/** An extension in force, and the field value that says so. */
export interface AgreedDeflate {
  readonly deflate: DeflateExtension
  readonly field: string
}

function deflateOf(isServer: boolean, { maxPayload }: WebSocketLimits): DeflateExtension {
  return new PerMessageDeflate({ isServer, maxPayload: maxPayload ?? MAX_WEBSOCKET_PAYLOAD })
}

/**
 * Server: takes up an offer of compression when it is wanted here, too.
 * @param header value of sec-websocket-extensions of the request
 * @throws HandshakeError for a field that cannot be parsed
 */
export function agreeOnDeflate(
  header: string | undefined,
  limits: WebSocketLimits,
): AgreedDeflate | undefined {
  if (header === undefined || limits.perMessageDeflate !== true) return undefined
  try {
    const offers = extension.parse(header)[DEFLATE]
    if (offers === undefined) return undefined
    const deflate = deflateOf(true, limits)
    return { deflate, field: extension.format({ [DEFLATE]: [deflate.accept(offers)] }) }
  } catch {
    throw new HandshakeError('sec-websocket-extensions makes no acceptable offer')
  }
}

/** Client: what to offer, and the object that takes the answer. */
export function offerDeflate(limits: WebSocketLimits): AgreedDeflate | undefined {
  if (limits.perMessageDeflate !== true) return undefined
  const deflate = deflateOf(false, limits)
  return { deflate, field: extension.format({ [DEFLATE]: [deflate.offer()] }) }
}

/**
 * Client: the compression that the server agreed to; undefined when it wants none.
 * @param header value of sec-websocket-extensions of the response
 * @throws HandshakeError for an extension that was not offered (RFC 6455 section 4.1)
 */
export function acceptDeflate(
  header: string | undefined,
  offer: AgreedDeflate | undefined,
): DeflateExtension | undefined {
  if (header === undefined) return undefined
  let answers: Record<string, unknown[]>
  try {
    answers = extension.parse(header)
    const names = Object.keys(answers)
    if (names.length === 0) return undefined
    if (offer === undefined || names.length > 1 || answers[DEFLATE] === undefined)
      throw new Error('not offered')
    offer.deflate.accept(answers[DEFLATE])
  } catch {
    throw new HandshakeError('the server chose an extension that was not offered')
  }
  return offer.deflate
}

/**
 * Client: the subprotocol that the server chose, '' for none.
 * @throws HandshakeError for one that was not offered (RFC 6455 section 4.1)
 */
export function acceptProtocol(header: string | undefined, offered: readonly string[]): string {
  if (header === undefined) return ''
  if (!offered.includes(header))
    throw new HandshakeError('the server chose a subprotocol that was not offered')
  return header
}
