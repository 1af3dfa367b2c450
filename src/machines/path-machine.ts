// One network path of a connection, RFC 9000 sections 8.1, 8.2 and 9.3. Owned by the connection's list of paths
// (transport/connection/paths.ts), which raises every event.
//
//          o
//          v          validation.start                      timeout.validation
//   +-------------+ ------------------> +------------+ -------------------------------> failed
//   | unvalidated |                     | validating |
//   +-------------+                     +------------+
//          | address.proved                   | recv.pathResponse, address.proved
//          v                                  v
//   +-----------+ <---------------------------'    validation.start     +--------------+
//   | validated | ----------------------------------------------------> | revalidating |
//   +-----------+ <---------------------------------------------------- +--------------+
//                   recv.pathResponse, address.proved, timeout.validation
//                                                       path.abandon from everywhere ...> abandoned
//
// The RFC has no figure; the names are its words. In `revalidating` the address stays proved (section 9.3.3: the old
// path after an apparent migration; section 8.2.1: the second challenge, in a datagram of full size), so that only
// `unvalidated` and `validating` are under the 3x limit. No answer then disproves nothing: whether the path is kept is
// decided by whether there is a better one.
import { setup } from 'xstate'
import { type DeclaredState, ignore, impossible, namedActions } from './declare.ts'
import { PATH_ACTIONS, type PathEventType, type PathOutput } from './path-events.ts'

type PathState = DeclaredState<PathEventType, never>

const proved = { target: '#path.validated' } as const
const failed = { target: '#path.failed' } as const
const abandoned = { target: '#path.abandoned' } as const
const nothingAsked = ignore('a response to a challenge of an earlier validation, RFC 9000 section 19.18')
const timerDisarmed = impossible('the validation timer runs only while a path is being validated')
const underWay = ignore('one validation at a time: it sends as many challenges as it needs')
const over = impossible('a path that is over has left the list')

const afterEnd = {
  'validation.start': over,
  'recv.pathResponse': over,
  'address.proved': over,
  'timeout.validation': over,
  'path.abandon': over,
} as const

const liveStates = {
  unvalidated: {
    on: {
      'validation.start': { target: '#path.validating' },
      'recv.pathResponse': nothingAsked,
      'address.proved': proved,
      'timeout.validation': timerDisarmed,
      'path.abandon': abandoned,
    },
  },
  validating: {
    on: {
      'validation.start': underWay,
      'recv.pathResponse': proved,
      'address.proved': proved,
      'timeout.validation': failed,
      'path.abandon': abandoned,
    },
  },
  validated: {
    on: {
      'validation.start': { target: '#path.revalidating' },
      'recv.pathResponse': nothingAsked,
      'address.proved': ignore('every packet of the handshake proves it again'),
      'timeout.validation': timerDisarmed,
      'path.abandon': abandoned,
    },
  },
  revalidating: {
    on: {
      'validation.start': underWay,
      'recv.pathResponse': proved,
      'address.proved': proved,
      'timeout.validation': proved,
      'path.abandon': abandoned,
    },
  },
} as const satisfies Record<string, PathState>

/** Output: why the path ended. */
export const pathMachine = setup({
  types: {} as { events: { type: PathEventType }; output: PathOutput },
  actions: namedActions(PATH_ACTIONS),
}).createMachine({
  id: 'path',
  initial: 'unvalidated',
  states: {
    ...liveStates,
    failed: { type: 'final', output: 'failed' as PathOutput, on: afterEnd },
    abandoned: { type: 'final', output: 'abandoned' as PathOutput, on: afterEnd },
  },
  output: ({ event }) => event.output as PathOutput,
})
