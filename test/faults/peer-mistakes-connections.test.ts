// More of what users of other packages for Node stumble over, the other way round: connections that never end, requests
// that hang, features that are taken and not announced. The rest is in peer-mistakes.test.ts.
import { describe, expect, it } from 'vitest'
import type { ClientResponse } from '../../src/client/client-response.ts'
import type { ExchangeHandler } from '../../src/handlers/exchange.ts'
import { fetchHandler } from '../../src/handlers/fetch-handler.ts'
import { H3ErrorCode } from '../../src/http3/index.ts'
import { Http3Peer } from '../rfc/http3-peer.ts'
import { headers } from '../unit/http3/session.ts'
import { SupervisedWorld } from '../unit/supervisor/supervised-world.ts'
import { straysDuring } from './fault-world.ts'

const { H3_INTERNAL_ERROR, H3_MESSAGE_ERROR } = H3ErrorCode

describe('without a time limit of the user', () => {
  it('connecting where nobody answers fails by itself, and says why', async () => {
    const world = new SupervisedWorld(() => {})
    const session = world.open({ remote: { address: '10.9.9.9', port: 1, family: 4 } })
    const failure = world.run(session.opened, 60_000).catch((error: unknown) => error)
    expect(await failure).toMatchObject({ kind: 'timeout', message: 'the server did not answer in time' })
    expect(session.isUsable).toBe(false)
  })

  it('a connection whose other end has vanished ends on both sides', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    await world.run(session.request(), 1_000)
    world.network.tap = () => true
    const reason = await world.run(session.closed, 120_000)
    expect(reason).toMatchObject({ kind: 'timeout' })
    await world.pass(60_000)
    world.expectNothingLeft()
  })
})

describe('a handler that throws', () => {
  const handlers: Record<string, ExchangeHandler> = {
    'at once': () => {
      throw new Error('planned')
    },
    later: async () => {
      await Promise.resolve()
      throw new Error('planned')
    },
    'as a fetch handler': fetchHandler(() => {
      throw new Error('planned')
    }),
    'as an async fetch handler': fetchHandler(async () => {
      throw new Error('planned')
    }),
    'by returning nothing': fetchHandler((() => undefined) as unknown as () => Response),
  }

  it.each(Object.entries(handlers))(
    '%s: its request fails at once, and nothing reaches the process',
    async (_name, handler) => {
      const world = new SupervisedWorld(handler)
      const session = await world.connected()
      let outcome: unknown
      const strays = await straysDuring(async () => {
        const request: Promise<ClientResponse> = session.request()
        outcome = await world.run(request, 1_000).catch((error: unknown) => error)
      })
      expect(strays).toEqual([])
      expect(outcome).toMatchObject({ kind: 'reset', code: H3_INTERNAL_ERROR })
    },
  )
})

describe('extended CONNECT (RFC 9220 section 3)', () => {
  it('is not taken where it was not announced', async () => {
    const peer = await Http3Peer.begin()
    peer.control()
    const head = [
      ':method',
      'CONNECT',
      ':protocol',
      'websocket',
      ':scheme',
      'https',
      ':authority',
      'a',
      ':path',
      '/',
    ]
    await peer.expectReset(peer.request(headers(head), false), H3_MESSAGE_ERROR)
  })
})
