// WebTransport sessions and WebSockets as machines, in simulated worlds.
import { expect, test } from 'vitest'
import { emit, fromPromise, setup } from 'xstate'
import {
  sessionService,
  sessionTypes,
  socketService,
  socketTypes,
} from '../../../../src/handlers/machine-service/index.ts'
import { SocketLog, TunnelWorld } from '../../../sim/tunnel-world.ts'
import { collect, send, WebTransportWorld } from '../../../sim/webtransport-world.ts'

const shout = setup({
  types: sessionTypes,
  actors: {
    read: fromPromise<string, AsyncIterable<Uint8Array>>(async ({ input }) =>
      (await collect(input as never)).toString(),
    ),
  },
}).createMachine({
  initial: 'waiting',
  on: {
    datagram: {
      actions: emit(({ event }) => ({
        type: 'datagram.send',
        payload: Uint8Array.from(event.payload).reverse(),
      })),
    },
    'session.draining': { actions: emit({ type: 'session.close', closeCode: 3, reason: 'drained' }) },
  },
  states: {
    waiting: { on: { 'stream.unidirectional': 'reading' } },
    reading: {
      invoke: {
        src: 'read',
        input: ({ event }) => {
          if (event.type !== 'stream.unidirectional') throw new Error('no stream')
          return event.stream
        },
        onDone: {
          target: 'waiting',
          actions: emit(({ event }) => ({ type: 'message.send', data: String(event.output).toUpperCase() })),
        },
      },
    },
  },
})

test('a machine per WebTransport session: datagrams and messages go both ways', async () => {
  const world = new WebTransportWorld({ webtransport: sessionService(shout) })
  const session = await world.session('/chat')
  const incoming = session.incomingUnidirectionalStreams.getReader()
  await world.within(send(await world.within(session.createUnidirectionalStream()), Buffer.from('hello')))
  const { value } = await world.within(incoming.read())
  expect((await world.within(collect(value!))).toString()).toBe('HELLO')
  const datagrams = session.datagrams.readable.getReader()
  await world.within(session.datagrams.writable.getWriter().write(Uint8Array.of(1, 2, 3)))
  expect([...(await world.within(datagrams.read())).value!]).toEqual([3, 2, 1])
  session.close({ closeCode: 7, reason: 'bye' })
  await world.expectNoSessions()
  expect(world.faults).toEqual([])
})

test('the machine hears how its session ends, and is gone then', async () => {
  const ends: unknown[] = []
  const machine = setup({ types: sessionTypes }).createMachine({
    on: { 'session.closed': { actions: ({ event }) => void ends.push(event) } },
  })
  const world = new WebTransportWorld({ webtransport: sessionService(machine) })
  const session = await world.session('/')
  session.close({ closeCode: 42, reason: 'enough' })
  await world.expectNoSessions()
  expect(ends).toEqual([{ type: 'session.closed', closeCode: 42, reason: 'enough' }])
})

test('a machine that is done closes its session; one that crashes ends it, and no other', async () => {
  const done = setup({ types: sessionTypes }).createMachine({
    initial: 'open',
    states: { open: { on: { datagram: 'done' } }, done: { type: 'final' } },
  })
  const broken = setup({ types: sessionTypes }).createMachine({
    on: {
      datagram: {
        actions: () => {
          throw new Error('broken')
        },
      },
    },
  })
  const world = new WebTransportWorld({
    webtransport: (session) =>
      sessionService(session.path === '/done' ? done : broken)(session) as Promise<void>,
  })
  const connection = await world.connected()
  const ending = await world.session('/done', connection)
  const crashing = await world.session('/broken', connection)
  await world.within(crashing.datagrams.writable.getWriter().write(Uint8Array.of(1)))
  await expect(world.within(crashing.closed)).rejects.toThrow()
  expect(world.faults).toHaveLength(1)
  await world.within(ending.datagrams.writable.getWriter().write(Uint8Array.of(1)))
  expect(await world.within(ending.closed)).toEqual({ closeCode: 0, reason: '' })
  await world.expectNoSessions()
})

test('a machine per WebSocket: messages, its end, and how the client ends', async () => {
  const closes: unknown[] = []
  const machine = setup({ types: socketTypes }).createMachine({
    initial: 'open',
    on: { 'socket.closed': { actions: ({ event }) => void closes.push(event) } },
    states: {
      open: {
        on: {
          message: [
            { guard: ({ event }) => event.data === 'bye', target: 'done' },
            { actions: emit(({ event }) => ({ type: 'message.send', data: `${event.data}!` })) },
          ],
        },
      },
      done: { type: 'final' },
    },
  })
  const world = new TunnelWorld({ websocket: socketService(machine) })
  const session = await world.connected()
  const socket = await world.run(session.websocket('/'), 5_000)
  const log = new SocketLog(socket)
  socket.send('one')
  await world.pass(500)
  expect(log.messages).toEqual(['one!'])
  socket.send('bye')
  await world.pass(500)
  expect(log.closed).toEqual({ code: 1_000, reason: '' })
  const second = await world.run(session.websocket('/'), 5_000)
  second.close(3_000, 'left')
  await world.pass(500)
  expect(closes).toEqual([{ type: 'socket.closed', code: 3_000, reason: 'left' }])
  expect(world.status().handlers.live).toBe(0)
  await world.expectNothingLeft(session)
})

test('machines that loop without events crash their session and their socket, and hang nobody', async () => {
  const looping = { initial: 'a', states: { a: { always: 'b' }, b: { always: 'a' } } } as const
  const sessions = new WebTransportWorld({
    webtransport: sessionService(setup({ types: sessionTypes }).createMachine(looping)),
  })
  const connection = await sessions.connected()
  const session = connection.webtransport('/')
  session.ready.catch(() => {})
  await expect(sessions.within(session.closed)).rejects.toThrow()
  expect(sessions.faults).toHaveLength(1)
  const sockets = new TunnelWorld({
    websocket: socketService(setup({ types: socketTypes }).createMachine(looping)),
  })
  const client = await sockets.connected()
  await expect(sockets.run(client.websocket('/'), 5_000)).rejects.toThrow()
  await sockets.pass(1_000)
  expect(sockets.faults).toHaveLength(1)
  expect(sockets.status().handlers.live).toBe(0)
})
