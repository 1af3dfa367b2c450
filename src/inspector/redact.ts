// What may be seen of events and contexts of users' machines: shapes, unless payloads are revealed. Used by
// service-watch.ts and selection.ts.
import { DETAIL_TEXT } from './limits.ts'

/** The members of an event beside its type; undefined where it has none. */
export function eventDetail(event: object, isRevealed: boolean): string | undefined {
  const members = Object.entries(event).filter(([name]) => name !== 'type')
  if (members.length === 0) return undefined
  if (isRevealed) return jsonText(Object.fromEntries(members))
  return cut(members.map(([name, value]) => `${name}: ${shapeOf(value)}`).join(', '))
}

/** JSON of anything: cycles, functions and bytes have a short form. */
export function jsonText(value: unknown): string {
  const above: object[] = []
  try {
    const text = JSON.stringify(value, function (this: object, _name, inner: unknown) {
      if (typeof inner === 'bigint') return `${inner}n`
      if (typeof inner === 'function') return 'function'
      if (inner instanceof Uint8Array) return bytesText(inner)
      if (typeof inner !== 'object' || inner === null) return inner
      while (above.length > 0 && above.at(-1) !== this) above.pop()
      if (above.includes(inner)) return 'circular'
      above.push(inner)
      return inner
    })
    return cut(text ?? String(value))
  } catch (error) {
    return `not readable: ${String(error)}`
  }
}

const SHOWN_BYTES = 64

function bytesText(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, SHOWN_BYTES))
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '.')
  return `${bytes.length} bytes: ${start}${bytes.length > SHOWN_BYTES ? '…' : ''}`
}

function shapeOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `text of ${value.length}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `list of ${value.length}`
  if (typeof value !== 'object') return typeof value
  const { name } = value.constructor ?? {}
  return name === 'Object' || name === undefined ? 'object' : name
}

function cut(text: string): string {
  return text.length > DETAIL_TEXT ? `${text.slice(0, DETAIL_TEXT)}…` : text
}
