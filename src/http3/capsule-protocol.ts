// The Capsule-Protocol field, RFC 9297 section 3.4. Read by whoever has to know without knowing the upgrade token.
import { parseItem, StructuredFieldError } from './structured-fields.ts'

/**
 * Whether a message says that its data stream consists of capsules.
 * @param fields flat list, names in lower case
 */
export function usesCapsules(fields: readonly string[]): boolean {
  let value: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] !== 'capsule-protocol') continue
    // "if this field is included multiple times, its type will become a List and the field will therefore be ignored"
    if (value !== undefined) return false
    value = fields[index + 1]
  }
  if (value === undefined) return false
  try {
    const { item } = parseItem(value)
    return item.type === 'boolean' && item.value
  } catch (error) {
    if (error instanceof StructuredFieldError) return false
    throw error
  }
}
