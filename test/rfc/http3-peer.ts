// A client that sends what a test says to a whole endpoint in a simulated world: raw HTTP/3 bytes on its streams.
// What the server makes of it is seen from outside: the close of the connection, resets of streams, what arrives.
import { expect } from 'vitest'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { ScriptedPeer, ScriptedStream } from '../leaks/scripted-peer.ts'
import { frame, varint } from '../unit/http3/session.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'

/** Time for everything to arrive and to be answered, virtual ms. */
const SETTLE = 100

export const ok: ExchangeHandler = (exchange) => exchange.respond(200, [], 'ok')

/** Answers with what came, when all of it has come. */
export const echo: ExchangeHandler = async (exchange) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of exchange.body) chunks.push(chunk)
  exchange.respond(200, [], Buffer.concat([Buffer.from(exchange.trailers.join('|')), ...chunks]))
}

export class Http3Peer {
  readonly world: SupervisedWorld
  readonly peer: ScriptedPeer

  private constructor(world: SupervisedWorld, peer: ScriptedPeer) {
    this.world = world
    this.peer = peer
  }

  /** A client whose handshake is complete and that has sent nothing of HTTP/3. */
  static async begin(
    handler: ExchangeHandler = ok,
    server: Partial<TransportSettings> = {},
    client: Partial<TransportSettings> = server,
  ): Promise<Http3Peer> {
    const world = new SupervisedWorld(handler, {}, server)
    const peer = new Http3Peer(world, new ScriptedPeer(world, client))
    await peer.settle(500)
    expect(peer.peer.isOpen).toBe(true)
    return peer
  }

  async settle(time = SETTLE): Promise<void> {
    await this.world.pass(time)
  }

  /** Sends bytes on a stream of one way. */
  uni(bytes: Uint8Array, fin = false): ScriptedStream {
    const stream = new ScriptedStream(this.peer.connection.openStream('uni')!, false)
    stream.stream.write(bytes)
    if (fin) stream.end()
    return stream
  }

  /** Opens the control stream with empty SETTINGS and these bytes behind them. */
  control(bytes: Uint8Array = new Uint8Array(0)): ScriptedStream {
    return this.uni(Buffer.concat([varint(0), frame(0x04, new Uint8Array(0)), bytes]))
  }

  request(bytes: Uint8Array, fin = true): ScriptedStream {
    const request = this.peer.open()
    request.stream.write(bytes)
    if (fin) request.end()
    return request
  }

  /** The server has closed the connection with this code of HTTP/3, and with no other. */
  async expectClose(code: number): Promise<void> {
    await this.settle()
    expect(this.peer.closing).toMatchObject({ code, isApplication: true, isLocal: false })
    await this.finish()
  }

  /** The server has given up this request alone, with this code. */
  async expectReset(request: ScriptedStream, code: number): Promise<void> {
    await this.settle()
    expect([request.resetCode, this.peer.closing]).toEqual([code, undefined])
    const next = this.peer.get()
    await this.settle()
    expect(next.isFinished).toBe(true)
    await this.finish()
  }

  /** The connection lives, and a plain request is answered on it. */
  async expectAlive(): Promise<void> {
    await this.settle()
    expect(this.peer.closing).toBeUndefined()
    const next = this.peer.get()
    await this.settle()
    expect(next.isFinished).toBe(true)
    await this.finish()
  }

  /** Closes, and finds nothing left in the server. */
  async finish(): Promise<void> {
    this.peer.connection.close(0x100, '', { application: true })
    await this.settle(5_000)
    expect(this.world.server.missed.list()).toEqual([])
    this.world.expectNothingLeft()
  }
}
