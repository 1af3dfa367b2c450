// A component is drawn again only when its properties or the signals that it has read change, and the store and the
// selection are plain objects: whoever shows something of them calls this.
import { selection } from './selection.ts'
import { store } from './store.ts'

/** Draws the calling component again with every tick, every event of the selection and every step in them. */
export function useLive(): void {
  store.revision.value
  store.machinesRevision.value
  selection.revision.value
  selection.cursor.value
  selection.replay.value
}
