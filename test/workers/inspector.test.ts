// The inspector of a server with several workers: one feed, whose rows come from all of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientSession, connect } from '../../src/index.ts'
import { UIDS_PER_WORKER } from '../../src/inspector/population.ts'
import { FeedClient } from '../unit/inspector/feed-client.ts'
import { startWorkers, type WorkerServer } from './worker-server.ts'

describe('the inspector of two workers', { timeout: 90_000 }, () => {
  let server: WorkerServer
  let client: FeedClient
  const sessions: ClientSession[] = []
  const workerOf = (uid: number): number => Math.floor(uid / UIDS_PER_WORKER)
  const kinds = (kind: number): number[] =>
    [...client.rows.values()].filter((row) => row[1] === kind).map(([uid]) => uid)

  beforeAll(async () => {
    server = await startWorkers(2)
    client = await FeedClient.open(server.ready.inspector)
    for (let count = 0; count < 24; count++) sessions.push(await connect(server.url, { insecure: true }))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.abandon()))
    await client?.close()
    await server?.stop()
  }, 30_000)

  it('has the connections of both, under numbers of their own', async () => {
    expect((await client.next('hello')).workers).toEqual([0, 1])
    await client.until(() => kinds(0).length === 24)
    expect(new Set(kinds(0).map(workerOf))).toEqual(new Set([0, 1]))
    for (const worker of [0, 1])
      await client.next('tick', (tick) => tick.worker === worker && tick.totals !== undefined)
  })

  it('selects, arms and acts in the worker that has the stream', async () => {
    const responses = sessions
      .slice(0, 8)
      .map((session) => session.request({ path: '/hang' }).catch((error) => error))
    await client.until(() => kinds(5).length === 8)
    const token = server.ready.inspectorToken
    client.say({ type: 'arm', token, isArmed: true })
    await client.next('armed', ({ isArmed }) => isArmed)
    for (const [index, uid] of kinds(5).entries()) {
      client.say({ type: 'select', uid })
      expect((await client.next('selected', (selected) => selected.uid === uid)).related).toHaveLength(1)
      client.say({ type: 'action', id: index, token, action: { kind: 'reset', uid } })
      expect(await client.next('result', ({ id }) => id === index)).toMatchObject({ isDone: true })
      await client.next('events', ({ events }) => events.some((event) => event.event === 'send.resetStream'))
    }
    for (const response of responses) expect(await response).toBeInstanceOf(Error)
  })

  it('says what is gone when a worker dies and another takes its place', async () => {
    const { pid } = server.ready.workers[0]!
    process.kill(pid, 'SIGKILL')
    expect(await client.next('worker', ({ isLive }) => !isLive)).toMatchObject({ worker: 0 })
    await client.next('worker', ({ isLive }) => isLive, 40_000)
    const at = client.messages.findIndex((message) => message.type === 'worker' && message.isLive)
    await client.until(() =>
      client.messages
        .slice(at)
        .some((message) => message.type === 'tick' && message.worker === 0 && message.isFresh),
    )
    expect((await server.status()).workers![0]!.restarts).toBe(1)
  })
})
