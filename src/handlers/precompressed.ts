// Variants of a file that were compressed beforehand and lie beside it (`app.js.br`), RFC 9110 section 12.5.3. Used by
// static-files.ts.
import { open, realpath } from 'node:fs/promises'
import type { Exchange } from './exchange.ts'

/** Content codings with the ending of their files, the smallest first. */
const VARIANTS = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
] as const

/** A file that is sent in place of another. */
export interface Variant {
  readonly coding: string
  readonly path: string
}

/**
 * Variants of a file that the client accepts, best first, and whether there are any at all: then the response varies.
 * @param path real path of the file itself; a variant must be a file of its own beside it
 */
export async function variantsOf(
  exchange: Exchange,
  path: string,
): Promise<{ readonly accepted: Variant[]; readonly exists: boolean }> {
  const accepted: Variant[] = []
  let exists = false
  const weights = weightsOf(exchange.header('accept-encoding') ?? '')
  for (const [coding, ending] of VARIANTS) {
    const variant = path + ending
    if (!(await isFile(variant))) continue
    exists = true
    if ((weights.get(coding) ?? weights.get('*') ?? 0) > 0) accepted.push({ coding, path: variant })
  }
  return { accepted, exists }
}

/** A link may lead anywhere: then it is none. */
async function isFile(path: string): Promise<boolean> {
  try {
    if ((await realpath(path)) !== path) return false
    const file = await open(path, 'r')
    try {
      return (await file.stat()).isFile()
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}

/** Quality of each coding (RFC 9110 section 12.4.2); what cannot be read counts as refused. */
function weightsOf(field: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const part of field.split(',')) {
    const [coding, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const quality = parameters.find((text) => text.startsWith('q='))?.slice(2)
    if (coding !== '') weights.set(coding, quality === undefined ? 1 : Number(quality) || 0)
  }
  return weights
}
