// A message that is cut off must never look whole.
import { describe, expect, it } from 'vitest'
import { ReceiveBuffer } from '../../src/transport/streams/receive-buffer.ts'
import { sleep } from '../sim/order.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'

describe('truncation (found by the simulator)', () => {
  it('bytes that were dropped are not bytes that were read', () => {
    const buffer = new ReceiveBuffer()
    buffer.insert(0, new Uint8Array(5))
    buffer.read()
    buffer.insert(10, new Uint8Array(5))
    buffer.finalSize = 15
    expect(buffer.discard()).toBe(10)
    expect(buffer.isReadComplete).toBe(false)
  })

  it('a buffer that had been read to its end stays read when it is dropped', () => {
    const buffer = new ReceiveBuffer()
    buffer.insert(0, new Uint8Array(5))
    buffer.finalSize = 5
    buffer.read()
    expect(buffer.discard()).toBe(0)
    expect(buffer.isReadComplete).toBe(true)
  })

  it('a response whose FIN arrived before a gap fails when its connection ends (RFC 9114 section 4.1)', async () => {
    // Dropping the buffer moved the read position to the FIN: the client took the response for complete.
    const cut = (isCut: boolean): void => world.network.setBlackhole('10.0.0.1:4433', '10.0.0.2:50000', isCut)
    const world: SupervisedWorld = new SupervisedWorld(async (exchange) => {
      exchange.begin(200)
      exchange.write('first ')
      await sleep(world.clock, 60)
      cut(true)
      exchange.write('second ')
      await sleep(world.clock, 5)
      cut(false)
      exchange.end('third')
      await sleep(world.clock, 1)
      for (const { supervisor } of world.server.entries) {
        supervisor.connection.close(0x100, '', { application: true })
      }
    })
    const session = await world.connected()
    const response = await world.run(session.request(), 1_000)
    // The end of the connection has arrived, and is not forgotten yet.
    await world.pass(75)
    expect(session.isUsable).toBe(false)
    const text = response.text().then(
      (whole) => `whole: ${whole}`,
      () => 'failed',
    )
    expect(await world.run(text, 1_000)).toBe('failed')
  })
})
