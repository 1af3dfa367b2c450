// The ways into a feed for other tools than our page, by path. Used by serve().
import type { Feed } from './feed.ts'
import type { Door } from './inspector-server.ts'

/** @param _feed of the server, or of its workers */
export function inspectorDoors(_feed: Feed): ReadonlyMap<string, Door> {
  return new Map()
}
