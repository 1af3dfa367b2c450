// The next chunk of a request body for its handler: everything that is there, up to a size, copied into one piece. Used by
// H3Exchange.
import type { RequestStream } from '../http3/index.ts'
import { READ_CHUNK } from './limits.ts'

/** A chunk that the caller may keep; undefined when nothing is there now. */
export function readChunk(request: RequestStream): Uint8Array | undefined {
  const first = request.readBody()
  if (first === undefined) return undefined
  const views = [first]
  let length = first.length
  while (length < READ_CHUNK) {
    const view = request.readBody()
    if (view === undefined) break
    views.push(view)
    length += view.length
  }
  const chunk = new Uint8Array(length)
  let offset = 0
  for (const view of views) {
    chunk.set(view, offset)
    offset += view.length
  }
  return chunk
}
