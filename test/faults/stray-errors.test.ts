// Errors that handlers leave behind: thrown in a timer, in an abort listener, in a promise that nobody waits for. With
// a real process, because there it is Node itself that would end it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientSession, connect } from '../../src/index.ts'
import type { ServerStatus } from '../../src/supervisor/status.ts'

interface Answer {
  readonly port: number
  readonly status: ServerStatus
  readonly reported: string[]
  readonly listeners: number
}

let child: ChildProcess | undefined
let session: ClientSession | undefined

afterEach(async () => {
  await session?.end()
  child?.kill('SIGKILL')
})

async function ask(message: string): Promise<Answer> {
  const answer = once(child!, 'message')
  child!.send(message)
  return (await answer)[0] as Answer
}

async function start(...parameters: string[]): Promise<ClientSession> {
  child = fork(new URL('./stray-server.ts', import.meta.url), parameters, { silent: true, execArgv: [] })
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('the server did not start')))
  failed.catch(() => {})
  const [{ port }] = (await Promise.race([once(child, 'message'), failed])) as [Answer]
  session = await connect(`https://127.0.0.1:${port}`, { insecure: true })
  return session
}

async function codeOf(path: string): Promise<number | string | undefined> {
  try {
    const response = await session!.request({ path, body: 'x' })
    return await response.text()
  } catch (error) {
    return (error as { code?: number }).code
  }
}

describe('errors that a handler leaves behind', () => {
  it('crash that handler, or are reported when it is over; the process and other streams go on', async () => {
    await start()
    expect(await codeOf('/timer')).toBe(0x102)
    expect(await codeOf('/timer-after-end')).toBe('whole')
    expect(await codeOf('/timer-midway')).toBe(0x102)
    expect(await codeOf('/detached')).toBe(0x102)
    expect(await codeOf('/fetch-detached')).toBe(0x102)
    const controller = new AbortController()
    const leaving = session!.request({ path: '/listener', signal: controller.signal }).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 50))
    controller.abort()
    await leaving
    expect(await codeOf('/ok')).toBe('ok')
    await expect.poll(async () => (await ask('status')).reported.length).toBe(6)
    const { reported, status } = await ask('status')
    expect(reported).toEqual([
      'crash /timer',
      'late /timer-after-end',
      'crash /timer-midway',
      'crash /detached',
      'crash /fetch-detached',
      'late /listener',
    ])
    expect(status.actors).toMatchObject({ crashed: 4, missedTransitions: 0 })
    // What waits for ever keeps its handler, and so its stream credit; the others are gone.
    expect(status.handlers.live).toBe(2)
  })

  it('of other code still end the process', async () => {
    await start()
    const exit = once(child!, 'exit')
    let output = ''
    child!.stderr!.on('data', (chunk) => {
      output += chunk
    })
    child!.send('foreign')
    expect((await exit)[0]).toBe(1)
    expect(output).toContain('planned: not of a handler')
  })

  it('end the process where the server was told not to contain them', async () => {
    await start('uncontained')
    const exit = once(child!, 'exit')
    session!.request({ path: '/timer' }).catch(() => {})
    expect((await exit)[0]).toBe(1)
  })

  it('are nobody’s business any more after close()', async () => {
    await start()
    expect((await ask('close')).listeners).toBe(0)
    expect((await once(child!, 'exit'))[0]).toBe(0)
  })
})
