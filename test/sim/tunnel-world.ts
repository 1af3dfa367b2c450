// A simulated world whose server speaks something on tunnels. Used by the tests of tunnels, WebSockets and CONNECT-UDP.
import { expect } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import type { Http3Options } from '../../src/handlers/http3-service.ts'
import {
  type WebSocketOpenHandler,
  type WebSocketService,
  websocketHandler,
} from '../../src/handlers/websocket-handler.ts'
import { statusOf } from '../../src/supervisor/status.ts'
import type { SupervisionSettings } from '../../src/supervisor/supervision.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import type { WebSocketConnection } from '../../src/tunnels/websocket-connection.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { settle } from './virtual-clock.ts'
import { World } from './world.ts'

export interface TunnelWorldOptions {
  readonly seed?: number
  readonly link?: Partial<LinkProfile>
  readonly transport?: Partial<TransportSettings>
  readonly supervision?: Partial<SupervisionSettings>
  /** For requests without a protocol. */
  readonly handler?: ExchangeHandler
  readonly websocket?: WebSocketOpenHandler | WebSocketService
  readonly tunnels?: Readonly<Record<string, ExchangeHandler>>
}

export class TunnelWorld extends World {
  constructor(options: TunnelWorldOptions) {
    const link = { ...PERFECT_LINK, ...options.link }
    const { websocket, tunnels = {} } = options
    super({
      seed: options.seed ?? 1,
      handler: () => options.handler ?? ((exchange) => exchange.respond(404)),
      toServer: link,
      toClient: link,
      transport: options.transport ?? {},
      supervision: options.supervision ?? {},
      http3: (clock): Http3Options => ({
        tunnels: new Map([
          ...(websocket === undefined ? [] : [['websocket', websocketHandler(websocket, clock)] as const]),
          ...Object.entries(tunnels),
        ]),
      }),
    })
  }

  async connected(): Promise<ClientSession> {
    const session = this.open()
    await this.run(session.opened, 30_000)
    await this.run(session.settings, 30_000)
    return session
  }

  status() {
    return statusOf(this.server, { rss: () => 0, eventLoopLagP99Ms: () => 0 })
  }

  /** Ends everything, and looks whether everything ended. */
  async expectNothingLeft(session: ClientSession): Promise<void> {
    session.close()
    await this.pass(120_000)
    expect(this.status()).toMatchObject({
      connections: { live: 0 },
      streams: { live: 0, stuck: 0 },
      actors: { live: 0, missedTransitions: 0 },
      handlers: { live: 0 },
      datagramChannels: { live: 0 },
      timers: { armed: 0 },
      buffers: { receiveBytes: 0, sendBytes: 0 },
    })
    expect(session.holds).toBe(0)
    expect(this.client.entries.size).toBe(0)
  }
}

/** Everything that a WebSocket tells, written down. */
export class SocketLog {
  readonly messages: string[] = []
  readonly events: string[] = []
  /** Bytes of binary messages. */
  bytes = 0
  closed: { code: number; reason: string } | undefined

  constructor(socket: WebSocketConnection) {
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.bytes += data.length
      else this.messages.push(data.toString())
    })
    socket.on('pong', () => this.events.push('pong'))
    socket.on('ping', () => this.events.push('ping'))
    socket.on('error', (error) => this.events.push(`error ${error.message}`))
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
  }
}

export { settle }
