// A chat over WebTransport: a machine per member, one for the room. Each message is a stream of its own, so a lost
// packet holds back no other message.
import { text } from 'node:stream/consumers'
import { type SessionEvent, serve, sessionService, sessionTypes } from 'quactor'
import { assign, createActor, emit, setup } from 'xstate'

interface Member {
  send(event: { type: 'said'; text: string }): void
}

const roomMachine = setup({
  types: {} as {
    context: { members: Member[] }
    events: { type: 'join' | 'leave'; member: Member } | { type: 'say'; text: string }
  },
}).createMachine({
  context: { members: [] },
  on: {
    join: { actions: assign({ members: ({ context, event }) => [...context.members, event.member] }) },
    leave: {
      actions: assign({
        members: ({ context, event }) => context.members.filter((one) => one !== event.member),
      }),
    },
    say: {
      actions: ({ context, event }) => {
        for (const member of context.members) member.send({ type: 'said', text: event.text })
      },
    },
  },
})
const room = createActor(roomMachine).start()

const member = setup({
  types: { ...sessionTypes, events: {} as SessionEvent | { type: 'said'; text: string } },
}).createMachine({
  id: 'member',
  initial: 'present',
  states: {
    present: {
      entry: ({ self }) => room.send({ type: 'join', member: self }),
      exit: ({ self }) => room.send({ type: 'leave', member: self }),
      on: {
        'stream.unidirectional': {
          actions: async ({ event }) => room.send({ type: 'say', text: await text(event.stream) }),
        },
        said: { actions: emit(({ event }) => ({ type: 'message.send', data: event.text })) },
        'session.*': 'gone',
      },
    },
    gone: { type: 'final' },
  },
})

const server = await serve({
  port: Number(process.env.PORT ?? 4433),
  webtransport: sessionService(member),
  fetch: () => new Response('connect by WebTransport\n'),
})
console.log(`ready ${server.url}`)
