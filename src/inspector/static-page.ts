// The files of the built page, read once. They are in the package, and made by `npm ci` in a clone; where they are missing
// the admin port shows its plain page. Used by inspector-server.ts.
import { readFileSync } from 'node:fs'

/** The same from src/inspector and from dist/inspector. */
export const PAGE_FOLDER = new URL('../../inspector/dist/', import.meta.url)

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  woff2: 'font/woff2',
  png: 'image/png',
}

export interface PageFile {
  readonly body: Buffer
  readonly type: string
  /** Its name changes with its content. */
  readonly isImmutable: boolean
}

/** One level of folders, plain names: nothing that could lead elsewhere. */
const PATH = /^(?:assets|charts)\/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?<type>[a-z0-9]+)$/

const files = new Map<string, PageFile>()

/** @param path of the request, without query; undefined for what is no file of the page */
export function pageFile(path: string): PageFile | undefined {
  const name = path === '/' ? 'index.html' : path.slice(1)
  const type = path === '/' ? 'html' : PATH.exec(name)?.groups?.type
  if (type === undefined || TYPES[type] === undefined) return undefined
  const known = files.get(name)
  if (known !== undefined) return known
  try {
    const body = readFileSync(new URL(name, PAGE_FOLDER))
    const file = { body, type: TYPES[type], isImmutable: name.startsWith('assets/') }
    files.set(name, file)
    return file
  } catch {
    return undefined
  }
}
