// A trace as a vitest file: the events of one actor, replayed against its machine on XState's own pure transitions.
// Called by exports.ts.
import { stateValueOf } from './machine-definition.ts'
import { EventOutcome, type Trace } from './protocol.ts'

/** Source text of a test that passes as long as the machine does what it did. */
export function testOf(trace: Trace): string {
  const { machine, actor, start, events } = trace
  const isOwn = machine.origin === 'built-in'
  const title = `${machine.id} ${actor.key < 0 ? '' : actor.key} ${actor.text}`.replaceAll(/\s+/g, ' ').trim()
  const steps = events.map(({ event, outcome, from, to, actions = [] }) => ({
    event,
    outcome: OUTCOMES[outcome] ?? 'transition',
    from: stateValueOf(machine, from),
    to: stateValueOf(machine, to),
    actions,
  }))
  const lines = steps.map((step) => `  ${JSON.stringify(step)},`)
  return [
    `// ${oneLine(title)}: what it did from ${trace.begin} on, recorded by the inspector of quactor.`,
    trace.isWhole
      ? '// It was recorded from the beginning of its life.'
      : '// Its life began before the recording.',
    "import { expect, test } from 'vitest'",
    "import { type AnyStateMachine, transition } from 'xstate'",
    ...(isOwn
      ? [
          "import { machines } from 'quactor/testing'",
          '',
          `const machine: AnyStateMachine = machines.${machine.id}`,
        ]
      : [
          '// The machine itself is yours: write where it comes from. Members of events were not recorded.',
          `import { machine as recorded } from './machine.ts'`,
          '',
          'const machine: AnyStateMachine = recorded',
        ]),
    '',
    'const steps = [',
    ...lines,
    ']',
    '',
    `test(${JSON.stringify(title)}, () => {`,
    `  let snapshot = machine.resolveState({ value: ${JSON.stringify(stateValueOf(machine, start))} })`,
    '  for (const { event, from, to, actions } of steps) {',
    '    expect(snapshot.value).toEqual(from)',
    '    const [next, executed] = transition(machine, snapshot, { type: event })',
    '    expect(next.value).toEqual(to)',
    '    expect(executed.map(({ type }) => type)).toEqual(actions)',
    '    snapshot = next',
    '  }',
    '})',
    '',
  ].join('\n')
}

const OUTCOMES: Readonly<Record<number, string>> = {
  [EventOutcome.transition]: 'transition',
  [EventOutcome.ignored]: 'ignored',
  [EventOutcome.impossible]: 'impossible',
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ')
}
