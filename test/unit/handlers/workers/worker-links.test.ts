import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { frameLength } from '../../../../src/handlers/workers/hand-over-frames.ts'
import { HAND_OVER_QUEUE, LINK_RETRY } from '../../../../src/handlers/workers/limits.ts'
import { WorkerLinks } from '../../../../src/handlers/workers/worker-links.ts'
import { systemClock } from '../../../../src/transport/io/clock.ts'

const remote = { address: '192.0.2.1', port: 40_000, family: 4 as const }

describe('links between workers', () => {
  let directory: string
  let links: WorkerLinks[] = []
  const arrived: string[] = []
  const waiting: (() => void)[] = []

  function linksOf(worker: number): WorkerLinks {
    const made = new WorkerLinks(
      directory,
      worker,
      2,
      systemClock(),
      (socket, buffer, start, end, from, ecn) => {
        const text = Buffer.from(buffer.subarray(start, end)).toString()
        arrived.push(`${worker}: ${text} by ${socket} from ${from.address} ${from.port}, ECN ${ecn}`)
        waiting.shift()?.()
      },
    )
    links.push(made)
    return made
  }

  const arrival = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))

  function send(from: WorkerLinks, text: string): boolean {
    const bytes = Buffer.from(text)
    return from.send(1, bytes, 0, bytes.length, remote, 2, 1)
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quactor-links-'))
    arrived.length = 0
  })

  afterEach(() => {
    for (const each of links) each.close()
    links = []
    rmSync(directory, { recursive: true, force: true })
  })

  it('bring a datagram from one worker to the other', async () => {
    const first = linksOf(0)
    await linksOf(1).listen()
    const here = [arrival(), arrival()]
    expect([send(first, 'a'), send(first, 'b')]).toEqual([true, true])
    await Promise.all(here)
    const origin = 'by 2 from 192.0.2.1 40000, ECN 1'
    expect(arrived).toEqual([`1: a ${origin}`, `1: b ${origin}`])
  })

  it('take no more than the cap for a worker that does not read, and say so', () => {
    const first = linksOf(0)
    // Nothing leaves before this turn of the loop is over.
    const datagram = Buffer.alloc(1_200)
    let taken = 0
    while (first.send(1, datagram, 0, datagram.length, remote, 0, 0)) taken++
    const frame = frameLength(remote, datagram.length)
    expect(taken).toBe(Math.floor(HAND_OVER_QUEUE / frame))
    expect(first.send(0, datagram, 0, datagram.length, remote, 0, 0)).toBe(true)
  })

  it('drop while there is nobody, and go on when somebody has come', async () => {
    const first = linksOf(0)
    expect(send(first, 'lost')).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, LINK_RETRY / 2))
    expect(send(first, 'lost too')).toBe(false)
    await linksOf(1).listen()
    await new Promise((resolve) => setTimeout(resolve, LINK_RETRY))
    const here = arrival()
    expect(send(first, 'c')).toBe(true)
    await here
    expect(arrived).toEqual(['1: c by 2 from 192.0.2.1 40000, ECN 1'])
  })

  it('find the successor of a worker that has died', async () => {
    const first = linksOf(0)
    const dead = linksOf(1)
    await dead.listen()
    let here = arrival()
    send(first, 'd')
    await here
    dead.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await linksOf(1).listen()
    await new Promise((resolve) => setTimeout(resolve, LINK_RETRY))
    here = arrival()
    expect(send(first, 'e')).toBe(true)
    await here
    expect(arrived.at(-1)).toContain('1: e')
  })
})
