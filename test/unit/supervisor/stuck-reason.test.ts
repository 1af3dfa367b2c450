// For each thing that a stream can wait for: brought about in a simulated world, and named with its numbers.
import { describe, expect, it } from 'vitest'
import type { Exchange, ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { bidiStream } from '../../../src/machines/index.ts'
import { findStreamReason } from '../../../src/supervisor/stuck-reason.ts'
import type { StuckFinding } from '../../../src/supervisor/stuck-report.ts'
import type { TransportSettings } from '../../../src/transport/connection/index.ts'
import type { QuicStream } from '../../../src/transport/streams/index.ts'
import { type LinkProfile, PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'
import { withoutSecondClosing } from './quic-go-4513-machine.ts'

const never = (): Promise<void> => new Promise<void>(() => {})

class ReasonWorld extends World {
  readonly toServer: LinkProfile
  readonly toClient: LinkProfile

  constructor(handler: ExchangeHandler, transport: Partial<TransportSettings> = {}, isBuggy = false) {
    const toServer = { ...PERFECT_LINK }
    const toClient = { ...PERFECT_LINK }
    const tables = isBuggy ? new Map([[bidiStream, withoutSecondClosing('ignore')]]) : undefined
    const settings = { maxIdleTimeout: 600_000, ...transport }
    super({
      seed: 1,
      handler: () => handler,
      toServer,
      toClient,
      transport: settings,
      serverSupervision: { tables },
    })
    this.toServer = toServer
    this.toClient = toClient
  }

  /** Makes one request, lets `time` ms pass, and asks the server about its stream. */
  async reasonAfter(time: number, body?: Uint8Array | AsyncIterable<Uint8Array>): Promise<StuckFinding> {
    const session = this.open()
    await this.run(session.opened, 5_000)
    await this.pass(100)
    const request = { path: '/', method: body === undefined ? 'GET' : 'POST', body }
    session.request(request).catch(() => {})
    await this.pass(time)
    return this.reason()
  }

  get stream(): QuicStream {
    return this.connection.streams.get(0)!
  }

  get connection() {
    const [{ supervisor }] = this.server.entries
    return supervisor.connection
  }

  reason(): StuckFinding {
    const [{ supervisor }] = this.server.entries
    return findStreamReason(this.stream, supervisor.connection, supervisor.hasRunningHandler(0))
  }
}

const writes =
  (bytes: number): ExchangeHandler =>
  async (exchange: Exchange) => {
    exchange.begin(200)
    exchange.write(new Uint8Array(bytes))
    exchange.end()
  }

describe('what a stuck stream waits for', () => {
  it('its handler', async () => {
    expect(await new ReasonWorld(never).reasonAfter(100)).toEqual({
      waitingFor: 'handler',
      reason: 'handler pending after 0 bytes of its response',
    })
  })

  it('somebody to end it, when its handler has been cancelled', async () => {
    const world = new ReasonWorld(never)
    await world.reasonAfter(100)
    expect(findStreamReason(world.stream, world.connection, false).reason).toBe(
      'no handler is left to end it after 0 bytes',
    )
  })

  it('the ACK of the FIN', async () => {
    const world = new ReasonWorld((exchange) => exchange.respond(200))
    world.toClient.delay = 2_000
    world.toServer.delay = 0
    const finding = await world.reasonAfter(500)
    expect(finding.waitingFor).toBe('peerAck')
    expect(finding.reason).toMatch(/^awaiting (the ACK|ACKs of \d+ bytes and) of the FIN$/)
  })

  it('a peer that is silent', async () => {
    const world: ReasonWorld = new ReasonWorld((exchange) => {
      world.toServer.loss = 1
      exchange.respond(200)
    })
    const finding = await world.reasonAfter(20_000)
    expect(finding.waitingFor).toBe('peerSilent')
    expect(finding.reason).toMatch(/^the peer is silent: \d+ probe timeouts in a row$/)
  })

  it("the peer's flow control of the stream", async () => {
    const world = new ReasonWorld(writes(200_000), { initialMaxStreamDataBidiLocal: 5_000 })
    const finding = await world.reasonAfter(1_000)
    expect(finding).toEqual({
      waitingFor: 'streamFlowControl',
      reason: `awaiting MAX_STREAM_DATA beyond ${world.stream.sending!.credit.max}`,
    })
  })

  it("the peer's flow control of the connection", async () => {
    const world = new ReasonWorld(writes(200_000), { initialMaxData: 5_000 })
    const finding = await world.reasonAfter(1_000)
    expect(finding).toEqual({
      waitingFor: 'connectionFlowControl',
      reason: `awaiting MAX_DATA beyond ${world.connection.host.sendCredit.max}`,
    })
  })

  it('the congestion window', async () => {
    const world = new ReasonWorld(writes(1_000_000), {
      initialMaxStreamDataBidiLocal: 2e6,
      initialMaxData: 2e6,
    })
    world.toClient.delay = 300
    const finding = await world.reasonAfter(100)
    expect(finding.waitingFor).toBe('congestion')
    expect(finding.reason).toMatch(/^awaiting a packet: \d+ of \d+ bytes are in flight/)
  })

  it("the rest of the peer's data, besides its handler", async () => {
    const world = new ReasonWorld((exchange) => {
      exchange.begin(200)
      return never()
    })
    async function* half(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1_000)
      await never()
    }
    const finding = await world.reasonAfter(300, half())
    expect(finding.waitingFor).toBe('handler')
    expect(finding.reason).toMatch(/; no FIN from the peer after 1\d\d\d bytes$/)
  })

  it('the application, which does not read', async () => {
    const world = new ReasonWorld(never)
    const finding = await world.reasonAfter(500, new Uint8Array(100_000))
    expect(finding.reason).toMatch(/^handler pending .*; the application does not read \d{4,} bytes$/)
  })

  it('an answer to STOP_SENDING, and the ACK of RESET_STREAM', async () => {
    const world = new ReasonWorld(never)
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1_000)
      await never()
    }
    await world.reasonAfter(200, slow())
    world.toServer.delay = 5_000
    world.stream.stopSending(0x100)
    world.stream.reset(0x100)
    expect(world.reason().reason).toContain('awaiting a packet')
    await world.pass(20)
    const { reason } = world.reason()
    expect(reason).toBe('awaiting the ACK of RESET_STREAM; STOP_SENDING is not answered by the peer')
  })

  it('nothing: the data plane is done, and the machine has not moved', async () => {
    const world = new ReasonWorld((exchange) => exchange.respond(200), {}, true)
    expect(await world.reasonAfter(500)).toEqual({
      waitingFor: 'nothing',
      reason: 'every byte and the FIN are acknowledged, but the machine did not move',
    })
  })

  it('nothing: output is ready, and the stream is not in the send queue', async () => {
    const world = new ReasonWorld(never)
    await world.reasonAfter(100)
    world.stream.write(new Uint8Array(10))
    world.connection.host.sendQueue.clear()
    expect(world.reason()).toEqual({
      waitingFor: 'nothing',
      reason: 'output is ready, but the stream is not in the send queue',
    })
  })
})
