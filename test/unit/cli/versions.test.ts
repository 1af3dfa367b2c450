import { describe, expect, it } from 'vitest'
import { parseServeOptions } from '../../../src/cli/serve-options.ts'
import { connect } from '../../../src/client/connect.ts'
import { serve } from '../../../src/handlers/serve.ts'

describe('versions over real sockets', () => {
  it.each([
    [['v2', 'v1'], undefined, 0x6b3343cf],
    [undefined, ['v2', 'v1'], 0x6b3343cf],
    [undefined, undefined, 1],
    // Version 1 first, because most servers speak it; the answer names version 2.
    [['v2'], undefined, 0x6b3343cf],
    [['v2'], ['v2'], 0x6b3343cf],
  ] as const)('server %j and client %j meet', async (ofServer, ofClient, expected) => {
    const server = await serve({
      port: 0,
      host: '127.0.0.1',
      tcp: false,
      ...(ofServer && { versions: ofServer }),
    })
    try {
      const session = await connect(`https://127.0.0.1:${server.port}`, {
        insecure: true,
        versions: ofClient,
      })
      const response = await session.request({ path: '/health' })
      expect(await response.text()).toBe('ok')
      expect(session.connection.version).toBe(expected)
      await session.end()
    } finally {
      await server.close({ timeout: 1_000 })
    }
  })

  it('refuses lists that are none', async () => {
    expect(parseServeOptions(['--versions', 'v2,v1']).serve.versions).toEqual(['v2', 'v1'])
    for (const list of ['v3', '', 'v1,v1', 'v1;v2']) {
      expect(() => parseServeOptions(['--versions', list])).toThrow(/^--versions is v1, v2 or both/)
    }
    await expect(connect('https://127.0.0.1:1', { versions: [] })).rejects.toThrow(RangeError)
  })
})
