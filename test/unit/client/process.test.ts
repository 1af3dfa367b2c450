// What a client leaves in its process: a script that made requests ends by itself, a response that was thrown away does not
// stay. Each case is a process of its own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type QuactorServer, serve } from '../../../src/index.ts'

const INDEX = fileURLToPath(new URL('../../../src/index.ts', import.meta.url))
const LIMIT = 20_000

let folder: string
let server: QuactorServer
let origin: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quactor-process-'))
  const fetch = (request: Request): Response => {
    if (new URL(request.url).pathname !== '/endless') return new Response('hello')
    return new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(10_000)) }))
  }
  server = await serve({ port: 0, host: '127.0.0.1', tls: 'self-signed', inspector: false, fetch })
  origin = `https://127.0.0.1:${server.port}`
})

afterAll(async () => {
  await server.close({ timeout: 0 })
  rmSync(folder, { recursive: true })
})

/** Runs a script with `origin` and the package in scope; resolves with what it printed, when it has ended by itself. */
async function run(
  script: string,
  ...flags: string[]
): Promise<{ output: string; code: number | null; ms: number }> {
  const file = join(folder, `${Math.random()}.mjs`)
  writeFileSync(
    file,
    `import { fetch, HttpClient, connect } from ${JSON.stringify(INDEX)}\nconst origin = ${JSON.stringify(origin)}\n${script}`,
  )
  const started = performance.now()
  const child = spawn(process.execPath, [...flags, file], {
    env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT)
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return {
    output: output.replaceAll(/\(node:.*\n|\(Use `node.*\n/g, ''),
    code,
    ms: performance.now() - started,
  }
}

const marks = `const ended = performance.now()
process.on('exit', () => console.log(performance.now() - ended < 3000 ? 'soon' : 'late'))`

describe('a script ends by itself', () => {
  it.each([
    ['after a fetch() over TCP', 'await (await fetch(origin)).text()'],
    [
      'after requests over HTTP/3, although nobody closed the client',
      `const client = new HttpClient({ insecure: true, http3: 'only' })
       for (let i = 0; i < 3; i++) await (await client.fetch(origin)).text()`,
    ],
    [
      'after close() with a body half read',
      `const client = new HttpClient({ insecure: true, http3: 'only' })
       const response = await client.fetch(origin + '/endless')
       await response.body.getReader().read()
       await client.close()`,
    ],
    [
      'after await using',
      `{ await using client = new HttpClient({ insecure: true, http3: 'prefer' })
         await (await client.fetch(origin)).text() }`,
    ],
    [
      'after a session was ended',
      `const session = await connect(origin, { insecure: true }); await session.end()`,
    ],
  ])('%s', async (_title, script) => {
    expect(await run(`${script}\n${marks}`)).toMatchObject({ output: 'soon\n', code: 0 })
  })

  it('but not while a response is on its way, nor while a session of connect() is open', async () => {
    const waiting = `const session = await connect(origin, { insecure: true })
      setTimeout(() => { console.log('still here'); session.close() }, 500).unref()`
    expect(await run(waiting)).toMatchObject({ output: 'still here\n', code: 0 })
    const fetching = `const client = new HttpClient({ insecure: true, http3: 'only' })
      const response = await client.fetch(origin + '/endless')
      let length = 0
      for await (const chunk of response.body) if ((length += chunk.length) > 1e6) break
      console.log('all read')`
    expect(await run(fetching)).toMatchObject({ output: 'all read\n', code: 0 })
  })
})

describe('a script waits', () => {
  it('for HTTP/3 where TCP comes to nothing, until that does, too', async () => {
    const script = `const client = new HttpClient({ insecure: true, http3: 'prefer', headStart: 50, timeout: 1000 })
      const error = await client.fetch('https://127.0.0.1:9/').catch((reason) => reason)
      console.log(error.cause.kind)`
    expect(await run(script)).toMatchObject({ output: 'connect\n', code: 0 })
  })
})

describe('a response that nobody holds any more', () => {
  it('is given up when it is collected, unread', async () => {
    const script = `const client = new HttpClient({ insecure: true, http3: 'only' })
      for (let i = 0; i < 3; i++) await client.fetch(origin + '/endless')
      const { session } = await client.request(origin)
      const live = () => session.holds
      const before = live()
      for (let i = 0; i < 50 && live() > 1; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)) }
      console.log(before, live())
      await client.close()`
    expect(await run(script, '--expose-gc')).toMatchObject({ output: '4 1\n', code: 0 })
  })
})
