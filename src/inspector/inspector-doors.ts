// The ways into a feed for other tools than our page, by path. Used by serve().
import { StatelyDoor } from './doors/stately-door.ts'
import { XStateV4Door } from './doors/xstate-v4-door.ts'
import type { Feed } from './feed.ts'
import type { Door } from './inspector-server.ts'

/** @param feed of the server, or of its workers */
export function inspectorDoors(feed: Feed): ReadonlyMap<string, Door> {
  return new Map<string, Door>([
    ['/inspect-v5', (socket, request) => void new StatelyDoor(socket, feed, request)],
    ['/inspect-v4', (socket, request) => void new XStateV4Door(socket, feed, request)],
  ])
}
