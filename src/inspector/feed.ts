// What lies between a feed and those who look: the server's own actors (local-feed.ts), those of its workers
// (merged-feed.ts), and on the other side pages (page-socket.ts) and doors for other tools.
import type { ActionRequest, ChartRequest, ExportKind, Hello, Pause, Select } from './protocol.ts'

/** Somebody who looks. */
export interface Viewer {
  /** Takes a message of the protocol, as JSON. */
  send(text: string): void
  /** Bytes that wait to be taken; above VIEWER_BACKLOG ticks are left out. */
  readonly backlog: number
}

/** What a viewer can ask for; whether it may has been decided before. */
export type FeedRequest =
  | Select
  | Pause
  | ChartRequest
  /** Something of another worker is selected. */
  | { readonly type: 'deselect' }
  /** Events of all actors, `most` at a time: for tools that have no selection. */
  | { readonly type: 'watch'; readonly most: number }
  | { readonly type: 'reveal'; readonly isRevealed: boolean }
  | { readonly type: 'action'; readonly id: number; readonly action: ActionRequest }
  | { readonly type: 'export'; readonly id: number; readonly what: ExportKind; readonly uid: number }

/** One viewer's end of a feed. */
export interface FeedLink {
  request(request: FeedRequest): void
  close(): void
}

export interface Feed {
  /** What a viewer is told first. */
  hello(): Hello
  /** Ticks begin at once. Nothing is looked at, counted or built while no link is open. */
  open(viewer: Viewer): FeedLink
}
