import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  SharedReplayMemory,
  sweepReplayMemory,
} from '../../../../src/handlers/workers/shared-replay-memory.ts'
import { MAX_REMEMBERED_TICKETS, REPLAY_WINDOW } from '../../../../src/transport/tls/limits.ts'

const ID = new Uint8Array(8).fill(1)
const NOW = 90_000 * REPLAY_WINDOW
const ticket = (number: number): Uint8Array => new Uint8Array(12).fill(number)

describe('the memory of used tickets that workers share (RFC 8446 section 8.1)', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quactor-replay-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const memory = (workers = 2): SharedReplayMemory => new SharedReplayMemory(directory, ID, workers)

  it('accepts each ticket once, at one of them', () => {
    const [first, second] = [memory(), memory()]
    expect(first.claim(ticket(1), NOW)).toBe(true)
    expect([first.claim(ticket(1), NOW), second.claim(ticket(1), NOW)]).toEqual([false, false])
    expect(second.claim(ticket(2), NOW)).toBe(true)
    expect(first.claim(ticket(2), NOW + 1)).toBe(false)
  })

  it.each([0, 1, REPLAY_WINDOW / 2, REPLAY_WINDOW - 1])(
    'remembers one that was claimed %i ms into a window for a whole window',
    (into) => {
      expect(memory().claim(ticket(1), NOW + into)).toBe(true)
      for (let later = 0; later <= REPLAY_WINDOW; later += REPLAY_WINDOW / 8) {
        expect(memory().claim(ticket(1), NOW + into + later)).toBe(false)
      }
    },
  )

  it('at the border of two windows not more than one of two claimants is let in, whatever their clocks say', () => {
    expect(memory().claim(ticket(1), NOW + REPLAY_WINDOW)).toBe(true)
    expect(memory().claim(ticket(1), NOW + REPLAY_WINDOW - 1)).toBe(false)
  })

  it('outlives the worker that made the claim, and a sweep', async () => {
    expect(memory().claim(ticket(1), NOW)).toBe(true)
    await sweepReplayMemory(directory, NOW + REPLAY_WINDOW)
    expect(memory().claim(ticket(1), NOW + REPLAY_WINDOW)).toBe(false)
  })

  it('forgets windows that are over', async () => {
    const one = memory()
    for (let window = 0; window < 5; window++) {
      expect(one.claim(ticket(1), NOW + 3 * window * REPLAY_WINDOW)).toBe(true)
    }
    await sweepReplayMemory(directory, NOW + 13 * REPLAY_WINDOW)
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^used-/)])
  })

  it('refuses when it is full: the workers share MAX_REMEMBERED_TICKETS', () => {
    const workers = MAX_REMEMBERED_TICKETS / 4
    const one = memory(workers)
    for (let number = 0; number < 4; number++) expect(one.claim(ticket(number), NOW)).toBe(true)
    expect(one.claim(ticket(4), NOW)).toBe(false)
    expect(one.claim(ticket(4), NOW + REPLAY_WINDOW)).toBe(true)
  })

  it('refuses when there is no folder', () => {
    rmSync(directory, { recursive: true })
    expect(memory().claim(ticket(1), NOW)).toBe(false)
  })
})
