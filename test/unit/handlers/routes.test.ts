import { describe, expect, it } from 'vitest'
import { fetchHandler } from '../../../src/handlers/fetch-handler.ts'
import { routes } from '../../../src/handlers/routes.ts'
import { ExchangeDouble } from './exchange-double.ts'

const table = routes({
  '/': () => new Response('root'),
  'GET /users/:id': (_request, { params, url }) =>
    new Response(`user ${params.id} ${url.searchParams.get('q')}`),
  'DELETE /users/:id': (_request, { params }) => new Response(`gone ${params.id}`),
  '/files/*': (_request, { params }) => new Response(`file ${params['0']}`),
})

async function ask(method: string, path: string, handler = table): Promise<ExchangeDouble> {
  const exchange = new ExchangeDouble({ method, path })
  await fetchHandler(handler)(exchange)
  return exchange
}

describe('routes()', () => {
  it.each([
    ['GET', '/', 'root'],
    ['POST', '/', 'root'],
    ['GET', '/users/7?q=x', 'user 7 x'],
    ['DELETE', '/users/a%20b', 'gone a%20b'],
    ['GET', '/files/deep/name.txt', 'file deep/name.txt'],
  ])('%s %s', async (method, path, text) => {
    const exchange = await ask(method, path)
    expect([exchange.status, exchange.text]).toEqual([200, text])
  })

  it('HEAD goes where GET goes', async () => {
    expect((await ask('HEAD', '/users/7')).status).toBe(200)
  })

  it('another method is 405 with those that there are (RFC 9110 section 15.5.6)', async () => {
    const exchange = await ask('PUT', '/users/7')
    expect([exchange.status, exchange.field('allow')]).toEqual([405, 'GET, HEAD, DELETE'])
  })

  it('no pattern: 404, or what the fallback says', async () => {
    expect((await ask('GET', '/none')).status).toBe(404)
    expect((await ask('GET', '/users/7/x')).status).toBe(404)
    const own = routes({}, () => new Response('own', { status: 410 }))
    expect((await ask('GET', '/none', own)).status).toBe(410)
  })

  it('a table that makes no sense is refused', () => {
    expect(() => routes({ users: () => new Response() })).toThrow(TypeError)
    expect(() => routes({ 'get /x': () => new Response() })).toThrow(TypeError)
  })
})
