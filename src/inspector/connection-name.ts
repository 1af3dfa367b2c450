// One text for one actor of a connection, by which reports that know only names find its row. Used by local-feed.ts.
import { ACTOR_KINDS } from './protocol.ts'

/** @param kind name, or place in ACTOR_KINDS; @param key stream ID, or nothing */
export function connectionName(kind: string | number, connection: string, key: number | undefined): string {
  const name = typeof kind === 'number' ? ACTOR_KINDS[kind] : kind
  return `${name} ${connection} ${name === 'stream' || name === 'handler' ? (key ?? -1) : ''}`
}
