// Who may look, who may act, and what is refused.
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MAX_VIEWERS } from '../../../src/inspector/limits.ts'
import { CloseCode, MAX_CLIENT_MESSAGE } from '../../../src/inspector/protocol.ts'
import { FeedClient } from './feed-client.ts'
import { connectTo, get, openFeed, startInspected } from './inspected-server.ts'

/** The HTTP status that a WebSocket was refused with, or `open`. */
function attempt(inspector: string, path: string, headers: Record<string, string>): Promise<number | 'open'> {
  const { socket } = new FeedClient(`${inspector.replace('http', 'ws')}${path}`, headers)
  onTestFinished(() => socket.terminate())
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!))
    socket.on('open', () => resolve('open'))
  })
}

describe('the admin port', () => {
  it('listens on loopback and answers to its own names only', async () => {
    const { inspector } = await startInspected()
    const { port } = new URL(inspector)
    expect(inspector).toBe(`http://127.0.0.1:${port}`)
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', 'localhost:1']) {
      expect((await get(`${inspector}/`, { host })).status).toBe(421)
      expect((await get(`${inspector}/status`, { host })).status).toBe(421)
      expect(await attempt(inspector, '/feed', { host })).toBe(421)
    }
    expect((await get(`${inspector}/`, { host: `localhost:${port}` })).status).toBe(200)
    expect(await attempt(inspector, '/feed', { host: `[::1]:${port}` })).toBe('open')
  })

  it('refuses WebSockets that pages of other origins open', async () => {
    const { inspector } = await startInspected()
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost:1',
      inspector.replace('http', 'https'),
    ]) {
      expect(await attempt(inspector, '/feed', { origin })).toBe(403)
    }
    // Another name of the same port is another origin.
    expect(await attempt(inspector, '/feed', { origin: inspector.replace('127.0.0.1', 'localhost') })).toBe(
      403,
    )
    expect(await attempt(inspector, '/feed', { origin: inspector })).toBe('open')
    expect(await attempt(inspector, '/nothing', { origin: inspector })).toBe(404)
  })

  it('lets its page load and run nothing from elsewhere, and nothing inline', async () => {
    const { inspector } = await startInspected()
    const { headers } = await get(`${inspector}/`)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  it('serves no file from outside of the page', async () => {
    const { inspector } = await startInspected()
    for (const path of [
      '/assets/../../package.json',
      '/assets/%2e%2e/package.json',
      '/charts/..%2f..%2fx.json',
    ]) {
      expect((await get(`${inspector}${path}`)).status).toBe(404)
    }
  })

  it('says that the feed is a WebSocket', async () => {
    const { inspector } = await startInspected()
    expect((await get(`${inspector}/feed`)).status).toBe(426)
  })
})

describe('a viewer', () => {
  it('is closed for a message that is too long, and told off for one that is none', async () => {
    const { inspector } = await startInspected()
    const client = await openFeed(inspector)
    for (const text of ['', '{', '[]', 'null', '{"type":"nothing"}', '{"type":"select","uid":"1"}']) {
      client.socket.send(text)
    }
    await client.until(() => client.messages.filter(({ type }) => type === 'complaint').length === 6)
    client.socket.send(Buffer.from([1, 2, 3]))
    await client.until(() => client.messages.filter(({ type }) => type === 'complaint').length === 7)
    client.socket.send('x'.repeat(MAX_CLIENT_MESSAGE + 1))
    const [code] = await once(client.socket, 'close')
    expect(code).toBe(1009)
  })

  it('is one of few', async () => {
    const { inspector } = await startInspected()
    for (let count = 0; count < MAX_VIEWERS; count++) await openFeed(inspector)
    const { socket } = new FeedClient(`${inspector.replace('http', 'ws')}/feed`)
    const [code] = await once(socket, 'close')
    expect(code).toBe(CloseCode.tooMany)
  })
})

describe('the token', () => {
  it('is needed to arm, to act and for payloads; three wrong ones end the feed', async () => {
    const { inspector, token, server } = await startInspected()
    const session = await connectTo(server)
    const client = await openFeed(inspector)
    const [uid] = await client.row('connection')
    const action = { kind: 'drainConnection', uid }
    client.say({ type: 'arm', isArmed: true })
    expect((await client.next('armed')).isArmed).toBe(false)
    client.say({ type: 'action', id: 1, action, token: '' })
    expect(await client.next('result', ({ id }) => id === 1)).toMatchObject({ isDone: false, error: 'token' })
    client.say({ type: 'action', id: 2, action, token })
    expect(await client.next('result', ({ id }) => id === 2)).toMatchObject({ error: 'disarmed' })
    const closed = once(client.socket, 'close')
    client.say({ type: 'reveal', isRevealed: true, token: `${token}x` })
    expect((await closed)[0]).toBe(CloseCode.wrongToken)
    expect(server.status().connections.live).toBe(1)
    expect(session).toBeDefined()
  })

  it('differs from server to server and does not appear in what anybody can read', async () => {
    const first = await startInspected()
    const second = await startInspected()
    expect(first.token).not.toBe(second.token)
    expect(first.token).toMatch(/^[\w-]{22}$/)
    for (const path of ['/', '/status', '/connections', '/metrics']) {
      expect((await get(`${first.inspector}${path}`)).body).not.toContain(first.token)
    }
    const client = await openFeed(first.inspector)
    await client.next('tick')
    expect(JSON.stringify(client.messages)).not.toContain(first.token)
  })
})
