/**
 * package.json as it is packed: without the condition that leads into src/, which is not published. npm packs the file
 * that lies there, so `prepack` calls this with `strip`, and `postpack` with `restore`.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MANIFEST = fileURLToPath(new URL('../package.json', import.meta.url))
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/quactor', import.meta.url))
/** The file as it was; left over when packing was interrupted. */
const KEPT = `${FOLDER}/package.json`
const SOURCE_CONDITION = 'quactor-source'

/** The text of package.json without the condition. */
export function publishedManifest(text: string): string {
  const manifest = JSON.parse(text) as { exports: Record<string, string | Record<string, string>> }
  for (const target of Object.values(manifest.exports)) {
    if (typeof target !== 'string') delete target[SOURCE_CONDITION]
  }
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

function restore(): void {
  if (!existsSync(KEPT)) return
  const isOurs = readFileSync(MANIFEST, 'utf8') === publishedManifest(readFileSync(KEPT, 'utf8'))
  if (!isOurs)
    throw new Error(`package.json was changed while it was packed; what it was before is in ${KEPT}`)
  renameSync(KEPT, MANIFEST)
}

function strip(): void {
  restore()
  const text = readFileSync(MANIFEST, 'utf8')
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(KEPT, text)
  writeFileSync(MANIFEST, publishedManifest(text))
}

if (import.meta.main) {
  const [, , command] = process.argv
  if (command === 'strip') strip()
  else if (command === 'restore') restore()
  else throw new Error('strip or restore')
}
