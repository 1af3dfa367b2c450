// The alphabet of the worker machine: the life of one of several processes that serve a port. Spoken by
// handlers/workers.

export const WORKER_EVENTS = [
  'restart.due', // the first start too
  'process.ready', // its sockets are bound
  'process.exited', // by itself, by a signal, or because it could not start
  'server.close', // the whole server ends
  'timeout.process', // it neither became ready nor ended in time
] as const

export type WorkerEventType = (typeof WORKER_EVENTS)[number]

/** Index of each event in the worker table. */
export const WorkerEvent = {
  restartDue: 0,
  ready: 1,
  exited: 2,
  close: 3,
  timeout: 4,
} as const

export const WORKER_ACTIONS = [
  'launch',
  'kill',
  'tellClose', // the process drains and ends
  'scheduleRestart', // at once, or after a pause when it ends too often
] as const

export type WorkerActionType = (typeof WORKER_ACTIONS)[number]

/** Index of each action in the worker table. */
export const WorkerAction = {
  launch: 0,
  kill: 1,
  tellClose: 2,
  scheduleRestart: 3,
} as const

/** Phase of a worker. */
export const WorkerPhase = {
  none: 0,
  waiting: 1,
  starting: 2,
  running: 3,
  closing: 4,
  closed: 5,
} as const

export type WorkerOutput = 'closed'
