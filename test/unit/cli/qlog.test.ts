import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { parseServeOptions } from '../../../src/cli/serve-options.ts'
import { serve } from '../../../src/handlers/serve.ts'
import { parseSequence } from '../transport/connection/qlog/memory-log.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'quactor-qlog-'))

afterAll(() => rmSync(folder, { recursive: true }))

describe('--qlog DIR', () => {
  it('leaves one file of each side, named by the same connection ID, complete when the processes end', async () => {
    const logs = join(folder, 'logs')
    const server = await serve({ port: 0, host: '127.0.0.1', tcp: false, qlogDirectory: logs })
    try {
      const url = `https://127.0.0.1:${server.port}/bytes/5000`
      await promisify(execFile)(process.execPath, [MAIN, 'get', url, '--insecure', '--qlog', logs, '--json'])
    } finally {
      await server.close({ timeout: 2_000 })
    }
    const names = readdirSync(logs).sort()
    expect(names).toHaveLength(2)
    const [client, servers] = names
    expect(client).toMatch(/^[0-9a-f]{16,}_client\.sqlog$/)
    expect(servers).toBe(client.replace('client', 'server'))
    for (const name of names) {
      const events = parseSequence(readFileSync(join(logs, name), 'utf8')).slice(1)
      const types = new Set(events.map((event) => event.name))
      for (const type of ['packet_sent', 'packet_received', 'connection_closed', 'stream_state_updated']) {
        expect(types).toContain(`quic:${type}`)
      }
      expect(types).toContain('http3:frame_parsed')
      expect(events.at(-1)).toMatchObject({ name: 'quic:connection_state_updated', data: { new: 'closed' } })
    }
  })

  it('is refused with one clear line when the folder cannot be made', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(() => parseServeOptions(['--qlog', join(file, 'logs')])).toThrow(
      /^--qlog: cannot write to .*ENOTDIR/,
    )
    expect(parseServeOptions(['--qlog', folder]).serve.qlogDirectory).toBe(folder)
  })
})
