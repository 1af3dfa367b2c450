// The doors for other tools, each with the real package at the other end.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import { expect, it, onTestFinished } from 'vitest'
import { createMachine } from 'xstate'
import { connectTo, startInspected } from './inspected-server.ts'

it('speaks the format of @statelyai/inspect: actors with charts, events, snapshots', async () => {
  const { inspector, server } = await startInspected()
  const events: StatelyInspectionEvent[] = []
  const receiver = createWebSocketReceiver({ server: `${inspector.replace('http', 'ws')}/inspect-v5` })
  receiver.subscribe((event) => void events.push(event))
  const session = await connectTo(server)
  await (await session.request({ path: '/slow/400?secret' })).text()
  await expect.poll(() => events.some(({ type }) => type === '@xstate.event')).toBe(true)
  await session.end()
  const isEnded = (): boolean =>
    events.some((event) => event.type === '@xstate.snapshot' && event.snapshot.status === 'done')
  await expect.poll(isEnded).toBe(true)
  const actors = events.flatMap((event) => (event.type === '@xstate.actor' ? [event] : []))
  const stream = actors.find(({ name }) => name.startsWith('stream 0'))!
  expect(stream.name).toBe('stream 0 GET /slow/400?…')
  // XState itself reads the chart, and its states are states of it.
  const machine = createMachine(JSON.parse(stream.definition!))
  expect(machine.id).toBe('bidiStream')
  const own = events.filter(({ sessionId }) => sessionId === stream.sessionId)
  for (const event of own) {
    if (event.type === '@xstate.event') continue
    expect(() => machine.resolveState({ value: (event.snapshot as { value: never }).value })).not.toThrow()
  }
  const connection = actors.find(({ name }) => name.startsWith('connection'))!
  expect(stream.parentId).toBe(connection.sessionId)
  expect(own.some(({ type }) => type === '@xstate.snapshot')).toBe(true)
})

/** A thread that has XState 4 and @xstate/inspect, and passes on what its receiver understood. */
const RECEIVER = fileURLToPath(new URL('../../../inspector/xstate-v4/receiver.cjs', import.meta.url))

it('speaks the protocol of @xstate/inspect: service.register, event, state and stop', async () => {
  const { inspector, server } = await startInspected()
  const worker = new Worker(RECEIVER, { workerData: `${new URL(inspector).host}/inspect-v4` })
  onTestFinished(async () => void (await worker.terminate()))
  const events: {
    type: string
    sessionId: string
    id?: string
    value?: unknown
    machine?: string
    event?: string
  }[] = []
  worker.on('message', (event) => events.push(event))
  await once(worker, 'online')
  const session = await connectTo(server)
  await expect.poll(() => events.some(({ type }) => type === 'service.register')).toBe(true)
  await (await session.request({ path: '/slow/400' })).text()
  const hasStopped = (): boolean => {
    const stream = events.find(({ id }) => id?.startsWith('stream 0') === true)
    return events.some(({ type, sessionId }) => type === 'service.stop' && sessionId === stream?.sessionId)
  }
  await expect.poll(hasStopped).toBe(true)
  const stream = events.find(({ id }) => id === 'stream 0 GET /slow/400')!
  expect(stream.machine).toBe('bidiStream')
  const own = events.filter(({ sessionId }) => sessionId === stream.sessionId)
  expect(own.filter(({ type }) => type === 'service.event').map(({ event }) => event)).toContain('send.fin')
  expect(own.filter(({ type }) => type === 'service.state').at(-1)!.value).toBe('dataRecvd|dataRead')
})
