// A worker's side of the feed that its server merges: a link for each viewer, opened and closed over the channel between the
// two. Made by run-worker.ts.
import type { Feed, FeedLink, Viewer } from '../../inspector/feed.ts'
import type { InspectRequest } from './worker-messages.ts'

/** A viewer far away: what it has not taken yet waits on the way. */
class RemoteViewer implements Viewer {
  backlog = 0
  link: FeedLink | undefined
  readonly #pass: (text: string) => void

  constructor(pass: (text: string) => void) {
    this.#pass = pass
  }

  send(text: string): void {
    this.backlog += text.length
    this.#pass(text)
  }
}

export class InspectedWorker {
  readonly #viewers = new Map<number, RemoteViewer>()
  readonly #pass: (viewer: number, text: string) => void

  /** @param pass takes what a viewer is to be told */
  constructor(pass: (viewer: number, text: string) => void) {
    this.#pass = pass
  }

  /** @param feed of this process; undefined before it serves */
  handle(feed: Feed | undefined, id: number, request: InspectRequest): void {
    if (request.type === 'open') {
      if (feed === undefined) return
      const viewer = new RemoteViewer((text) => this.#pass(id, text))
      this.#viewers.set(id, viewer)
      viewer.link = feed.open(viewer)
      return
    }
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    if (request.type === 'taken') viewer.backlog -= request.length
    else if (request.type === 'close') {
      viewer.link?.close()
      this.#viewers.delete(id)
    } else viewer.link?.request(request)
  }
}
