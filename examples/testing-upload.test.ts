// Tests a machine service as its users would meet it: random clients, bad networks, aborts, in virtual time.
// In a project of your own the imports come from 'quactor' and 'quactor/testing'; run it with vitest.
import { endResponse, sendChunk, sendHead, serviceTypes } from 'quactor'
import { testMachineService } from 'quactor/testing'
import { expect, it } from 'vitest'
import { assign, setup } from 'xstate'

/** Counts what it is sent, refuses more than 1,500 bytes. */
const counter = setup({
  types: { ...serviceTypes, context: {} as { bytes: number } },
}).createMachine({
  id: 'counter',
  context: { bytes: 0 },
  initial: 'counting',
  states: {
    counting: {
      on: {
        'body.chunk': [
          {
            guard: ({ context, event }) => context.bytes + event.chunk.length > 1_500,
            target: 'tooMuch',
            actions: sendHead({ status: 413 }),
          },
          { actions: assign({ bytes: ({ context, event }) => context.bytes + event.chunk.length }) },
        ],
        'body.end': { target: 'counted', actions: sendChunk(({ context }) => `${context.bytes}\n`) },
      },
    },
    counted: { type: 'final', entry: endResponse() },
    tooMuch: { type: 'final', entry: endResponse() },
  },
})

it('counts whatever a client does', async () => {
  const report = await testMachineService(counter, {
    runs: 60,
    chunks: [new Uint8Array(10), new Uint8Array(900)],
    check: ({ status, body, isComplete }, { steps }) => {
      const sent = steps.flatMap((step) => (step.do === 'chunk' ? [step.bytes.length] : []))
      if (status === 200 && isComplete) expect(Number(Buffer.from(body))).toBeLessThanOrEqual(1_500)
      if (status === 413) expect(sent.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(1_500)
    },
    requiresAllStates: true,
  })
  expect(report.missing).toEqual([])
})
