// Every example as a user starts it: a process of its own, from which a client over HTTP/3 gets what the example says.
// Where ngtcp2's client is installed it asks, too.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ClientSession, connect, WebTransport } from '../../src/index.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLES = join(PROJECT, 'examples')
/** Lines that a screen shows. */
const ONE_SCREEN = 66
const folder = mkdtempSync(join(tmpdir(), 'quactor-examples-'))
const children: ChildProcess[] = []
const hasForeignClient = spawnSync('gtlsclient', ['--help']).error === undefined

beforeAll(() => {
  if (!hasForeignClient) console.log("ngtcp2's gtlsclient is not installed: only our own client asks")
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'close')
  }
})

afterAll(() => rmSync(folder, { recursive: true }))

async function start(
  name: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<URL> {
  const child = spawn(
    process.execPath,
    ['--conditions=quactor-source', join(EXAMPLES, `${name}.ts`), ...args],
    { cwd: folder, env: { ...process.env, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  children.push(child)
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      const ready = /ready (https:\S+)\n/.exec(output)
      if (ready !== null) resolve(new URL(ready[1]))
    })
    child.on('close', () => reject(new Error(`${name} ended before it was ready`)))
  })
}

async function session(url: URL): Promise<ClientSession> {
  return connect(url.origin, { insecure: true })
}

async function ask(
  url: URL,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const client = await session(url)
  try {
    const method = body === undefined ? 'GET' : 'POST'
    const response = await client.request({
      method,
      path,
      headers,
      ...(body !== undefined && { body: Buffer.from(body) }),
    })
    return await response.text()
  } finally {
    client.close()
  }
}

/** What a client of another make gets for the path, if there is one. */
function askForeign(url: URL, path: string): string | undefined {
  if (!hasForeignClient) return undefined
  const out = join(folder, 'foreign')
  rmSync(out, { recursive: true, force: true })
  const run = spawnSync(
    'gtlsclient',
    [
      '-q',
      '--exit-on-all-streams-close',
      `--download=${folder}`,
      'localhost',
      url.port,
      new URL(path, url).href,
    ],
    { timeout: 20_000 },
  )
  expect(run.status).toBe(0)
  return readFileSync(join(folder, path.split('/').at(-1)!), 'utf8')
}

test('each example fits on one screen', () => {
  for (const name of readdirSync(EXAMPLES)) {
    if (!name.endsWith('.ts')) continue
    const lines = readFileSync(join(EXAMPLES, name), 'utf8').trimEnd().split('\n').length
    expect([name, lines <= ONE_SCREEN]).toEqual([name, true])
  }
})

test('hello', async () => {
  const url = await start('hello')
  expect(await ask(url, '/world')).toBe('hello from /world\n')
  expect(askForeign(url, '/there') ?? 'hello from /there\n').toBe('hello from /there\n')
})

test('upload: progress while it runs, and a receipt', async () => {
  const url = await start('upload')
  const answer = await ask(url, '/', 'x'.repeat(300_000))
  expect(answer).toMatch(/^\d+ of 300000 bytes\n/)
  expect(answer).toMatch(/300000 of 300000 bytes\nstored 300000 bytes\n$/)
})

test('chat: what one member says, both hear', async () => {
  const url = await start('chat')
  const members = [0, 1].map(() => new WebTransport(`${url.origin}/chat`, { insecure: true }))
  await Promise.all(members.map((member) => member.ready))
  const heard = members.map(async (member) => {
    const { value } = await member.incomingUnidirectionalStreams.getReader().read()
    return text(value!)
  })
  const writer = (await members[0].createUnidirectionalStream()).getWriter()
  await writer.write(Buffer.from('hello, room'))
  await writer.close()
  expect(await Promise.all(heard)).toEqual(['hello, room', 'hello, room'])
  for (const member of members) member.close()
})

test('a long job goes on after the server was killed', async () => {
  const env = { DATABASE: join(folder, 'jobs.sqlite'), STEPS: '8' }
  const url = await start('long-job', [], env)
  const client = await session(url)
  const response = await client.request({ path: '/job' })
  let seen = ''
  while (!seen.includes('step 3')) seen += Buffer.from((await response.next())!).toString()
  children[0].kill('SIGKILL')
  client.close()
  const again = await start('long-job', [], env)
  const rest = await ask(again, '/job')
  expect(rest).not.toContain('step 2\n')
  expect(rest).toMatch(/step 7\ndone\n$/)
})

test.each([
  ['hono', '/users/7', '{"id":"7"}'],
  ['express', '/', 'hello from Express over HTTP/3.0\n'],
  ['fastify', '/', '{"hello":"Fastify","version":"3.0"}'],
  ['node-http', '/', 'hello over HTTP/3.0\n'],
])('%s: GET over HTTP/3, and over the TCP fallback', async (name, path, answer) => {
  const url = await start(name)
  expect(await ask(url, path)).toBe(answer)
  const curl = spawnSync('curl', ['-sk', '--http1.1', new URL(path, url).href], { timeout: 20_000 })
  if (curl.error === undefined) expect(curl.stdout.toString()).toBe(answer.replace('3.0', '1.1'))
})

test.each(['express', 'fastify', 'node-http'])('%s: a JSON body comes back', async (name) => {
  const url = await start(name)
  expect(await ask(url, '/echo', '{"a":1}', { 'content-type': 'application/json' })).toBe('{"a":1}')
})

test('a static site', async () => {
  const url = await start('static-site', [join(PROJECT, 'docs')])
  expect(await ask(url, '/architecture.md')).toBe(
    readFileSync(join(PROJECT, 'docs', 'architecture.md'), 'utf8'),
  )
})

test('fetch-server', async () => {
  const url = await start('fetch-server')
  expect(await ask(url, '/echo', 'back')).toBe('back')
})
