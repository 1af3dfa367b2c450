// What every server of the benchmark answers, so that all rows do the same work.

/** Body of a small response: with its header fields about what a health check or a small API call returns. */
export const SMALL_BODY = Buffer.from(JSON.stringify({ ok: true, message: 'hello over one small response' }))
export const SMALL_TYPE = 'application/json'

/** One piece of a large download. */
export const PIECE = Buffer.alloc(65_536, 'quactor ')
export const LARGE_TYPE = 'application/octet-stream'

/** The N of a path /bytes/N; undefined for every other path. */
export function largeLength(path: string): number | undefined {
  return path.startsWith('/bytes/') ? Number(path.slice('/bytes/'.length)) : undefined
}
