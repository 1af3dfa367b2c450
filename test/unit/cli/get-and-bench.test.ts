// The commands get and bench against a real server on loopback: output, exit codes, wrong usage.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { runBench } from '../../../src/cli/bench.ts'
import { runGet } from '../../../src/cli/get.ts'
import { type QuactorServer, serve } from '../../../src/index.ts'

let server: QuactorServer
let url: string
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quactor-get-'))
  const handler = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname === '/missing') return new Response('nothing here', { status: 404 })
    const sent = await request.text()
    return new Response(`${request.method} ${sent}`, {
      headers: { 'x-seen': request.headers.get('x-a') ?? '' },
    })
  }
  server = await serve({ port: 0, host: '127.0.0.1', tcp: false, inspector: false, fetch: handler })
  url = `https://127.0.0.1:${server.port}`
})

afterAll(async () => {
  await server.close({ timeout: 0 })
  rmSync(folder, { recursive: true })
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Runs a command and returns its exit code with what it printed. */
async function run(command: (args: string[]) => Promise<number>, ...args: string[]) {
  const capture = (stream: NodeJS.WriteStream): string[] => {
    const chunks: string[] = []
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      chunks.push(Buffer.from(chunk as Uint8Array).toString())
      return true
    })
    return chunks
  }
  const out = capture(process.stdout)
  const err = capture(process.stderr)
  const code = await command(args)
  vi.restoreAllMocks()
  return { code, out: out.join(''), err: err.join('') }
}

describe('quactor get', () => {
  it('prints the body, with -i the head before it, and exits with 0', async () => {
    expect(await run(runGet, `${url}/`, '--insecure')).toEqual({ code: 0, out: 'GET ', err: '' })
    const { out } = await run(runGet, `${url}/`, '--insecure', '-i', '-H', 'X-A: 7', '-d', 'data')
    expect(out).toMatch(/^HTTP\/3 200\n.*x-seen: 7\n.*\n\nPOST data$/s)
  })

  it('sends a file, writes to a file, and reports as JSON', async () => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    writeFileSync(from, 'x'.repeat(300_000))
    const { code, out } = await run(runGet, `${url}/`, '--insecure', '-d', `@${from}`, '-o', to, '--json')
    expect([code, JSON.parse(out)]).toMatchObject([0, { status: 200, bytes: 300_005 }])
    expect(readFileSync(to, 'utf8')).toBe(`POST ${'x'.repeat(300_000)}`)
  })

  it('exits as curl does: error status, server that cannot be trusted or reached, name that there is not, files', async () => {
    expect(await run(runGet, `${url}/missing`, '--insecure')).toMatchObject({ code: 22, out: 'nothing here' })
    const { code, err } = await run(runGet, `${url}/`)
    expect([code, err.trim().split('\n')]).toEqual([60, [expect.stringContaining('TLS alert 48')]])
    const codes = []
    for (const args of [
      ['https://no-such-host.invalid/'],
      ['https://127.0.0.1:9/', '--timeout', '0.2'],
      [`${url}/`, '--insecure', '-d', '@/no/file'],
      [`${url}/`, '--insecure', '-o', '/no/folder/file'],
    ]) {
      const result = await run(runGet, ...args)
      expect(result.err.trim().split('\n')).toHaveLength(1)
      codes.push(result.code)
    }
    expect(codes).toEqual([6, 28, 26, 23])
  })

  it('says with -v what was sent, what came back and how, and with --http3-only goes by nothing else', async () => {
    const { err } = await run(runGet, `${url}/x`, '--insecure', '-v', '--http3-only', '-H', 'x-a: 1')
    expect(err).toMatch(/> GET \/x\n> host: .*\n> x-a: 1\n< HTTP\/3 200\n.*\* full handshake/s)
    const early = await run(runGet, `${url}/x`, '--insecure', '-v', '--0rtt')
    expect(early.err).toMatch(/\* resumed handshake/)
  })

  it('exits with 2 and one clear line for wrong usage', async () => {
    for (const args of [
      [],
      [url, url],
      ['http://x/'],
      [url, '--wrong'],
      [url, '-H', 'nocolon'],
      [url, '--ca', '/no/file'],
    ]) {
      const { code, err } = await run(runGet, ...args)
      expect([code, err.trim().split('\n').length, err.startsWith('quactor get: ')]).toEqual([2, 1, true])
    }
  })
})

describe('quactor bench', () => {
  it('makes exactly the requests asked for and reports them', async () => {
    const args = [`${url}/`, '--insecure', '-c', '2', '-m', '5', '-n', '103', '--json']
    const { code, out } = await run(runBench, ...args)
    const report = JSON.parse(out)
    expect(code).toBe(0)
    expect(report).toMatchObject({ requests: 103, failed: 0, statuses: { 200: 103 }, bodyBytes: 103 * 4 })
    expect(report.latencyMs.p50).toBeLessThanOrEqual(report.latencyMs.max)
    const text = await run(runBench, `${url}/`, '--insecure', '-t', '0.2', '-d', 'abc')
    expect(text.out).toMatch(/requests \(0 failed\) in 0\.\d+ s: \d+ requests\/s/)
  })

  it('exits with 2 for wrong usage', async () => {
    for (const args of [
      [],
      [url, '-c', '0'],
      [url, '-n', '1', '-t', '1'],
      [url, '-m', 'many'],
      ['ftp://x'],
    ]) {
      const { code, err } = await run(runBench, ...args)
      expect([code, err.trim().split('\n').length, err.startsWith('quactor bench: ')]).toEqual([2, 1, true])
    }
  })
})
