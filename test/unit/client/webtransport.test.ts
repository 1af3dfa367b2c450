// new WebTransport(url): what is refused at once, and what goes over real sockets.
import { afterEach, describe, expect, it } from 'vitest'
import { WebTransport } from '../../../src/client/webtransport.ts'
import { demoWebTransport } from '../../../src/handlers/demo-webtransport.ts'
import { type QuactorServer, serve } from '../../../src/handlers/serve.ts'
import type { WebTransportHandler } from '../../../src/handlers/webtransport-session.ts'

let server: QuactorServer | undefined

afterEach(async () => {
  await server?.close({ timeout: 100 })
  server = undefined
})

async function start(webtransport: WebTransportHandler) {
  server = await serve({ port: 0, host: '127.0.0.1', tcp: false, webtransport })
  const value = Buffer.from(server.certificate!.certificateHash, 'base64')
  const open = (path: string): WebTransport =>
    new WebTransport(`${server!.url}${path}`, { serverCertificateHashes: [{ algorithm: 'sha-256', value }] })
  return open
}

describe('new WebTransport', () => {
  it.each(['http://localhost/', 'nonsense', 'https://localhost/#here'])('%s is a SyntaxError', (url) => {
    expect(() => new WebTransport(url)).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
  })

  it('protocols that cannot be offered are a TypeError', () => {
    expect(() => new WebTransport('https://localhost/', { protocols: ['a', 'a'] })).toThrow(TypeError)
    expect(() => new WebTransport('https://localhost/', { protocols: ['ü'] })).toThrow(TypeError)
  })

  it('echoes on all three ways, and takes its connection with it', async () => {
    const open = await start(demoWebTransport)
    const session = open('/wt')
    await session.ready
    const writer = session.datagrams.writable.getWriter()
    await writer.write(Uint8Array.of(1, 2, 3))
    expect((await session.datagrams.readable.getReader().read()).value).toEqual(Uint8Array.of(1, 2, 3))
    const bidi = await session.createBidirectionalStream()
    const sink = bidi.writable.getWriter()
    void sink.write(Buffer.from('there and back'))
    await sink.close()
    const { value } = await bidi.readable.getReader().read()
    expect(Buffer.from(value!).toString()).toBe('there and back')
    session.close({ closeCode: 4, reason: 'done' })
    expect(await session.closed).toEqual({ closeCode: 4, reason: 'done' })
    await expect.poll(() => server!.status().connections.live).toBe(0)
    expect(server!.status().actors.live).toBe(0)
  })

  it('a server that says no rejects ready and closed', async () => {
    const open = await start((session) => session.reject(404))
    const session = open('/wt')
    await expect(session.ready).rejects.toMatchObject({ name: 'WebTransportError', source: 'session' })
    await expect(session.closed).rejects.toThrow('404')
    expect(session.responseHeaders?.get('date')).toBeTruthy()
    await expect.poll(() => server!.status().connections.live).toBe(0)
  })

  it('closed before it was ready', async () => {
    const open = await start(demoWebTransport)
    const session = open('/wt')
    session.close()
    await expect(session.ready).rejects.toMatchObject({ source: 'session' })
    await expect(session.closed).rejects.toMatchObject({ source: 'session' })
    await expect.poll(() => server!.status().connections.live).toBe(0)
  })

  it('a server without WebTransport is told apart', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', tcp: false, fetch: () => new Response('page') })
    const session = new WebTransport(server.url, { insecure: true })
    await expect(session.ready).rejects.toThrow('does not offer WebTransport')
    await expect.poll(() => server!.status().connections.live).toBe(0)
  })
})
