// What a server says about where else it is: Alt-Svc over TCP (RFC 7838), ORIGIN over HTTP/3 (RFC 9412).
import { request } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type QuactorServer, type ServeOptions, serve } from '../../../src/index.ts'

const running: QuactorServer[] = []

async function start(options: ServeOptions): Promise<number> {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    handler: (exchange) => exchange.respond(200),
    ...options,
  })
  running.push(server)
  return server.port
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close({ timeout: 50 })))
})

function altSvcOf(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume()
        resolve(response.headers['alt-svc'])
      },
    )
    outgoing.on('error', reject).end()
  })
}

describe('altSvc', () => {
  it('can be longer, persistent, cleared or absent', async () => {
    const port = await start({ altSvc: { maxAge: 60, persist: true } })
    expect(await altSvcOf(port)).toBe(`h3=":${port}"; ma=60; persist=1`)
    expect(await altSvcOf(await start({ altSvc: 'clear' }))).toBe('clear')
    expect(await altSvcOf(await start({ altSvc: false }))).toBeUndefined()
  })

  it.each([-1, 1.5, Number.NaN])('maxAge %d is refused before anything is opened', async (maxAge) => {
    await expect(async () => serve({ port: 0, altSvc: { maxAge } })).rejects.toThrow(RangeError)
  })
})

describe('origins', () => {
  it('are named to clients behind SETTINGS', async () => {
    const port = await start({ origins: ['https://a.example', 'https://b.example:8443'] })
    const session = await connect(`https://127.0.0.1:${port}/`, { insecure: true })
    try {
      expect((await session.request()).status).toBe(200)
      const origin = `https://127.0.0.1:${port}`
      expect([...session.origins!]).toEqual([origin, 'https://a.example', 'https://b.example:8443'])
    } finally {
      await session.end()
    }
  })

  it('without any nothing is said', async () => {
    const session = await connect(`https://127.0.0.1:${await start({})}/`, { insecure: true })
    await session.request()
    expect(session.origins).toBeUndefined()
    await session.end()
  })

  it('what is no origin is refused before anything is opened', async () => {
    await expect(async () => serve({ port: 0, origins: ['https://a.example/'] })).rejects.toThrow(TypeError)
  })
})
