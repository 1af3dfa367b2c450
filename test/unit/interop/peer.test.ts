/** The interoperability run cannot pass by accident: silence, a bad end and a hang are failures. */
import { describe, expect, it } from 'vitest'
import { runBounded } from '../../interop/bounded-process.ts'
import { type PeerContext, runClient } from '../../interop/peer.ts'

const TIMEOUT = 10_000

/** Runs a client that is one JavaScript expression, and returns what was recorded. */
async function recorded(script: string, timeout = TIMEOUT): Promise<Array<[string, string | undefined]>> {
  const results: Array<[string, string | undefined]> = []
  const context = {
    record: (title: string, failure: string | undefined) => results.push([title, failure]),
  } as unknown as PeerContext
  await runClient(context, { command: process.execPath, parameters: ['-e', script], timeout })
  return results
}

describe('clients of the interoperability run', () => {
  it('records each reported check', async () => {
    const results = await recorded(
      "console.log('ok GET /a'); console.log('not ok GET /b: status 500'); process.exit(1)",
    )
    expect(results).toEqual([
      ['GET /a', undefined],
      ['GET /b', 'status 500'],
    ])
  })

  it('a client that reports nothing has failed', async () => {
    const [[title, failure] = []] = await recorded("console.log('hello')")
    expect(title).toBe('runs to its end')
    expect(failure).toContain('it reported no check')
  })

  it('a client that dies after its last success has failed', async () => {
    const results = await recorded("console.log('ok GET /a'); process.exit(3)")
    expect(results).toHaveLength(2)
    expect(results[1]?.[1]).toContain('exit code 3')
  })

  it('a client that hangs is stopped at its time limit, and has failed', async () => {
    const [[, failure] = []] = await recorded('setInterval(() => {}, 1000)', 500)
    expect(failure).toContain('stopped at its time limit')
  })
})

describe('bounded processes', () => {
  it('a time limit ends the children of the process, too', async () => {
    const grandchild = 'console.log(process.pid); setInterval(() => {}, 1000)'
    const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' })`
    const started = performance.now()
    const result = await runBounded({ command: process.execPath, parameters: ['-e', script], timeout: 1500 })
    // The grandchild holds the output open: it is closed only because the grandchild has ended.
    expect(performance.now() - started).toBeLessThan(TIMEOUT)
    const pid = Number(result.output.trim())
    expect(result.timedOut).toBe(true)
    expect(pid).toBeGreaterThan(0)
  })

  it('a command that does not exist is an error', async () => {
    await expect(runBounded({ command: '/nowhere/client', parameters: [], timeout: 100 })).rejects.toThrow(
      'ENOENT',
    )
  })
})
