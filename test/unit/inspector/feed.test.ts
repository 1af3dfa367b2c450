// What the feed tells of a server with real traffic.
import { describe, expect, it } from 'vitest'
import { setup } from 'xstate'
import { endResponse, machineService, type ServiceEvent, sendHead, serviceTypes } from '../../../src/index.ts'
import { connectTo, openFeed, startInspected } from './inspected-server.ts'

const types: Omit<typeof serviceTypes, 'events'> & {
  readonly events: ServiceEvent | { readonly type: 'user.go' }
} = serviceTypes

const waiting = setup({ types }).createMachine({
  id: 'waiting',
  initial: 'holding',
  states: {
    holding: { on: { 'body.end': 'ready' } },
    ready: { on: { 'user.go': 'answering' } },
    answering: { entry: [sendHead({ status: 204 }), endResponse()], type: 'final' },
  },
})

describe('the feed', () => {
  it('defines every machine with nodes, arrows, states, deadlines and outcomes', async () => {
    const { inspector } = await startInspected()
    const client = await openFeed(inspector)
    const { machines } = await client.next('machines')
    const bidi = machines.find(({ id }) => id === 'bidiStream')!
    expect(bidi.nodes.filter(({ type }) => type === 'parallel').map(({ id }) => id)).toEqual(['open'])
    expect(bidi.outcomes).toHaveLength(bidi.states.length * bidi.events.length)
    const initial = bidi.states[0]!
    expect(initial.name).toBe('send.ready|receive.recv')
    expect(initial.active.map((node) => bidi.nodes[node]!.id)).toEqual(
      expect.arrayContaining(['open.send.ready', 'open.receive.recv']),
    )
    const dataSent = bidi.states.find(({ name }) => name === 'send.dataSent|receive.dataRead')!
    expect(dataSent).toMatchObject({ deadline: 60_000, waitingFor: ['peerAck'] })
    expect(machines.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['connection', 'serverHandshake', 'path', 'webtransportSession', 'handler']),
    )
  })

  it('shows the tree of a request from connection to handler, its counts and its end', async () => {
    const { inspector, server } = await startInspected()
    const client = await openFeed(inspector)
    const session = await connectTo(server)
    const response = session.request({ path: '/slow/600?secret=1' })
    const stream = await client.row('bidiStream', ([, , , , , , key]) => key === 0)
    const handler = await client.row('handler')
    const connection = await client.row('connection')
    expect(handler[2]).toBe(stream[0])
    expect(stream[2]).toBe(connection[0])
    expect(client.rows.get(stream[0])![7]).toBe('GET /slow/600?…')
    expect(client.count('handler', 'running')).toBe(1)
    await (await response).text()
    await client.until(() => !client.rows.has(stream[0]) && !client.rows.has(handler[0]))
    await client.until(() => client.count('handler', 'running') === 0)
    await session.end()
    await client.until(() => client.rows.size === 0)
  })

  it('tells the whole life of a stream that was opened while it was looked at, and every event from then on', async () => {
    const { inspector, server } = await startInspected()
    const client = await openFeed(inspector)
    const session = await connectTo(server)
    const response = session.request({ path: '/slow/400' })
    const [uid] = await client.row('bidiStream', ([, , , , , , key]) => key === 0)
    client.say({ type: 'select', uid })
    const selected = await client.next('selected')
    expect(selected.isWhole).toBe(true)
    expect(selected.history.map(({ event }) => event)).toEqual(['recv.fin', 'recv.allData', 'app.readAll'])
    await (await response).text()
    const last = await client.until(() =>
      client.messages
        .flatMap((message) => (message.type === 'events' ? message.events : []))
        .find(({ event }) => event === 'send.allAcked'),
    )
    const events = client.messages.flatMap((message) => (message.type === 'events' ? message.events : []))
    expect(events.filter((each) => each.uid === uid).map(({ event }) => event)).toEqual([
      'send.stream',
      'send.fin',
      'send.allAcked',
    ])
    expect(client.machines.get(3 + 3)!.states[last.to]!.isFinal).toBe(true)
    expect(events.some(({ event, uid: of }) => event === 'returned' && of !== uid)).toBe(true)
  })

  it("follows a user's machine: its chart, its states, its events without payloads", async () => {
    const { inspector, server, token } = await startInspected({ handler: machineService(waiting) })
    const client = await openFeed(inspector)
    const session = await connectTo(server)
    const response = session.request({ method: 'POST', body: 'my secret' })
    const service = await client.row('waiting', (row) => client.stateOf(row) === 'ready')
    expect(client.machines.get(service[3])).toMatchObject({ origin: 'user', kind: 'service' })
    const handler = await client.row('handler')
    expect(service[2]).toBe(handler[0])
    client.say({ type: 'select', uid: service[0] })
    expect((await client.next('selected')).related).toContain(handler[0])
    client.say({ type: 'arm', token, isArmed: true })
    client.say({ type: 'action', id: 1, token, action: { kind: 'send', uid: service[0], event: 'user.no' } })
    expect(await client.next('result', ({ id }) => id === 1)).toMatchObject({ error: 'illegal' })
    const detail = { word: 'open sesame' }
    client.say({
      type: 'action',
      id: 2,
      token,
      action: { kind: 'send', uid: service[0], event: 'user.go', detail },
    })
    expect(await client.next('result', ({ id }) => id === 2)).toMatchObject({ isDone: true })
    expect((await response).status).toBe(204)
    const { events } = await client.next('events', (message) =>
      message.events.some(({ event }) => event === 'user.go'),
    )
    expect(events.find(({ event }) => event === 'user.go')!.detail).toBe('word: text of 11')
    expect(JSON.stringify(client.messages)).not.toContain('sesame')
  })

  it('shows payloads to those who have the token', async () => {
    const { inspector, server, token } = await startInspected({ handler: machineService(waiting) })
    const client = await openFeed(inspector)
    const session = await connectTo(server)
    const response = session.request({ path: '/?q=1' })
    client.say({ type: 'reveal', token, isRevealed: true })
    await client.next('revealed')
    const service = await client.row('waiting')
    await client.until(() => [...client.rows.values()].some((row) => row[7] === 'GET /?q=1'))
    client.say({ type: 'select', uid: service[0] })
    await client.next('selected')
    client.say({ type: 'arm', token, isArmed: true })
    const action = { kind: 'send', uid: service[0], event: 'user.go', detail: { word: 'sesame' } }
    client.say({ type: 'action', id: 2, token, action })
    await response
    const { events } = await client.next('events', (message) =>
      message.events.some(({ event }) => event === 'user.go'),
    )
    expect(events.find(({ event }) => event === 'user.go')!.detail).toBe('{"word":"sesame"}')
  })

  it('tells of a stuck stream, with its reason, and of a crash, with what became of it', async () => {
    const { inspector, server } = await startInspected({
      supervision: { handlerDeadline: 300, handlerGrace: 200 },
      handler: (exchange) => {
        if (exchange.path === '/crash') throw new Error('on purpose')
        return new Promise(() => {})
      },
    })
    const client = await openFeed(inspector)
    const session = await connectTo(server)
    const hung = session.request({ path: '/hang' }).catch((error: Error) => error)
    const tick = await client.next('tick', ({ stuck = [] }) => stuck.length > 0)
    expect(tick.stuck![0]).toMatchObject({ kind: 'handler', waitingFor: 'handler', stream: 0 })
    expect(client.rows.get(tick.stuck![0]!.uid)![7]).toBe('GET /hang')
    await session.request({ path: '/crash' }).catch((error: Error) => error)
    const { faults } = await client.next('tick', ({ faults: list = [] }) =>
      list.some(({ kind }) => kind === 'crash'),
    )
    expect(faults!.find(({ kind }) => kind === 'crash')).toMatchObject({
      path: '/crash',
      error: 'on purpose',
      outcome: 'stream reset with H3_INTERNAL_ERROR',
      stream: 4,
    })
    expect(await hung).toBeInstanceOf(Error)
  })

  it('says nothing while it is paused, and everything anew afterwards', async () => {
    const { inspector, server } = await startInspected()
    const client = await openFeed(inspector)
    await client.next('tick')
    client.say({ type: 'pause', isPaused: true })
    await new Promise((resolve) => setTimeout(resolve, 150))
    const ticks = client.messages.length
    await connectTo(server)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(client.messages.length).toBe(ticks)
    client.say({ type: 'pause', isPaused: false })
    await client.row('connection')
    expect(client.messages.slice(ticks).find(({ type }) => type === 'tick')).toMatchObject({ isFresh: true })
  })
})
