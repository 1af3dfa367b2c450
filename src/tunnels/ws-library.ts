// The parts of the library `ws` that run without a socket of its own: its WebSocket takes any Duplex (setSocket), its
// parsers read the header fields of the handshake. They are exported, but not named in its types; this file says what
// is used of them, and test/unit/tunnels/websocket.test.ts holds it against the installed version.
import * as library from 'ws'

/** RFC 7692, in one direction pair. */
export interface DeflateExtension {
  accept(offers: readonly unknown[]): Record<string, unknown>
  offer(): Record<string, unknown>
}

/** What setSocket is told. */
interface SocketLimits {
  readonly allowSynchronousEvents: boolean
  readonly maxBufferedChunks: number
  readonly maxFragments: number
  readonly maxPayload: number
  readonly skipUTF8Validation: boolean
}

interface BareWebSocket {
  setSocket(socket: unknown, head: Uint8Array, limits: SocketLimits): void
}

interface Internals {
  readonly PerMessageDeflate: new (options: Record<string, unknown>) => DeflateExtension
  readonly extension: {
    parse(header: string): Record<string, unknown[]>
    format(extensions: Record<string, unknown[]>): string
  }
  readonly subprotocol: { parse(header: string): Set<string> }
}

const internals = library as unknown as Internals

export const { PerMessageDeflate, extension, subprotocol } = internals

/** The class whose sockets are attached later: `new (null, undefined, options)`, then `attach`. */
export const LibraryWebSocket = library.WebSocket as unknown as new (
  address: null,
  protocols: undefined,
  options: {
    readonly autoPong: boolean
    readonly maxPendingAutoPongs: number
    readonly closeTimeout: number
  },
) => library.WebSocket

/** Puts a WebSocket on its Duplex: from here on it is open. */
export function attach(
  socket: library.WebSocket,
  settings: {
    readonly duplex: unknown
    readonly head: Uint8Array
    readonly isServer: boolean
    readonly protocol: string
    readonly deflate: DeflateExtension | undefined
    readonly limits: SocketLimits
  },
): void {
  Object.assign(socket, {
    _isServer: settings.isServer,
    _protocol: settings.protocol,
    _extensions: settings.deflate === undefined ? {} : { 'permessage-deflate': settings.deflate },
  })
  ;(socket as unknown as BareWebSocket).setSocket(settings.duplex, settings.head, settings.limits)
}
