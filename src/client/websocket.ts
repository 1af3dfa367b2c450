// WebSockets of the client over HTTP/3 (RFC 9220): ClientSession.websocket().
import { asConnection, TunnelWebSocket } from '../tunnels/websocket.ts'
import type { WebSocketConnection, WebSocketLimits } from '../tunnels/websocket-connection.ts'
import { acceptDeflate, acceptProtocol, offerDeflate } from '../tunnels/websocket-handshake.ts'
import { openTunnel, type TunnelInput } from './client-tunnel.ts'
import { firstField, flattenHeaders } from './fields.ts'
import type { ClientSession } from './session.ts'

/** How a WebSocket is opened (RFC 9220). */
export interface WebSocketInput extends WebSocketLimits, Omit<TunnelInput, 'path' | 'protocol'> {
  /** Subprotocols to offer, the best first; which one it is to be stands in `protocol` of the socket. */
  readonly protocols?: readonly string[]
}

/**
 * Opens a WebSocket. Attach listeners before the next wait: messages may come at once.
 * @param path path with query
 * @throws TunnelRefusedError for a status other than 2xx; HandshakeError for an answer that does not fit; ClientError
 */
export async function openWebSocket(
  session: ClientSession,
  path: string,
  input: WebSocketInput = {},
): Promise<WebSocketConnection> {
  const { protocols = [], headers, ...more } = input
  const offer = offerDeflate(input)
  const fields = ['sec-websocket-version', '13']
  if (protocols.length > 0) fields.push('sec-websocket-protocol', protocols.join(', '))
  if (offer !== undefined) fields.push('sec-websocket-extensions', offer.field)
  fields.push(...flattenHeaders(headers))
  const { stream, headers: answer } = await openTunnel(session, {
    ...more,
    path,
    protocol: 'websocket',
    headers: pairsOf(fields),
  })
  try {
    const socket = new TunnelWebSocket({
      ...input,
      isServer: false,
      duplex: stream,
      protocol: acceptProtocol(firstField(answer, 'sec-websocket-protocol'), protocols),
      deflate: acceptDeflate(firstField(answer, 'sec-websocket-extensions'), offer),
      contain: (run) => run(),
    })
    return asConnection(socket)
  } catch (error) {
    stream.destroy()
    throw error
  }
}

function pairsOf(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < fields.length; index += 2) pairs.push([fields[index]!, fields[index + 1]!])
  return pairs
}
