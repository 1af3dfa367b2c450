// Paths, walks and coverage of machines that are small enough to be counted by hand.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, setup } from 'xstate'
import { sendStream } from '../../../src/machines/index.ts'
import {
  Coverage,
  commandSequences,
  edgeCover,
  graphOf,
  ReplayError,
  replay,
  simplePaths,
} from '../../../src/testing/index.ts'

const door = setup({ types: {} as { events: { type: 'open' | 'close' | 'lock' | 'knock' } } }).createMachine({
  id: 'door',
  initial: 'shut',
  states: {
    shut: { on: { open: 'ajar', lock: 'locked' } },
    ajar: { on: { close: 'shut', knock: {} } },
    locked: { type: 'final' },
  },
})

describe('graphOf', () => {
  const graph = graphOf(door)

  it('has every reachable state, the initial one first, and every event in each', () => {
    expect(graph.states.map(({ key }) => key)).toEqual(['shut', 'ajar', 'locked'])
    expect(graph.edges).toHaveLength(12)
    expect(graph.edgesOf(graph.initial).map(({ event, outcome }) => `${event.type} ${outcome}`)).toEqual([
      'open transition',
      'lock transition',
      'close unhandled',
      'knock unhandled',
    ])
  })

  it('tells what a chart declares', () => {
    const stream = graphOf(sendStream.machine, { events: sendStream.events })
    const outcomes = stream.edgesOf(stream.initial).map(({ event, outcome }) => [event.type, outcome])
    expect(Object.fromEntries(outcomes)).toMatchObject({
      'send.stream': 'transition',
      'send.allAcked': 'impossible',
    })
    expect(stream.states.map(({ isFinal }) => isFinal)).toContain(true)
  })

  it('looks at the context, unless it is told what makes two states the same', () => {
    const counter = setup({ types: {} as { context: { count: number } } }).createMachine({
      id: 'counter',
      context: { count: 0 },
      on: { up: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
    })
    expect(() => graphOf(counter, { limit: 100 })).toThrow()
    const odd = graphOf(counter, { stateKey: ({ context }) => String(context.count % 2) })
    expect(odd.states).toHaveLength(2)
  })
})

describe('paths', () => {
  const graph = graphOf(door)

  it('cover each declared event by the shortest way to it', () => {
    const { paths, unreached } = edgeCover(graph)
    expect(paths.map(({ name }) => name)).toEqual(['open', 'lock', 'open > close', 'open > knock'])
    expect(unreached).toEqual([])
  })

  it('take a longer way when the shortest is not feasible, and say what has none', () => {
    const stream = graphOf(sendStream.machine, { events: sendStream.events })
    const { paths } = edgeCover(stream, {
      outcomes: ['transition'],
      isFeasible: ({ name }) => !name.startsWith('send.fin >'),
    })
    expect(paths.map(({ name }) => name)).toContain('send.stream > send.fin > send.allAcked')
    const none = edgeCover(graph, { isFeasible: ({ steps }) => steps[0]?.event.type !== 'open' })
    expect(none.unreached.map(({ event }) => event.type)).toEqual(['open', 'close', 'knock'])
  })

  it('meet no state twice when they are simple, and keep to their bounds', () => {
    expect(simplePaths(graph).map(({ name }) => name)).toEqual(['open', 'lock'])
    const stream = graphOf(sendStream.machine, { events: sendStream.events })
    expect(simplePaths(stream, { maxPaths: 3 })).toHaveLength(3)
    for (const { steps } of simplePaths(stream, { maxLength: 2 })) expect(steps.length).toBeLessThanOrEqual(2)
  })
})

describe('replay and coverage', () => {
  const graph = graphOf(door)

  it('names the step after which the real thing was another', async () => {
    const [, , path] = edgeCover(graph).paths
    let at = 'shut'
    const driver = {
      apply: () => {
        at = 'ajar'
      },
      check: ({ key }: { key: string }) => {
        if (key !== at) throw new Error(`it is ${at}`)
      },
    }
    const coverage = new Coverage(graph)
    const failure = await replay(path!, driver, coverage).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ReplayError)
    expect(failure).toMatchObject({ step: 1, message: 'open > close: after step 2, close: it is ajar' })
    expect(coverage.report().transitions).toEqual({
      covered: 1,
      total: 3,
      missing: ['shut x lock', 'ajar x close'],
    })
    expect(coverage.toString()).toContain('door: 2 of 3 states; not locked')
  })

  it('shrinks a random walk that fails to the fewest events', async () => {
    const walks = commandSequences(graph)
    const result = fc.check(
      fc.property(walks, ({ steps }) => !steps.some(({ event }) => event.type === 'knock')),
      { seed: 1, numRuns: 1_000 },
    )
    expect(result.failed).toBe(true)
    expect(result.counterexample?.[0].name).toBe('open > knock')
  })
})
