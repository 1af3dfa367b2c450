/** What both sets of checks use in the page. */

/** Throws unless the condition holds. */
export function expect(condition, reason) {
  if (!condition) throw new Error(reason)
}

/** Bytes in which every byte's value tells its place, as those of /bytes/N. */
export function pattern(length) {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = at & 0xff
  return bytes
}

/** Whether a chunk continues the pattern at an offset. */
export function continues(chunk, offset) {
  for (let at = 0; at < chunk.length; at++) if (chunk[at] !== ((offset + at) & 0xff)) return false
  return true
}

/** Reads a stream to its end and compares it with the pattern; resolves with its length. */
export async function readPattern(readable) {
  let length = 0
  const reader = readable.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return length
    expect(continues(value, length), `bytes differ after ${length}`)
    length += value.length
  }
}

/** Rejects when a promise takes longer, ms. */
export function within(milliseconds, promise, what) {
  let timer
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

/** The reason for which a promise is rejected. @throws Error when it is not */
export async function rejection(promise, what) {
  let value
  try {
    value = await within(20_000, promise, what)
  } catch (error) {
    return error
  }
  throw new Error(`${what} succeeded with ${JSON.stringify(value)}`)
}
