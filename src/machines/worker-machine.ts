// One worker of a server with several processes: its place, which processes come and go in. Every event is raised by
// handlers/workers/worker-process.ts, which owns the process and the timers.
//
//      o
//      v       restart.due / launch          process.ready
//   +---------+ -----------------> +----------+ ---------> +---------+
//   | waiting |                    | starting |            | running |
//   +---------+ <----------------- +----------+            +---------+
//      |  ^     process.exited          |                       |  |
//      |  |                             |                       |  |
//      |  '-----------------------------|-----------------------'  | process.exited
//      |                                v                          v
//      |   server.close           +---------+     process.exited
//      '------------------------. | closing | ---------------> closed
//                               '-> closed       timeout.process / kill in starting and closing
//
// A process that could not start is started again like one that crashed: whether the whole server starts at all is
// decided by the supervisor, who closes it when the first start of a worker fails.
import { setup } from 'xstate'
import { type DeclaredState, ignore, impossible, namedActions } from './declare.ts'
import {
  WORKER_ACTIONS,
  type WorkerActionType,
  type WorkerEventType,
  type WorkerOutput,
} from './worker-events.ts'

type WorkerState = DeclaredState<WorkerEventType, WorkerActionType>

const noProcess = impossible('there is no process')
const disarmed = impossible('its timer runs only while a process starts or closes')
const over = impossible('a worker that is over has no process and no timer')
const restart = { target: '#worker.waiting', actions: ['scheduleRestart'] } as const
const closed = { target: '#worker.closed' } as const

const liveStates = {
  waiting: {
    on: {
      'restart.due': { target: '#worker.starting', actions: ['launch'] },
      'process.ready': noProcess,
      'process.exited': noProcess,
      'server.close': closed,
      'timeout.process': disarmed,
    },
  },
  starting: {
    on: {
      'restart.due': impossible('it is being restarted'),
      'process.ready': { target: '#worker.running' },
      'process.exited': restart,
      'server.close': { target: '#worker.closing', actions: ['tellClose'] },
      'timeout.process': { target: '#worker.starting', actions: ['kill'] },
    },
  },
  running: {
    on: {
      'restart.due': impossible('it runs'),
      'process.ready': impossible('a process says so once'),
      'process.exited': restart,
      'server.close': { target: '#worker.closing', actions: ['tellClose'] },
      'timeout.process': disarmed,
    },
  },
  closing: {
    on: {
      'restart.due': impossible('the timer was cleared when the process started'),
      'process.ready': ignore('it became ready while it was told to close'),
      'process.exited': closed,
      'server.close': ignore('closed twice'),
      'timeout.process': { target: '#worker.closing', actions: ['kill'] },
    },
  },
} as const satisfies Record<string, WorkerState>

export const workerMachine = setup({
  types: {} as { events: { type: WorkerEventType }; output: WorkerOutput },
  actions: namedActions(WORKER_ACTIONS),
}).createMachine({
  id: 'worker',
  initial: 'waiting',
  states: {
    ...liveStates,
    closed: {
      type: 'final',
      output: 'closed' as WorkerOutput,
      on: {
        'restart.due': over,
        'process.ready': over,
        'process.exited': over,
        'server.close': ignore('closed twice'),
        'timeout.process': over,
      },
    },
  },
  output: ({ event }) => event.output as WorkerOutput,
})
