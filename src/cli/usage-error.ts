// Wrong command lines: told in one clear line, exit code 2. Used by the commands of this folder.

/** Something the caller of a command has to change about how it is called. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The value of a numeric option. @throws UsageError when it is not a number above zero */
export function positiveNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new UsageError(`${option} needs a number above 0, not "${text}"`)
  return value
}

/** The value of an option that counts something. @throws UsageError when it is not a whole number above zero */
export function positiveInteger(option: string, text: string): number {
  const value = positiveNumber(option, text)
  if (!Number.isInteger(value)) throw new UsageError(`${option} needs a whole number, not "${text}"`)
  return value
}

/** The value of an option that is a port. @throws UsageError when it is none */
export function portNumber(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`${option} needs a port from 0 to 65535, not "${text}"`)
}
