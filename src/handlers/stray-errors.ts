// Errors of user code that nobody can catch: thrown in a timer or an event listener that a handler left behind, or
// rejected in a promise that nobody waits for. Node ends the process for each of them. While a server asks for it,
// they are brought home instead: the asynchronous context tells which handler they come from, and that one crashes.
// Errors of other code keep their effect. Used by serve() and the exchanges.
import { AsyncLocalStorage } from 'node:async_hooks'

/** Whoever user code runs for. */
export interface ErrorHome {
  handleStray(error: unknown): void
}

const homes = new AsyncLocalStorage<ErrorHome>()

/** Servers that want it now. */
let containing = 0

/** Runs user code so that what it leaves behind can be told apart. */
export function runContained<Subject, Result>(
  home: ErrorHome,
  code: (subject: Subject) => Result,
  subject: Subject,
): Result {
  return containing === 0 ? code(subject) : homes.run(home, code, subject)
}

/** Begins to contain stray errors; the returned function ends it and may be called more than once. */
export function containStrayErrors(): () => void {
  if (containing++ === 0) {
    process.on('uncaughtException', handleException)
    process.on('unhandledRejection', handleRejection)
  }
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    if (--containing === 0) stop()
  }
}

function stop(): void {
  process.off('uncaughtException', handleException)
  process.off('unhandledRejection', handleRejection)
}

function handleException(error: unknown): void {
  const home = homes.getStore()
  if (home !== undefined) bringHome(home, error)
  // Other listeners decide for themselves; without any, Node's own behaviour is to end the process.
  else if (process.listenerCount('uncaughtException') === 1) failAsBefore(error)
}

function handleRejection(reason: unknown): void {
  const home = homes.getStore()
  if (home !== undefined) bringHome(home, reason)
  else if (process.listenerCount('unhandledRejection') === 1) failAsBefore(reason)
}

function bringHome(home: ErrorHome, error: unknown): void {
  try {
    home.handleStray(error)
  } catch (defect) {
    failAsBefore(defect)
  }
}

/** Throws where nothing of ours catches it any more: Node prints the error and exits. */
function failAsBefore(error: unknown): void {
  stop()
  containing = 0
  process.nextTick(() => {
    throw error
  })
}
