// Files below a folder: GET and HEAD with types, validators, one byte range (RFC 9110 sections 13 and 14), and variants
// that were compressed beforehand.
// Used by the demo routes for --root, and open to users of the package.
import type { Stats } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { lookup } from 'mrmime'
import type { Exchange, ExchangeHandler } from './exchange.ts'
import { FILE_CHUNK, MAX_FILE_PATH } from './limits.ts'
import { variantsOf } from './precompressed.ts'

const NOT_FOUND_FIELDS = ['content-type', 'text/plain; charset=utf-8', 'content-length', '10']

/** What is sent for a path. */
interface ChosenFile {
  /** Of the file that was asked for; its type counts. */
  readonly path: string
  /** That file, or a compressed variant. */
  readonly file: FileHandle
  readonly stats: Stats
  /** Content coding of a variant. */
  readonly coding: string | undefined
  /** Other clients may be sent something else. */
  readonly varies: boolean
}

/** First and last byte of what is sent. */
interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * Serves the files below `root`; a folder stands for its index.html. Nothing outside of `root` is served, also not
 * through a symbolic link, nor a name that begins with a dot.
 * @param root folder
 */
export function staticFiles(root: string): ExchangeHandler {
  return async (exchange) => {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      exchange.respond(405, ['allow', 'GET, HEAD'])
      return
    }
    if (!(await sendFile(exchange, root))) exchange.respond(404, NOT_FOUND_FIELDS, 'not found\n')
  }
}

/** Answers with the file that the exchange's path names; false, and no response, when there is none. */
export async function sendFile(exchange: Exchange, root: string): Promise<boolean> {
  const path = await locate(root, exchange.path)
  if (path === undefined) return false
  const { accepted, exists } = await variantsOf(exchange, path)
  const [variant] = accepted
  let file: FileHandle
  try {
    file = await open(variant?.path ?? path, 'r')
  } catch {
    return false
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile()) return false
    await send(exchange, { path, file, stats, coding: variant?.coding, varies: exists })
    return true
  } finally {
    await file.close()
  }
}

/** The real path of what a request asks for, or undefined when that is not below the root. */
async function locate(root: string, requestPath: string): Promise<string | undefined> {
  const decoded = decodePath(requestPath)
  if (decoded === undefined) return undefined
  try {
    const base = await realpath(root)
    const wanted = resolve(base, `.${decoded}`)
    const path = await realpath(decoded.endsWith('/') ? resolve(wanted, 'index.html') : wanted)
    return path.startsWith(base.endsWith(sep) ? base : base + sep) ? path : undefined
  } catch {
    return undefined
  }
}

function decodePath(requestPath: string): string | undefined {
  const query = requestPath.indexOf('?')
  const encoded = query < 0 ? requestPath : requestPath.slice(0, query)
  if (encoded.length > MAX_FILE_PATH || !encoded.startsWith('/')) return undefined
  let decoded: string
  try {
    decoded = decodeURIComponent(encoded)
  } catch {
    return undefined
  }
  // A hidden name covers "." and "..", and files like .env that nobody means to publish.
  if (decoded.includes('\0') || decoded.includes('\\') || /\/\./.test(decoded)) return undefined
  return decoded
}

async function send(exchange: Exchange, chosen: ChosenFile): Promise<void> {
  const { path, file, stats, coding } = chosen
  const mark = coding === undefined ? '' : `-${coding}`
  const etag = `W/"${stats.size.toString(16)}-${Math.floor(stats.mtimeMs).toString(16)}${mark}"`
  const fields = ['etag', etag, 'last-modified', stats.mtime.toUTCString(), 'accept-ranges', 'bytes']
  // RFC 9110 section 12.5.5: a cache must ask again for a client that accepts other codings.
  if (chosen.varies) fields.push('vary', 'accept-encoding')
  if (isFresh(exchange, etag, stats)) {
    exchange.respond(304, fields)
    return
  }
  const type = lookup(path) ?? 'application/octet-stream'
  fields.push('content-type', type.startsWith('text/') ? `${type}; charset=utf-8` : type)
  if (coding !== undefined) fields.push('content-encoding', coding)
  const range = rangeOf(exchange, stats)
  if (range === 'unsatisfiable') {
    exchange.respond(416, ['content-range', `bytes */${stats.size}`])
    return
  }
  const { first, last } = range ?? { first: 0, last: stats.size - 1 }
  fields.push('content-length', String(last - first + 1))
  if (range !== undefined) fields.push('content-range', `bytes ${first}-${last}/${stats.size}`)
  const status = range === undefined ? 200 : 206
  if (exchange.method === 'HEAD' || stats.size === 0) {
    exchange.respond(status, fields)
    return
  }
  await sendBytes(exchange, file, status, fields, first, last)
}

/** RFC 9110 section 13.2.2: If-None-Match goes before If-Modified-Since. */
function isFresh(exchange: Exchange, etag: string, stats: Stats): boolean {
  const match = exchange.header('if-none-match')
  if (match !== undefined) {
    return match.trim() === '*' || match.split(',').some((tag) => opaque(tag.trim()) === opaque(etag))
  }
  const since = Date.parse(exchange.header('if-modified-since') ?? '')
  return !Number.isNaN(since) && Math.floor(stats.mtimeMs / 1_000) * 1_000 <= since
}

/** Weak comparison (RFC 9110 section 8.8.3.2). */
function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

/** One range of RFC 9110 section 14.1.2; several, or anything that is not understood, gets the whole file. */
function rangeOf(exchange: Exchange, stats: Stats): ByteRange | 'unsatisfiable' | undefined {
  // If-Range wants a strong validator, and ours are weak: only a date can match (RFC 9110 section 13.1.5).
  const condition = exchange.header('if-range')
  if (condition !== undefined && condition !== stats.mtime.toUTCString()) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(exchange.header('range') ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), stats.size)
    return length === 0 ? 'unsatisfiable' : { first: stats.size - length, last: stats.size - 1 }
  }
  const first = Number(match[1])
  const last = match[2] === '' ? stats.size - 1 : Math.min(Number(match[2]), stats.size - 1)
  if (match[2] !== '' && Number(match[2]) < first) return undefined
  return first >= stats.size ? 'unsatisfiable' : { first, last }
}

async function sendBytes(
  exchange: Exchange,
  file: FileHandle,
  status: number,
  fields: readonly string[],
  first: number,
  last: number,
): Promise<void> {
  let position = first
  let chunk = await readChunk(file, position, last)
  exchange.begin(status, fields)
  while (position <= last) {
    if (chunk.length === 0) throw new Error('the file became shorter while it was sent')
    const room = exchange.write(chunk)
    if (room !== undefined) await room
    position += chunk.length
    if (position <= last) chunk = await readChunk(file, position, last)
  }
  exchange.end()
}

/** Memory of its own per chunk: the stream keeps a reference until the client has acknowledged it. */
async function readChunk(file: FileHandle, position: number, last: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(FILE_CHUNK, last - position + 1))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  return buffer.subarray(0, bytesRead)
}
