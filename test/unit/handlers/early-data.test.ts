// serve({ earlyData, ticketKeys }) over real sockets, asked by quactor get and by HttpClient.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { runGet } from '../../../src/cli/get.ts'
import { parseServeOptions } from '../../../src/cli/serve-options.ts'
import { UsageError } from '../../../src/cli/usage-error.ts'
import { HttpClient, MemorySessionStore, type ServeOptions, serve } from '../../../src/index.ts'

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(options: ServeOptions): Promise<string> {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    fetch: (request) => new Response(`${request.method} ${request.earlyData}`),
    ...options,
  })
  ends.push(() => server.close({ timeout: 50 }))
  return `https://127.0.0.1:${server.port}/`
}

/** Runs `quactor get` and returns what it prints. */
async function get(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const capture = (stream: NodeJS.WriteStream): Buffer[] => {
    const chunks: Buffer[] = []
    vi.spyOn(stream, 'write').mockImplementation((chunk) => chunks.push(Buffer.from(chunk as Uint8Array)) > 0)
    return chunks
  }
  const out = capture(process.stdout)
  const err = capture(process.stderr)
  const code = await runGet(args)
  vi.restoreAllMocks()
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
}

describe('quactor get --0rtt -v', () => {
  it('says that early data was accepted, and the handler sees it', async () => {
    const url = await start({ earlyData: true })
    const { code, out, err } = await get(url, '--insecure', '--0rtt', '-v')
    expect([code, out]).toEqual([0, 'GET true'])
    expect(err).toMatch(/\n\* resumed handshake, TLS_\w+, early data accepted\n$/)
  })

  it('waits for the handshake with what is not safe', async () => {
    const url = await start({ earlyData: true })
    const { out, err } = await get(url, '--insecure', '--0rtt', '-v', '-d', 'x')
    expect(out).toBe('POST false')
    expect(err).toContain('resumed handshake')
  })

  it('resumes without early data where the server takes none', async () => {
    const { out, err } = await get(await start({}), '--insecure', '--0rtt', '-v')
    expect([out, err]).toEqual(['GET false', expect.stringMatching(/resumed .* no early data\n$/)])
  })

  it('is in the JSON, too', async () => {
    const { out } = await get(await start({ earlyData: true }), '--insecure', '--0rtt', '--json')
    expect(JSON.parse(out)).toMatchObject({ status: 200, isResumed: true, earlyData: 'accepted' })
  })
})

describe('ticketKeys', () => {
  it.each([[[]], [[new Uint8Array(32)]], [[new Uint8Array(31).fill(1)]]])(
    'that cannot be used stop serve() before it listens (CVE-2020-13777)',
    async (ticketKeys) => {
      await expect(serve({ port: 0, ticketKeys })).rejects.toThrow(RangeError)
    },
  )

  it('false: no tickets, every handshake is a full one', async () => {
    const url = await start({ ticketKeys: false, tcp: false })
    const sessions = new MemorySessionStore()
    const client = new HttpClient({ insecure: true, sessions, http3: 'only' })
    ends.push(() => client.close())
    expect(await (await client.fetch(url)).text()).toBe('GET false')
    expect(sessions.size).toBe(0)
  })

  it('an HttpClient resumes by itself, with the keys that two servers share', async () => {
    const ticketKeys = [new Uint8Array(32).fill(9)]
    const sessions = new MemorySessionStore()
    const origins: string[] = []
    const store = {
      take: () => sessions.take('any'),
      put: (origin: string, session: Parameters<typeof sessions.put>[1]) => {
        origins.push(origin)
        sessions.put('any', session)
      },
    }
    for (const url of [await start({ ticketKeys }), await start({ ticketKeys })]) {
      const client = new HttpClient({ insecure: true, sessions: store, http3: 'only' })
      expect(await (await client.fetch(url)).text()).toBe('GET false')
      await vi.waitFor(() => expect(origins.at(-1)).toBe(new URL(url).origin))
      await client.close()
    }
    // Two tickets after the full handshake, one of which is used; one after the resumed one.
    expect(origins).toHaveLength(3)
  })
})

it('quactor serve --early-data turns it on; it is off otherwise', () => {
  expect(parseServeOptions(['--early-data']).serve.earlyData).toBe(true)
  expect(parseServeOptions([]).serve.earlyData).toBeUndefined()
  expect(() => parseServeOptions(['--early-data=maybe'])).toThrow(UsageError)
})
