import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { staticFiles } from '../../../src/handlers/static-files.ts'
import { ExchangeDouble } from './exchange-double.ts'

let root = ''
const BIG = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251))

beforeAll(() => {
  const base = mkdtempSync(join(tmpdir(), 'quactor-files-'))
  root = join(base, 'root')
  mkdirSync(join(root, 'folder'), { recursive: true })
  writeFileSync(join(base, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'a b.txt'), 'hello')
  writeFileSync(join(root, 'empty.css'), '')
  writeFileSync(join(root, 'big.bin'), BIG)
  writeFileSync(join(root, '.env'), 'secret')
  writeFileSync(join(root, 'folder', 'index.html'), '<p>index')
  symlinkSync(join(base, 'secret.txt'), join(root, 'link.txt'))
  writeFileSync(join(root, 'app.js'), 'plain')
  writeFileSync(join(root, 'app.js.br'), 'brotli')
  writeFileSync(join(root, 'app.js.gz'), 'gzip')
  writeFileSync(join(root, 'odd.js'), 'odd')
  symlinkSync(join(base, 'secret.txt'), join(root, 'odd.js.br'))
  utimesSync(join(root, 'a b.txt'), 1_700_000_000.5, 1_700_000_000.5)
})

afterAll(() => rmSync(join(root, '..'), { recursive: true }))

async function get(path: string, headers: string[] = [], method = 'GET'): Promise<ExchangeDouble> {
  const exchange = new ExchangeDouble({ path, headers, method })
  await staticFiles(root)(exchange)
  return exchange
}

describe('static files', () => {
  it('a file with its type and length', async () => {
    const exchange = await get('/a%20b.txt?x=1')
    expect([exchange.status, exchange.text]).toEqual([200, 'hello'])
    expect(exchange.field('content-type')).toBe('text/plain; charset=utf-8')
    expect(exchange.field('content-length')).toBe('5')
  })

  it('a large file in pieces, byte for byte', async () => {
    const exchange = await get('/big.bin')
    expect(Buffer.concat(exchange.written).equals(BIG)).toBe(true)
    expect(exchange.written.length).toBeGreaterThan(1)
    expect(exchange.field('content-type')).toBe('application/octet-stream')
  })

  it('HEAD has the fields and no body; an empty file is empty', async () => {
    const head = await get('/big.bin', [], 'HEAD')
    expect([head.status, head.field('content-length'), head.written.length]).toEqual([200, '200000', 0])
    const empty = await get('/empty.css')
    expect([empty.status, empty.text, empty.field('content-length')]).toEqual([200, '', '0'])
  })

  it.each([
    ['gzip, deflate, br, zstd', 'br', 'brotli'],
    ['gzip;q=0.5, br;q=0', 'gzip', 'gzip'],
    ['*', 'br', 'brotli'],
    ['br;q=0, gzip;q=0, *;q=0', undefined, 'plain'],
    ['zstd', undefined, 'plain'],
  ])('a variant compressed beforehand for "%s" (RFC 9110 section 12.5.3)', async (field, coding, text) => {
    const exchange = await get('/app.js', ['accept-encoding', field])
    expect([exchange.field('content-encoding'), exchange.text]).toEqual([coding, text])
    expect(exchange.field('content-type')).toMatch(/javascript/)
    expect(exchange.field('vary')).toBe('accept-encoding')
    const fresh = await get('/app.js', ['accept-encoding', field, 'if-none-match', exchange.field('etag')!])
    expect(fresh.status).toBe(304)
  })

  it('variants have validators of their own, and one that is a link is none', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', 'zstd'].map(async (coding) =>
        (await get('/app.js', ['accept-encoding', coding])).field('etag'),
      ),
    )
    expect(new Set(tags).size).toBe(3)
    const odd = await get('/odd.js', ['accept-encoding', 'br'])
    expect([odd.text, odd.field('vary')]).toEqual(['odd', undefined])
  })

  it('a folder stands for its index.html, with the slash', async () => {
    expect((await get('/folder/')).text).toBe('<p>index')
    expect((await get('/folder')).status).toBe(404)
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/folder/%2e%2e/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/folder\\..\\..\\secret.txt',
    '/link.txt',
    '/.env',
    '/%00',
    '/%zz',
    '/nothing',
    '*',
    `/${'a'.repeat(5_000)}`,
  ])('nothing outside of the root, and nothing hidden: %s', async (path) => {
    const exchange = await get(path)
    expect([exchange.status, exchange.text]).toEqual([404, 'not found\n'])
  })

  it('other methods get 405', async () => {
    const exchange = await get('/a%20b.txt', [], 'POST')
    expect([exchange.status, exchange.field('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('304 for a validator that still holds (RFC 9110 section 13.1)', async () => {
    const first = await get('/a%20b.txt')
    const etag = first.field('etag')!
    const modified = first.field('last-modified')!
    const statusFor = async (...headers: string[]): Promise<number> =>
      (await get('/a%20b.txt', headers)).status
    expect(await statusFor('if-none-match', etag)).toBe(304)
    expect(await statusFor('if-none-match', `"x", ${etag.slice(2)}`)).toBe(304)
    expect(await statusFor('if-none-match', '*')).toBe(304)
    expect(await statusFor('if-none-match', '"x"')).toBe(200)
    expect(await statusFor('if-modified-since', modified)).toBe(304)
    expect(await statusFor('if-modified-since', 'Thu, 01 Jan 1970 00:00:00 GMT')).toBe(200)
    expect(await statusFor('if-modified-since', 'yesterday')).toBe(200)
    expect(await statusFor('if-none-match', '"x"', 'if-modified-since', modified)).toBe(200)
  })

  it.each([
    ['bytes=0-1', 206, 'he', 'bytes 0-1/5'],
    ['bytes=3-', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=-99', 206, 'hello', 'bytes 0-4/5'],
    ['bytes=1-99', 206, 'ello', 'bytes 1-4/5'],
    ['bytes=5-', 416, '', 'bytes */5'],
    ['bytes=-0', 416, '', 'bytes */5'],
    ['bytes=2-1', 200, 'hello', undefined],
    ['bytes=0-0,2-2', 200, 'hello', undefined],
    ['lines=1-2', 200, 'hello', undefined],
  ])('range %s (RFC 9110 section 14.1.2)', async (range, status, text, contentRange) => {
    const exchange = await get('/a%20b.txt', ['range', range])
    expect([exchange.status, exchange.text, exchange.field('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ])
  })

  it('a range of a large file over several pieces', async () => {
    const exchange = await get('/big.bin', ['range', 'bytes=1000-150000'])
    expect(Buffer.concat(exchange.written).equals(BIG.subarray(1_000, 150_001))).toBe(true)
  })

  it('If-Range that does not match gets the whole file (RFC 9110 section 13.1.5)', async () => {
    const etag = (await get('/a%20b.txt')).field('etag')!
    expect((await get('/a%20b.txt', ['range', 'bytes=0-1', 'if-range', etag])).status).toBe(200)
  })
})
