import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { parseServeOptions } from '../../../../src/cli/serve-options.ts'
import { UsageError } from '../../../../src/cli/usage-error.ts'
import { MAX_WORKERS } from '../../../../src/handlers/workers/limits.ts'
import { workerCount } from '../../../../src/handlers/workers/worker-count.ts'
import { serve } from '../../../../src/index.ts'

describe('the number of workers', () => {
  it('is one by default, a number, or that of the cores', () => {
    expect([workerCount(), workerCount(1), workerCount(MAX_WORKERS)]).toEqual([1, 1, MAX_WORKERS])
    expect(workerCount('auto')).toBe(Math.min(availableParallelism(), MAX_WORKERS))
  })

  it.each([0, -1, 1.5, Number.NaN, MAX_WORKERS + 1])('%s is refused', async (workers) => {
    expect(() => workerCount(workers)).toThrow(RangeError)
    await expect(serve({ workers })).rejects.toThrow(RangeError)
  })

  it('is read from the command line', () => {
    expect(parseServeOptions(['--workers', '4']).serve.workers).toBe(4)
    expect(parseServeOptions(['--workers', 'auto']).serve.workers).toBe('auto')
    expect(parseServeOptions([]).serve.workers).toBeUndefined()
    for (const wrong of ['0', '65', '-1', '1.5', 'many', '']) {
      expect(() => parseServeOptions(['--workers', wrong])).toThrow(UsageError)
    }
  })

  it('one worker is this process', async () => {
    const server = await serve({ workers: 1, port: 0, host: '127.0.0.1' })
    try {
      expect(server.worker).toBeUndefined()
      expect(server.status().workers).toBeUndefined()
      expect(await server.readStatus()).toMatchObject({ connections: { live: 0 } })
    } finally {
      await server.close({ timeout: 0 })
    }
  })
})
