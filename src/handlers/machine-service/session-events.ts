// The words that the machine of a WebTransport session, or of a WebSocket, exchanges with it. Used by session-service.ts
// and socket-service.ts, and by the machines of users.
import type {
  WebTransportBidirectionalStream,
  WebTransportReceiveStream,
} from '../../supervisor/webtransport/streams.ts'
import type { WebSocketConnection } from '../../tunnels/websocket-connection.ts'
import type { WebSocketRequest } from '../websocket-handler.ts'
import type { WebTransportServerSession } from '../webtransport-session.ts'

/** What happens to a WebTransport session. */
export type SessionEvent =
  /** The client opened a stream. Given only to machines that mention it. */
  | { readonly type: 'stream.bidirectional'; readonly stream: WebTransportBidirectionalStream }
  | { readonly type: 'stream.unidirectional'; readonly stream: WebTransportReceiveStream }
  | { readonly type: 'datagram'; readonly payload: Uint8Array }
  /** A message of the machine did not get through: the client stopped its stream, or the session is over. */
  | { readonly type: 'message.failed'; readonly data: Uint8Array | string; readonly error: unknown }
  /** The client, or this server, asks for an end soon. */
  | { readonly type: 'session.draining' }
  /** The session was closed, with the client's code and reason. */
  | { readonly type: 'session.closed'; readonly closeCode: number; readonly reason: string }
  /** The session ended without a word: its connection is gone. */
  | { readonly type: 'session.lost'; readonly error: unknown }

/** What the machine of a session emits. */
export type SessionCommand =
  | { readonly type: 'datagram.send'; readonly payload: Uint8Array }
  /** Sends a message on a unidirectional stream of its own. */
  | { readonly type: 'message.send'; readonly data: Uint8Array | string }
  | { readonly type: 'session.close'; readonly closeCode?: number; readonly reason?: string }

/** Input of the machine of a session. */
export interface SessionInput {
  /** The session, accepted. */
  readonly session: WebTransportServerSession
}

/** For `setup({ types })` of the machine of a session. */
export const sessionTypes: {
  readonly events: SessionEvent
  readonly emitted: SessionCommand
  readonly input: SessionInput
} = {} as never

/** What happens to a WebSocket. */
export type SocketEvent =
  | { readonly type: 'message'; readonly data: string | Uint8Array }
  /** The client reads more slowly than the machine sends; messages that are sent all the same are kept up to a bound. */
  | { readonly type: 'socket.pause' }
  | { readonly type: 'socket.resume' }
  /** The last event. 1005: no code was given; 1006: the stream broke. */
  | { readonly type: 'socket.closed'; readonly code: number; readonly reason: string }

/** What the machine of a WebSocket emits. */
export type SocketCommand =
  | { readonly type: 'message.send'; readonly data: string | Uint8Array }
  | { readonly type: 'socket.close'; readonly code?: number; readonly reason?: string }

/** Input of the machine of a WebSocket. */
export interface SocketInput {
  /** The socket, open. */
  readonly socket: WebSocketConnection
  /** The request that asked for it. */
  readonly request: WebSocketRequest
}

/** For `setup({ types })` of the machine of a WebSocket. */
export const socketTypes: {
  readonly events: SocketEvent
  readonly emitted: SocketCommand
  readonly input: SocketInput
} = {} as never
