import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { parseServeOptions } from '../../../src/cli/serve-options.ts'
import { connect } from '../../../src/client/connect.ts'
import { createSelfSigned } from '../../../src/transport/io/self-signed.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'quactor-cli-'))
const garbage = join(folder, 'garbage.pem')
writeFileSync(garbage, 'garbage')

afterAll(() => rmSync(folder, { recursive: true }))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args])
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.err += text
  })
  return { child, output, ended: once(child, 'close').then(([code]) => code as number) }
}

async function ready(...args: string[]) {
  const command = run('serve', '--port', '0', '--inspector', '0', '--host', '127.0.0.1', '--json', ...args)
  await once(command.child.stdout, 'data')
  return { ...command, line: JSON.parse(command.output.out) }
}

describe('quactor serve', () => {
  it('prints one ready line, serves, and ends with 0 on SIGTERM', async () => {
    const keyLog = join(folder, 'keys.log')
    const { line, child, output, ended } = await ready('--keylog', keyLog)
    expect(line).toMatchObject({ event: 'ready', url: `https://localhost:${line.port}`, pid: child.pid })
    expect(Buffer.from(line.spkiHash, 'base64')).toHaveLength(32)
    expect(Buffer.from(line.certificateHash, 'base64')).toHaveLength(32)
    const status = await (await fetch(`${line.inspector}/status`)).json()
    expect(status).toMatchObject({ connections: { opened: 0 } })
    const session = await connect(`https://127.0.0.1:${line.port}`, { insecure: true })
    const response = await session.request({ path: '/health' })
    expect(await response.text()).toBe('ok')
    await session.end()
    expect(readFileSync(keyLog, 'utf8')).toContain('SERVER_TRAFFIC_SECRET_0 ')
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(output.out.trim().split('\n')).toHaveLength(1)
    expect(output.err).toBe('warning: the key log holds the secrets of all connections\n')
  })

  it('SIGHUP reads certificates and ticket keys again; broken ones are said, and the old ones stay', async () => {
    const files = {
      cert: join(folder, 'hup.pem'),
      key: join(folder, 'hup.key'),
      tickets: join(folder, 'hup.tickets'),
    }
    const write = async (name: string): Promise<string> => {
      const { certPem, keyPem } = await createSelfSigned({ names: [name] })
      writeFileSync(files.cert, certPem)
      writeFileSync(files.key, keyPem)
      return certPem
    }
    await write('old.example')
    writeFileSync(files.tickets, `${'0a'.repeat(32)}\n`)
    const { line, child, output } = await ready(
      ...['--cert', files.cert, '--key', files.key, '--ticket-keys', files.tickets, '--access-log', 'text'],
    )
    const ca = await write('new.example')
    child.kill('SIGHUP')
    await once(child.stderr, 'data')
    const options = { serverName: 'new.example', ca }
    const session = await connect(`https://127.0.0.1:${line.port}`, options)
    expect(await (await session.request({ path: '/health' })).text()).toBe('ok')
    await session.end()
    expect(output.out).toMatch(/ h3 GET \/health 200 2 B /)
    writeFileSync(files.tickets, 'no key\n')
    child.kill('SIGHUP')
    await once(child.stderr, 'data')
    expect(output.err).toBe(
      `certificates and ticket keys were read again\nnot reloaded: --ticket-keys: ${files.tickets} needs lines of 64 hexadecimal digits\n`,
    )
  })

  it('a port that is in use: one line, exit code 2', async () => {
    const first = await ready()
    const port = String(first.line.port)
    const second = run('serve', '--port', port, '--host', '127.0.0.1', '--inspector', 'off')
    expect(await second.ended).toBe(2)
    expect(second.output.err).toBe(
      `quactor serve: 127.0.0.1 port ${port} is in use; choose another with --port or --inspector\n`,
    )
  })

  it('a key that cannot be used: one line, exit code 2', async () => {
    const { ended, output } = run(
      'serve',
      '--port',
      '0',
      '--inspector',
      'off',
      '--cert',
      garbage,
      '--key',
      garbage,
    )
    expect(await ended).toBe(2)
    expect(output.err).toMatch(/^quactor serve: [^\n]+\n$/)
  })

  it('a command that there is not: one line, exit code 2', async () => {
    const { ended, output } = run('fly')
    expect(await ended).toBe(2)
    expect(output.err).toMatch(/^quactor: unknown command "fly"[^\n]*\n$/)
  })
})

describe('the options of quactor serve', () => {
  it('defaults: port 4433, inspector 4434', () => {
    expect(parseServeOptions([])).toMatchObject({
      isHelp: false,
      isJson: false,
      serve: { port: 4433, inspector: { port: 4434 }, retry: 'auto' },
    })
  })

  it('all of them', () => {
    const { serve, isJson } = parseServeOptions([
      folder,
      '--port=1',
      '--host',
      '::1',
      '--inspector',
      'off',
      '--retry=always',
      '--preferred=[::1]:8443',
      '--json',
    ])
    const preferredAddress = { ipv6: { address: '::1', port: 8_443, family: 6 } }
    expect(serve).toEqual({
      port: 1,
      host: '::1',
      inspector: false,
      root: folder,
      retry: 'always',
      preferredAddress,
    })
    expect(isJson).toBe(true)
  })

  it.each([
    [['--nope'], /Unknown option '--nope'/],
    [['--retry', 'sometimes'], /--retry is always, never or auto, not "sometimes"/],
    [['--preferred', 'localhost:1'], /--preferred needs ADDRESS:PORT or \[IPV6\]:PORT, not "localhost:1"/],
    [['--retries'], /Unknown option '--retries'/],
    [['--port'], /'--port <value>' argument missing/],
    [['--port', '65536'], /--port needs a port from 0 to 65535, not "65536"/],
    [['--port', '-1'], /port/],
    [['--inspector', 'on'], /--inspector needs a port/],
    [['a', 'b'], /only one folder/],
    [['/nonexistent'], /"\/nonexistent" is not a folder/],
    [[folder, '--root', folder], /give the folder once/],
    [['--cert', 'x'], /belong together/],
    [['--cert', '/nonexistent', '--key', garbage], /--cert: cannot read \/nonexistent \(ENOENT\)/],
    [['--keylog', '/nonexistent/keys'], /--keylog: cannot write \/nonexistent\/keys \(ENOENT\)/],
  ])('%j is refused in one line', (args, message) => {
    let thrown: unknown
    try {
      parseServeOptions(args)
    } catch (error) {
      thrown = error
    }
    expect((thrown as Error).name).toBe('UsageError')
    expect((thrown as Error).message).toMatch(message)
    expect((thrown as Error).message).not.toContain('\n')
  })
})
