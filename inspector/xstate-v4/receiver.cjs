// The receiver of @xstate/inspect with XState 4, in a thread of its own, since both versions of XState in one module
// graph would be confusing. Reports what it understood. Started by test/unit/inspector/doors.test.ts; workerData is the
// address without `ws://`.
const { parentPort, workerData } = require('node:worker_threads')
const { createWebSocketReceiver } = require('@xstate/inspect')

const receiver = createWebSocketReceiver({ server: workerData, serialize: undefined })
receiver.subscribe((event) => {
  const { type, sessionId, id, machine, state } = event
  parentPort.postMessage({
    type,
    sessionId,
    id,
    machine: machine?.id,
    // Of a registered machine: the state has to be one of it.
    value: machine === undefined ? state?.value : machine.resolveState(state).value,
    event: event.event?.name,
  })
})
