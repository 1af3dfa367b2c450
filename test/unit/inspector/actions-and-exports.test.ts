// What a page may do to a server once it is armed, and what it may take away.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AnyStateMachine, transition } from 'xstate'
import type { ActionRequest, Result, Row, Trace } from '../../../src/inspector/protocol.ts'
import { machines } from '../../../src/testing/machines.ts'
import type { FeedClient } from './feed-client.ts'
import { connectTo, type InspectedServer, openFeed, startInspected } from './inspected-server.ts'

interface Scene extends InspectedServer {
  readonly client: FeedClient
  readonly response: Promise<unknown>
  readonly stream: Row
  act(action: ActionRequest): Promise<Result>
}

/** An armed page, and a request that is not answered by itself. */
async function startScene(
  path = '/hang',
  options: Parameters<typeof startInspected>[0] = {},
): Promise<Scene> {
  const started = await startInspected(options)
  const client = await openFeed(started.inspector)
  const session = await connectTo(started.server)
  const response = session.request({ path }).then(
    (answer) => answer.text(),
    (error: Error) => error,
  )
  const stream = await client.row('bidiStream', (row) => row[6] === 0)
  client.say({ type: 'arm', token: started.token, isArmed: true })
  await client.next('armed', ({ isArmed }) => isArmed)
  let id = 0
  const act = (action: ActionRequest): Promise<Result> => {
    id++
    const own = id
    client.say({ type: 'action', id, token: started.token, action })
    return client.next('result', (result) => result.id === own)
  }
  return { ...started, client, response, stream, act }
}

describe('actions', () => {
  it('send an event to a machine only where it is a transition', async () => {
    const { act, stream, server } = await startScene()
    const uid = stream[0]
    expect(await act({ kind: 'send', uid, event: 'recv.fin' })).toMatchObject({
      isDone: false,
      error: 'illegal',
    })
    expect(await act({ kind: 'send', uid, event: 'no.such' })).toMatchObject({
      isDone: false,
      error: 'illegal',
    })
    expect(await act({ kind: 'send', uid: 1, event: 'recv.fin' })).toMatchObject({
      isDone: false,
      error: 'gone',
    })
    const result = await act({ kind: 'send', uid, event: 'send.stream' })
    expect(result).toMatchObject({ isDone: true })
    expect(result.message).toBe('send.stream: send.ready|receive.dataRead -> send.send|receive.dataRead')
    expect(server.status().actors.missedTransitions).toBe(0)
  })

  it('reset a stream, and its handler learns of it', async () => {
    const { act, stream, response, server } = await startScene()
    expect(await act({ kind: 'reset', uid: stream[0], code: 0x10d })).toMatchObject({ isDone: true })
    expect(String(await response)).toContain('H3_REQUEST_INCOMPLETE')
    await expect.poll(() => server.status().handlers.live).toBe(0)
  })

  it('stop a handler', async () => {
    const { act, client, response } = await startScene()
    const [uid] = await client.row('handler')
    expect(await act({ kind: 'stop', uid })).toMatchObject({ isDone: true })
    expect(await response).toBeInstanceOf(Error)
    expect(await act({ kind: 'reset', uid: (await client.row('connection'))[0] })).toMatchObject({
      error: 'unavailable',
    })
  })

  it('drain a connection, and the server', async () => {
    const { act, client, stream } = await startScene('/slow/500')
    expect(await act({ kind: 'drainConnection', uid: stream[0] })).toMatchObject({ isDone: true })
    expect(await act({ kind: 'drainServer' })).toMatchObject({ isDone: true })
    await new Promise((resolve) => client.socket.on('close', resolve))
  })
})

describe('exports', () => {
  it('give a trace with its machine, and a test that holds', async () => {
    const { client, stream, response } = await startScene('/slow/300')
    const [uid] = stream
    client.say({ type: 'select', uid })
    await response
    await client.until(() => !client.rows.has(uid))
    client.say({ type: 'export', id: 7, what: 'trace', uid })
    const file = await client.next('exported', ({ id }) => id === 7)
    expect(file.name).toBe('bidiStream-0.trace.json')
    const trace = JSON.parse(file.text) as Trace
    expect(trace).toMatchObject({ format: 'quactor-trace', isWhole: true, start: 0 })
    expect(trace.events.at(-1)!.event).toBe('send.allAcked')
    client.say({ type: 'export', id: 8, what: 'test', uid })
    const { text } = await client.next('exported', ({ id }) => id === 8)
    expect(text).toContain("import { machines } from 'quactor/testing'")
    expect(runGenerated(text)).toBe(trace.events.length)
    // The test sees it when the machine does something else.
    expect(() => runGenerated(text.replace('"event":"recv.allData"', '"event":"app.stop"'))).toThrow()
  })

  it('give the qlog of a connection to those who have the token', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quactor-inspector-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { client, stream, token } = await startScene('/hang', { qlogDirectory: folder })
    client.say({ type: 'export', id: 1, what: 'qlog', uid: stream[0], token: 'no' })
    expect(await client.next('result', ({ id }) => id === 1)).toMatchObject({ error: 'token' })
    client.say({ type: 'export', id: 2, what: 'qlog', uid: stream[0], token })
    const { name, text } = await client.next('exported')
    expect(name).toMatch(/^[0-9a-f]+_server\.sqlog$/)
    expect(text).toContain('"qlog_version"')
  })

  it('say so when there is nothing to give', async () => {
    const { client, stream, token } = await startScene()
    client.say({ type: 'export', id: 1, what: 'qlog', uid: stream[0], token })
    expect(await client.next('result', ({ id }) => id === 1)).toMatchObject({ error: 'unavailable' })
    client.say({ type: 'export', id: 2, what: 'trace', uid: 3 })
    expect(await client.next('result', ({ id }) => id === 2)).toMatchObject({ error: 'gone' })
  })
})

/** Runs a generated test without vitest's runner; returns the number of its steps, throws where it fails. */
function runGenerated(text: string): number {
  const body = text.replaceAll(/^import .*$/gm, '').replace(': AnyStateMachine', '')
  const run = new Function('expect', 'test', 'transition', 'machines', `${body}\nreturn steps.length`) as (
    ...parts: readonly unknown[]
  ) => number
  const test = (_title: string, check: () => void): void => check()
  return run(expect, test, transition, machines satisfies Readonly<Record<string, AnyStateMachine>>)
}
