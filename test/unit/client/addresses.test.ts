// Addresses of a name in the order in which they are tried (RFC 8305 section 4).
import { describe, expect, it } from 'vitest'
import { addressesOf } from '../../../src/client/addresses.ts'
import { connect } from '../../../src/client/connect.ts'
import { MAX_ADDRESSES } from '../../../src/client/limits.ts'
import { serve } from '../../../src/index.ts'

const answer =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

const order = async (...addresses: string[]) =>
  (await addressesOf('name.test', 1, answer(...addresses))).map(({ address }) => address)

describe('addressesOf()', () => {
  it("interleaves the families, beginning with the first one's", async () => {
    expect(await order('::1', '::2', '::3', '10.0.0.1', '10.0.0.2')).toEqual([
      '::1',
      '10.0.0.1',
      '::2',
      '10.0.0.2',
      '::3',
    ])
    expect(await order('10.0.0.1', '::1')).toEqual(['10.0.0.1', '::1'])
  })

  it('takes literals as they are, and a bounded number of addresses', async () => {
    const never = () => Promise.reject(new Error('not to be asked'))
    expect(await addressesOf('::1', 5, never)).toEqual([{ address: '::1', port: 5, family: 6 }])
    const many = Array.from({ length: 50 }, (_, index) => `10.0.0.${index}`)
    expect(await order(...many)).toHaveLength(MAX_ADDRESSES)
  })

  it('says which name was not found', async () => {
    const problem = addressesOf('name.test', 1, () => Promise.reject(new Error('ENOTFOUND')))
    await expect(problem).rejects.toMatchObject({
      kind: 'connect',
      message: 'the host name.test was not found',
    })
  })
})

describe('connect()', () => {
  it('gives each address a head start, and ends with the first that answers', async () => {
    const server = await serve({
      port: 0,
      host: '127.0.0.1',
      tcp: false,
      inspector: false,
      fetch: () => new Response(),
    })
    const resolve = answer('::1', '127.0.0.1')
    const started = performance.now()
    const session = await connect(`https://name.test:${server.port}`, { insecure: true, resolve })
    expect(performance.now() - started).toBeGreaterThan(200)
    expect([session.authority, session.connection.path.remote.address]).toEqual([
      `name.test:${server.port}`,
      '127.0.0.1',
    ])
    await session.end()
    await server.close({ timeout: 0 })
  })

  it('speaks to an alternative in the name of the origin (RFC 7838 section 2.1)', async () => {
    const server = await serve({
      port: 0,
      host: '127.0.0.1',
      tcp: false,
      inspector: false,
      fetch: () => new Response(),
    })
    const alternative = { host: '127.0.0.1', port: server.port }
    const session = await connect('https://origin.test', { insecure: true, alternative })
    expect([session.authority, (await session.request()).status]).toEqual(['origin.test', 200])
    await session.end()
    await server.close({ timeout: 0 })
  })
})
