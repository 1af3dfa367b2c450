// connect() over real sockets on loopback.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type QuactorServer, serve } from '../../../src/index.ts'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'

let server: QuactorServer
let url: string
let ca: string

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/echo') return new Response(request.body, { headers: { 'x-method': request.method } })
  if (pathname === '/empty') return new Response(null, { status: 204 })
  if (pathname === '/slow') await new Promise((resolve) => setTimeout(resolve, 5_000, undefined).unref())
  return new Response('hello', { headers: { 'x-seen': request.headers.get('x-sent') ?? '' } })
}

beforeAll(async () => {
  const { certPem, keyPem } = await createSelfSigned({ names: ['localhost', '127.0.0.1'] })
  ca = certPem
  const tls = { cert: certPem, key: keyPem }
  server = await serve({ port: 0, host: '127.0.0.1', tls, tcp: false, inspector: false, fetch: answer })
  url = `https://127.0.0.1:${server.port}`
})

afterAll(async () => {
  await server.close({ timeout: 0 })
})

describe('connect()', () => {
  it('accepts a certificate that the given authority vouches for, for that name', async () => {
    const session = await connect(url, { ca })
    const response = await session.request({ headers: { 'x-sent': 'yes' } })
    expect([response.status, response.header('x-seen'), await response.text()]).toEqual([200, 'yes', 'hello'])
    await session.end()
  })

  it('takes datagrams, and shows what is asked for (RFC 9297 section 2.1.1)', async () => {
    const { certPem: cert, keyPem: key } = await createSelfSigned({ names: ['client.test'] })
    const session = await connect(url, { ca, cert, key })
    const response = await session.request()
    await session.settings
    expect(response.datagrams!.maxPayload).toBeGreaterThan(1_000)
    await expect(connect(url, { ca, cert: 'no PEM', key })).rejects.toThrow()
    await session.end()
  })

  it('refuses a certificate of nobody it trusts, and one for another name (RFC 9001 section 4.4)', async () => {
    await expect(connect(url)).rejects.toMatchObject({ kind: 'connect', code: 0x100 + 48 })
    await expect(connect(url, { ca, serverName: 'elsewhere.test' })).rejects.toMatchObject({
      kind: 'connect',
    })
  })

  it('accepts anything when told to, and refuses a protocol that is not spoken there', async () => {
    const session = await connect(url, { insecure: true, serverName: 'elsewhere.test' })
    await session.end()
    const other = connect(url, { insecure: true, alpn: ['other'] })
    await expect(other).rejects.toMatchObject({ kind: 'connect', code: 0x100 + 120 })
  })

  it('gives up at its time, and at once when aborted, where nobody answers', async () => {
    const silent = 'https://127.0.0.1:9'
    await expect(connect(silent, { timeout: 50 })).rejects.toMatchObject({ kind: 'timeout' })
    const signal = AbortSignal.timeout(20)
    await expect(connect(silent, { signal })).rejects.toThrow(/timeout/)
    await expect(connect('https://no-such-host.invalid/')).rejects.toMatchObject({ kind: 'connect' })
    await expect(connect('http://127.0.0.1/')).rejects.toThrow(TypeError)
  })
})
