// An upload as a machine: progress while it runs, a receipt at the end, cleaning up when the client leaves.
// Try it: quactor get --insecure -d @file https://localhost:4433/
import { machineService, sendChunk, sendHead, serve, serviceTypes } from 'quactor'
import { assign, setup } from 'xstate'

const upload = setup({
  types: { ...serviceTypes, context: {} as { expected: number; received: number } },
  actions: {
    count: assign({
      received: ({ context, event }) =>
        context.received + (event.type === 'body.chunk' ? event.chunk.length : 0),
    }),
    report: sendChunk(({ context }) => `${context.received} of ${context.expected || '?'} bytes\n`),
    forget: () => console.log('the client left: nothing is kept'),
  },
}).createMachine({
  id: 'upload',
  context: ({ input }) => ({
    expected: Number(input.request.headers.get('content-length') ?? 0),
    received: 0,
  }),
  initial: 'receiving',
  states: {
    receiving: {
      entry: sendHead({ headers: { 'content-type': 'text/plain' } }),
      on: {
        'body.chunk': { actions: ['count', 'report'] },
        'body.end': 'stored',
        'recv.*': { target: 'abandoned', actions: 'forget' },
      },
    },
    stored: { type: 'final' },
    abandoned: { type: 'final' },
  },
  output: ({ context }) => `stored ${context.received} bytes\n`,
})

const server = await serve({ port: Number(process.env.PORT ?? 4433), handler: machineService(upload) })
console.log(`ready ${server.url}`)
