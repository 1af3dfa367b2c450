// Counts the words of a text while it arrives. One actor of this machine runs for each request.
import { endResponse, sendHead, serviceTypes } from 'quactor'
import { assign, setup } from 'xstate'

/** Longest text that is taken, bytes. */
export const MOST_BYTES = 16_384

interface Count {
  readonly bytes: number
  readonly words: number
  readonly isInWord: boolean
}

function countOn(before: Count, chunk: Uint8Array): Count {
  let { words, isInWord } = before
  for (const byte of chunk) {
    const isLetter = byte > 0x20
    if (isLetter && !isInWord) words++
    isInWord = isLetter
  }
  return { bytes: before.bytes + chunk.length, words, isInWord }
}

export const wordsMachine = setup({
  types: { ...serviceTypes, context: {} as Count },
}).createMachine({
  id: 'words',
  context: { bytes: 0, words: 0, isInWord: false },
  initial: 'receiving',
  states: {
    receiving: {
      on: {
        'body.chunk': [
          {
            guard: ({ context, event }) => context.bytes + event.chunk.length > MOST_BYTES,
            target: 'tooLong',
          },
          { actions: assign(({ context, event }) => countOn(context, event.chunk)) },
        ],
        'body.end': { target: 'counted' },
      },
    },
    counted: {
      type: 'final',
      entry: endResponse(({ context }) => `${context.words} words\n`),
    },
    tooLong: {
      type: 'final',
      entry: [sendHead({ status: 413 }), endResponse(`more than ${MOST_BYTES} bytes\n`)],
    },
  },
})
