// Where the faults of handlers go: to the program's onFault, or to standard error. Used by start-server.ts and workers/.
import type { HandlerFault } from '../supervisor/supervision.ts'
import type { ServeOptions } from './serve.ts'

export type ReportHandlerFault = (fault: HandlerFault) => void

export function reporterOf({ onFault }: ServeOptions): ReportHandlerFault {
  return onFault === undefined ? printFault : guardReport(onFault)
}

function printFault({ kind, method, path, error }: HandlerFault): void {
  if (kind === 'worker') {
    console.error(error instanceof Error ? error.message : String(error))
    return
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const where = kind === 'internal' ? 'defect' : `handler ${kind} in ${method} ${path}`
  console.error(`${where}: ${detail}`)
}

/** A report that throws must not become a fault of its own. */
function guardReport(onFault: ReportHandlerFault): ReportHandlerFault {
  return (fault) => {
    try {
      onFault(fault)
    } catch (error) {
      console.error('onFault failed:', error)
    }
  }
}
