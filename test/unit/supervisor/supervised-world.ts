// A simulated world without faults of the network, for tests of supervision: what handlers do wrong is the topic.
import { expect } from 'vitest'
import type { ClientSession } from '../../../src/client/session.ts'
import type { ExchangeHandler } from '../../../src/handlers/exchange.ts'
import { statusOf } from '../../../src/supervisor/status.ts'
import type { SupervisionSettings } from '../../../src/supervisor/supervision.ts'
import type { TransportSettings } from '../../../src/transport/connection/index.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'

export class SupervisedWorld extends World {
  constructor(
    handler: ExchangeHandler,
    supervision: Partial<SupervisionSettings> = {},
    transport: Partial<TransportSettings> = {},
  ) {
    super({
      seed: 1,
      handler: () => handler,
      toServer: PERFECT_LINK,
      toClient: PERFECT_LINK,
      supervision,
      transport,
    })
  }

  /** A session whose handshake is complete on both sides. */
  async connected(): Promise<ClientSession> {
    const session = this.open()
    await this.run(session.opened, 5_000)
    await this.pass(100)
    return session
  }

  status() {
    return statusOf(this.server, { rss: () => 0, eventLoopLagP99Ms: () => 0 })
  }

  /** Every registry of the server is empty. */
  expectNothingLeft(): void {
    const status = this.status()
    expect(status).toMatchObject({
      connections: { live: 0 },
      streams: { live: 0, stuck: 0 },
      actors: { live: 0, missedTransitions: 0 },
      handlers: { live: 0 },
      timers: { armed: 0 },
      buffers: { receiveBytes: 0, sendBytes: 0 },
    })
    expect(status.actors.started).toBe(status.actors.stopped)
    expect(this.server.entries.size).toBe(0)
    expect(this.server.ids.size).toBe(0)
    expect(this.server.counters.crashResets).toBe(this.server.counters.crashed)
  }
}
