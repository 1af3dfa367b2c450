import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminServer, listenAdmin } from '../../../src/supervisor/admin.ts'
import { Counters } from '../../../src/supervisor/counters.ts'
import { prometheusText } from '../../../src/supervisor/metrics.ts'
import { SupervisedWorld } from './supervised-world.ts'

interface Answer {
  status: number
  type: string | undefined
  body: string
}

function ask(port: number, path: string, options: { host?: string; method?: string } = {}): Promise<Answer> {
  const { host = `127.0.0.1:${port}`, method = 'GET' } = options
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, path, method, headers: { host } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () =>
        resolve({ status: response.statusCode!, type: response.headers['content-type'], body }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('the admin port', () => {
  let admin: AdminServer
  const world = new SupervisedWorld((exchange) => exchange.respond(200))
  beforeAll(async () => {
    const source = {
      status: () => world.status(),
      metrics: () => prometheusText(world.status(), new Counters()),
    }
    admin = await listenAdmin({ port: 0, source })
  })
  afterAll(() => admin.close())

  it('/status has exactly the numbers of the design', async () => {
    const { status, type, body } = await ask(admin.port, '/status')
    expect([status, type]).toEqual([200, 'application/json'])
    const shape = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
        : typeof value
    expect(shape(JSON.parse(body))).toEqual({
      connections: { live: 'number', opened: 'number', closed: 'number' },
      streams: { live: 'number', opened: 'number', closed: 'number', stuck: 'number' },
      actors: {
        live: 'number',
        started: 'number',
        stopped: 'number',
        crashed: 'number',
        missedTransitions: 'number',
      },
      handlers: { live: 'number' },
      datagramChannels: { live: 'number' },
      timers: { armed: 'number' },
      buffers: { receiveBytes: 'number', sendBytes: 'number' },
      backends: { udp: 'string', aead: 'string' },
      process: { rss: 'number', eventLoopLagP99Ms: 'number' },
    })
  })

  it('/metrics is Prometheus text: every sample has its help and its type', async () => {
    const { status, type, body } = await ask(admin.port, '/metrics')
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(samples.length).toBeGreaterThan(20)
    for (const sample of samples) {
      expect(sample).toMatch(/^quactor_[a-z0-9_]+(\{[^}]*\})? [0-9.e+-]+$/)
      const name = sample.split(/[ {]/)[0]
      expect(body).toContain(`# HELP ${name} `)
      expect(body).toMatch(new RegExp(`# TYPE ${name} (counter|gauge)`))
    }
  })

  it('/ is a page, anything else is not there', async () => {
    expect((await ask(admin.port, '/')).body).toContain('<!doctype html>')
    expect((await ask(admin.port, '/nothing')).status).toBe(404)
  })

  it('only answers to its own name (DNS rebinding, CVE-2018-7160)', async () => {
    const { port } = admin
    for (const host of [`localhost:${port}`, `[::1]:${port}`]) {
      expect((await ask(port, '/status', { host })).status).toBe(200)
    }
    for (const host of [
      'localhost',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      '127.0.0.1:1',
    ]) {
      const answer = await ask(port, '/status', { host })
      expect(answer.status).toBe(421)
      expect(answer.body).not.toContain('connections')
    }
  })

  it('only shows: other methods are refused', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await ask(admin.port, '/status', { method })).status).toBe(405)
    }
  })

  it('listens on loopback or not at all', () => {
    const source = { status: () => ({}), metrics: () => '' }
    expect(() => listenAdmin({ port: 0, address: '0.0.0.0', source })).toThrow(RangeError)
  })
})
