import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { QlogTrace } from '../../../../src/transport/connection/qlog/index.ts'
import { QlogDirectory } from '../../../../src/transport/io/qlog-directory.ts'
import { parseSequence } from '../connection/qlog/memory-log.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quactor-qlog-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function trace(last = 1, role: 'client' | 'server' = 'server'): QlogTrace {
  return { role, originalDestinationConnectionId: Uint8Array.of(0xab, last), time: 100 }
}

function read(name: string) {
  return parseSequence(readFileSync(join(folder, name), 'utf8'))
}

describe('qlog on disk', () => {
  it('is one .sqlog file per connection, named by its original destination ID and its role', async () => {
    const directory = new QlogDirectory(join(folder, 'new', 'logs'))
    const server = directory.open(trace(1))!
    const client = directory.open(trace(1, 'client'))!
    server.write(101.25, 'quic:packet_sent', 'transport', { header: { packet_type: '1RTT' } })
    server.end()
    client.end()
    await directory.close()
    expect(readdirSync(join(folder, 'new', 'logs')).sort()).toEqual([
      'ab01_client.sqlog',
      'ab01_server.sqlog',
    ])
    const [head, event] = read('new/logs/ab01_server.sqlog')
    expect(head).toMatchObject({ trace: { common_fields: { group_id: 'ab01' } } })
    expect(event).toEqual({
      time: 1.25,
      name: 'quic:packet_sent',
      category: 'transport',
      data: { header: { packet_type: '1RTT' } },
    })
    expect([directory.openFiles, directory.buffered, directory.dropped]).toEqual([0, 0, 0])
  })

  it('is readable by its user only', async () => {
    const directory = new QlogDirectory(folder)
    directory.open(trace())!.end()
    await directory.close()
    expect(statSync(join(folder, 'ab01_server.sqlog')).mode & 0o077).toBe(0)
  })

  it('flushes on close what was never ended', async () => {
    const directory = new QlogDirectory(folder)
    const sink = directory.open(trace())!
    for (let i = 0; i < 1_000; i++)
      sink.write(100 + i, 'quic:timer_updated', 'recovery', { event_type: 'set' })
    await directory.close()
    expect(read('ab01_server.sqlog')).toHaveLength(1_001)
    sink.write(2_000, 'quic:timer_updated', 'recovery', { event_type: 'set' })
    expect(directory.buffered).toBe(0)
  })

  it('drops and counts what a slow disk has no room for, and says so in the file (attack catalogue, row 81)', async () => {
    const directory = new QlogDirectory(folder, { bufferCap: 4_000 })
    const sink = directory.open(trace())!
    const data = { text: 'x'.repeat(1_000) }
    // The disk gets no turn in between.
    for (let i = 0; i < 50; i++) sink.write(100, 'quic:packet_sent', 'transport', data)
    expect(directory.buffered).toBeLessThanOrEqual(4_000)
    const { dropped } = directory
    expect(dropped).toBeGreaterThan(40)
    await directory.close()
    const records = read('ab01_server.sqlog')
    expect(records).toHaveLength(1 + 50 - dropped + 1)
    expect(records.at(-1)).toMatchObject({
      name: 'loglevel:warning',
      data: { message: expect.stringContaining(`${dropped} events`) },
    })
    expect(directory.buffered).toBe(0)
  })

  it('has at most so many files open, and logs the others not at all', async () => {
    const directory = new QlogDirectory(folder, { openFilesCap: 2 })
    const sinks = [1, 2, 3].map((last) => directory.open(trace(last)))
    expect(sinks[2]).toBeUndefined()
    expect(directory.refused).toBe(1)
    for (const sink of sinks) sink?.end()
    await directory.close()
    expect(directory.open(trace(4))).toBeDefined()
    await directory.close()
    expect(readdirSync(folder)).toHaveLength(3)
  })

  it('never overwrites a file, also when a peer repeats a connection ID', async () => {
    const directory = new QlogDirectory(folder)
    for (let i = 0; i < 10; i++) directory.open(trace())!.end()
    await directory.close()
    expect(readdirSync(folder)).toHaveLength(8)
    expect(directory.refused).toBe(2)
  })

  it('does not fail a connection when the folder is gone', async () => {
    const directory = new QlogDirectory(join(folder, 'gone'))
    rmSync(directory.path, { recursive: true })
    const sink = directory.open(trace())!
    sink.write(100, 'quic:packet_sent', 'transport', {})
    await directory.close()
    sink.write(101, 'quic:packet_sent', 'transport', {})
    expect([directory.refused, directory.buffered, directory.openFiles]).toEqual([1, 0, 0])
  })
})
