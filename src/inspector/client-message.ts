// Reads what a page says: every member is checked, since anybody on this machine can open the socket. Used by
// page-socket.ts.
import type { ActionRequest, ClientMessage, ExportKind } from './protocol.ts'

const EXPORTS: readonly string[] = ['trace', 'test', 'qlog'] satisfies ExportKind[]

type Members = Readonly<Record<string, unknown>>

/** Undefined for what is no message of the protocol. */
export function readMessage(text: string): ClientMessage | undefined {
  let message: Members
  try {
    message = JSON.parse(text) as Members
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null) return undefined
  const { type, id, uid, token, machine, what } = message
  switch (type) {
    case 'select':
      return isNumber(uid) ? { type, uid } : undefined
    case 'pause':
      return { type, isPaused: message.isPaused === true }
    case 'arm':
      return { type, token: String(token), isArmed: message.isArmed === true }
    case 'reveal':
      return { type, token: String(token), isRevealed: message.isRevealed === true }
    case 'chart':
      return isNumber(machine) ? { type, machine } : undefined
    case 'export':
      return isNumber(id) && isNumber(uid) && EXPORTS.includes(what as string)
        ? { type, id, uid, what: what as ExportKind, token: String(token) }
        : undefined
    case 'action': {
      const action = readAction(message.action)
      return isNumber(id) && action !== undefined ? { type, id, token: String(token), action } : undefined
    }
    default:
      return undefined
  }
}

function readAction(given: unknown): ActionRequest | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { kind, uid, event, detail, code } = given as Members
  if (kind === 'drainServer') return { kind }
  if (!isNumber(uid)) return undefined
  if (kind === 'drainConnection') return { kind, uid }
  if (kind === 'reset' || kind === 'stop') return isNumber(code) ? { kind, uid, code } : { kind, uid }
  if (kind !== 'send' || typeof event !== 'string') return undefined
  return typeof detail === 'object' && detail !== null ? { kind, uid, event, detail } : { kind, uid, event }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}
