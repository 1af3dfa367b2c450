// What the tables of the commands are made into: help, completions (in a real bash), suggestions, progress lines; and
// quactor inspect against a real admin port.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadText } from '../../../src/cli/bench.ts'
import { COMMANDS, GET, SERVE } from '../../../src/cli/command-tables.ts'
import { completionScript } from '../../../src/cli/completions.ts'
import { adminAddress, openerFor } from '../../../src/cli/inspect.ts'
import { LatencyHistogram } from '../../../src/cli/latency-histogram.ts'
import { nearestWord } from '../../../src/cli/nearest-word.ts'
import { helpText, optionWords, parseCommandLine } from '../../../src/cli/option-table.ts'
import { downloadText, ProgressLine } from '../../../src/cli/progress-line.ts'
import { serve } from '../../../src/handlers/serve.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** Runs the command as a user would; what it printed, and its exit code. */
async function quactor(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const environment = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      env: environment,
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

describe('help', () => {
  it.each(COMMANDS.map((table) => [table.name, table] as const))(
    '%s explains every option',
    (_name, table) => {
      const text = helpText(table)
      for (const word of optionWords(table)) expect(text).toMatch(new RegExp(`${word}\\b`))
      expect(text).toMatch(/^Usage: quactor .*\nExamples:\n.*\nExit codes: /s)
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    },
  )

  it('names every command, and the version', async () => {
    const { out } = await quactor('--help')
    for (const { name } of COMMANDS) expect(out).toContain(`\n  ${name} `)
    expect((await quactor('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await quactor('help', 'bench')).out).toBe((await quactor('bench', '--help')).out)
  })
})

describe('what was meant', () => {
  it('is said for commands and options, with exit code 2', async () => {
    const wrong = await quactor('srve')
    expect(wrong).toEqual({
      code: 2,
      out: '',
      err: 'quactor: unknown command "srve"; did you mean quactor serve?\n',
    })
    expect((await quactor('xyzzy')).err).toBe('quactor: unknown command "xyzzy"; try quactor --help\n')
    expect((await quactor()).code).toBe(2)
    expect(() => parseCommandLine(GET, ['--isecure'])).toThrow(
      "Unknown option '--isecure'; did you mean --insecure?",
    )
    expect(() => parseCommandLine(GET, ['-Q'])).toThrow("Unknown option '-Q'; try quactor get --help")
    expect(() => parseCommandLine(SERVE, ['--port'])).toThrow(/^[^\n]*--port[^\n]*$/)
  })

  it('counts swapped, missing, wrong and additional letters', () => {
    const words = ['serve', 'get', 'bench']
    expect(['sevre', 'serv', 'gwt', 'bennch', 'nothing'].map((word) => nearestWord(word, words))).toEqual([
      ...['serve', 'serve', 'get', 'bench'],
      undefined,
    ])
  })
})

describe('completions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quactor-complete-'))

  /** What bash offers for the last of these words. */
  function complete(...words: string[]): string[] {
    const script = join(folder, 'quactor.bash')
    writeFileSync(script, completionScript(['bash']))
    const line = words.map((word) => `'${word}'`).join(' ')
    const program = `source ${script}; COMP_WORDS=(quactor ${line}); COMP_CWORD=${words.length}; _quactor; printf '%s\\n' "\${COMPREPLY[@]}"`
    const text = execFileSync('bash', ['--norc', '-c', program], { cwd: folder, encoding: 'utf8' })
    return text.split('\n').filter((word) => word !== '')
  }

  it('offers commands, options, values, files and folders in bash', () => {
    writeFileSync(join(folder, 'chain.pem'), '')
    try {
      expect(complete('')).toEqual([...COMMANDS.map(({ name }) => name), '--help', '--version'])
      expect(complete('be')).toEqual(['bench'])
      expect(complete('completions', '')).toEqual(['bash', 'zsh', 'fish'])
      expect(complete('serve', '--retry', 'a')).toEqual(['always', 'auto'])
      expect(complete('serve', '--cert', 'ch')).toEqual(['chain.pem'])
      expect(complete('serve', '--root', 'ch')).toEqual([])
      expect(complete('get', '-o', 'ch')).toEqual(['chain.pem'])
      expect(complete('get', '--in')).toEqual(['--include', '--insecure'])
      for (const table of COMMANDS) expect(complete(table.name, '--')).toEqual(optionWords(table))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each(['zsh', 'fish'])('knows every option in %s', (shell) => {
    const script = completionScript([shell])
    for (const table of COMMANDS) {
      expect(script).toContain(table.name)
      for (const name of Object.keys(table.options)) {
        expect(script).toContain(shell === 'zsh' ? `--${name}[` : ` -l ${name}`)
      }
    }
  })

  it('wants one shell that it knows', async () => {
    const { code, err } = await quactor('completions', 'tcsh')
    expect([code, err]).toEqual([2, 'quactor completions: name one shell of bash, zsh, fish\n'])
    expect((await quactor('completions', 'bash')).out).toBe(completionScript(['bash']))
  })
})

describe('progress', () => {
  const terminal = () => {
    const written: string[] = []
    return { written, isTTY: true, columns: 60, write: (text: string) => written.push(text) }
  }

  it('is drawn over itself, ten times a second at most, within the width, and taken away', () => {
    const screen = terminal()
    let now = 0
    const line = new ProgressLine(screen, () => now)
    line.clear()
    for (; now < 1000; now += 10) line.update(() => 'x'.repeat(100))
    line.clear()
    expect(screen.written).toEqual([...Array(10).fill(`\r\x1b[K${'x'.repeat(59)}`), '\r\x1b[K'])
  })

  it('is whole on a terminal that does not say its size, and ends in a line that stays', () => {
    const screen = { ...terminal(), columns: 0 }
    const line = new ProgressLine(screen, () => 0)
    line.update(() => 'y'.repeat(100))
    line.finish('done')
    line.clear()
    expect(screen.written).toEqual([`\r\x1b[K${'y'.repeat(79)}`, '\r\x1b[Kdone\n'])
  })

  it('is not drawn into a pipe', () => {
    const screen = { ...terminal(), isTTY: false }
    const line = new ProgressLine(screen, () => 1e9)
    line.update(() => 'seen')
    line.finish('seen')
    line.clear()
    expect([line.isVisible, screen.written]).toEqual([false, []])
  })

  it('says how much of a download there is, how fast it is and how long it takes', () => {
    expect(downloadText(3_145_728, 12_582_912, 2_000)).toBe(
      '[######                  ]  25 %  3.0 MiB of 12.0 MiB  1.5 MiB/s  0:06 left',
    )
    expect(downloadText(512, undefined, 65_000)).toBe('512 B  8 B/s  1:05')
    expect(downloadText(0, 10, 0)).toContain('[                        ]   0 %')
  })

  it('says how far a load run is, by its requests or its time', () => {
    const outcome = { succeeded: 490, failed: 10, errors: {}, statuses: {}, bodyBytes: 2048, elapsed: 0 }
    const plan = {
      fields: [],
      body: undefined,
      streams: 1,
      requests: 1000,
      duration: Number.POSITIVE_INFINITY,
    }
    const counted = loadText(plan, { ...outcome, latencies: new LatencyHistogram() }, 250)
    expect(counted).toBe('[############            ]  50 %  500 requests  2000/s  2.0 KiB  10 failed')
    const timed = { ...plan, requests: Number.POSITIVE_INFINITY, duration: 1000 }
    expect(loadText(timed, { ...outcome, latencies: new LatencyHistogram() }, 250)).toContain(' 25 %')
  })
})

describe('quactor inspect', () => {
  it('prints the address of a running server, whichever way it is named', async () => {
    const server = await serve({ port: 0, host: '127.0.0.1', tcp: false, inspector: { port: 0 } })
    try {
      const { port } = new URL(server.inspector!)
      const found = { code: 0, out: `http://127.0.0.1:${port}/\n`, err: '' }
      expect(await quactor('inspect', port)).toEqual(found)
      expect(await quactor('inspect', `http://127.0.0.1:${port}/status`)).toEqual(found)
      expect(await quactor('inspect', server.url, '--inspector', port)).toEqual(found)
      const withToken = await quactor('inspect', `http://127.0.0.1:${port}/?token=abc`)
      expect(withToken.out).toBe(`http://127.0.0.1:${port}/?token=abc\n`)
    } finally {
      await server.close({ timeout: 0 })
    }
  })

  it('says in one line that nobody answers, or somebody else', async () => {
    const other = createServer((_request, response) => response.end('{}'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const stranger = await quactor('inspect', String(port))
    other.close()
    expect(stranger.code).toBe(1)
    expect(stranger.err).toMatch(/^quactor inspect: what answers at .* is not a quactor server; .*\n$/)
    const nobody = await quactor('inspect', '1')
    expect(nobody.code).toBe(1)
    expect(nobody.err).toMatch(
      /^quactor inspect: nothing answers at http:\/\/127\.0\.0\.1:1; start one .*\n$/,
    )
  })

  it('takes ports and URLs of this machine', () => {
    expect(adminAddress(undefined, 4434)).toBe('http://127.0.0.1:4434')
    expect(adminAddress('https://localhost:4433/x', 9)).toBe('http://127.0.0.1:9')
    expect(() => adminAddress('https://example.com/', 4434)).toThrow('ssh -L 4434:127.0.0.1:4434 example.com')
    for (const text of ['70000', 'example', 'ftp://localhost']) {
      expect(() => adminAddress(text, 4434)).toThrow(/no URL|needs a port/)
    }
  })

  it('opens a page where there is a terminal and a display', () => {
    const on = (platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, isTerminal = true) =>
      openerFor({ platform, environment, isTerminal })?.[0]
    expect(on('linux', {})).toBeUndefined()
    expect(on('linux', { DISPLAY: ':0' })).toBe('xdg-open')
    expect(on('linux', { DISPLAY: ':0' }, false)).toBeUndefined()
    expect(on('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBe('xdg-open')
    expect([on('darwin', {}), on('win32', {})]).toEqual(['open', 'cmd'])
  })
})
