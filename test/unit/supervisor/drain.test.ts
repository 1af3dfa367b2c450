import { describe, expect, it } from 'vitest'
import { SupervisedWorld } from './supervised-world.ts'

describe('draining (RFC 9114 section 5.2)', () => {
  it('tells an idle client with CONNECTION_CLOSE(H3_NO_ERROR) after the announced second', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    const report = await world.run(world.server.drain(), 30_000)
    expect(report).toEqual({ finished: 0, cut: 0 })
    const reason = await world.run(session.closed, 1_000)
    expect(reason.message).toContain('going away')
    world.expectNothingLeft()
  })
})
