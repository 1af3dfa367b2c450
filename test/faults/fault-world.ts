// A server on which one handler is faulty while others work: a simulated world without faults of the network. Used by
// test/faults.
import { expect } from 'vitest'
import type { ClientSession } from '../../src/client/session.ts'
import type { Exchange, ExchangeHandler } from '../../src/handlers/exchange.ts'
import type { SupervisionSettings } from '../../src/supervisor/supervision.ts'
import type { TransportSettings } from '../../src/transport/connection/index.ts'
import { ScriptedPeer } from '../leaks/scripted-peer.ts'
import { PatternChecker, patternBytes } from '../sim/pattern.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'

/** Bytes of each undisturbed exchange, in both directions. */
const STEADY_BYTES = 200_000

async function steady(exchange: Exchange): Promise<void> {
  exchange.begin(200)
  for await (const chunk of exchange.body) {
    const room = exchange.write(chunk)
    if (room !== undefined) await room
  }
  exchange.end()
}

export class FaultWorld extends SupervisedWorld {
  session!: ClientSession
  peer!: ScriptedPeer
  /** Bytes of other streams are watched from here on. */
  #steady: Promise<string | undefined>[] = []

  constructor(
    faulty: ExchangeHandler,
    supervision: Partial<SupervisionSettings> = {},
    transport: Partial<TransportSettings> = {},
  ) {
    super(
      (exchange) => (exchange.path === '/steady' ? steady(exchange) : faulty(exchange)),
      supervision,
      transport,
    )
  }

  /** Opens the connections of the faulty and of the undisturbed client, and starts the streams beside the fault. */
  async begin(): Promise<this> {
    this.session = await this.connected()
    this.peer = new ScriptedPeer(this)
    await this.pass(200)
    this.#steady = [this.#echo(1), this.#echo(2)]
    await this.pass(15)
    return this
  }

  async #echo(key: number): Promise<string | undefined> {
    const body = patternBytes(key, 0, STEADY_BYTES)
    const response = await this.session.request({ path: '/steady', body })
    const checker = new PatternChecker(key)
    for await (const chunk of response) checker.add(chunk)
    return checker.verdict(STEADY_BYTES)
  }

  /** The other streams came to their end with every byte right; then everything is closed and nothing is left. */
  async finish(): Promise<void> {
    expect(await this.run(Promise.all(this.#steady), 60_000)).toEqual([undefined, undefined])
    expect(this.status().handlers.live).toBe(0)
    this.session.close()
    this.peer.connection.close(0x100, '', { application: true })
    await this.pass(5_000)
    this.expectNothingLeft()
  }
}

/** Errors that have reached the process while `body` ran; vitest itself fails for them, too. */
export async function straysDuring(body: () => Promise<void>): Promise<unknown[]> {
  const strays: unknown[] = []
  const note = (error: unknown): void => void strays.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  try {
    await body()
    // Node reports unhandled rejections when the microtasks are done.
    await new Promise((resolve) => setTimeout(resolve, 5))
  } finally {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  }
  return strays
}
