/** Writes the API reference: every public symbol with its signature and what its comments say. Used by scripts/docs.ts. */
import type { DocComment } from './doc-comment.ts'
import type { PublicMember, PublicSymbol } from './public-symbols.ts'

/** One entry of the package, as users import it. */
export interface ApiEntry {
  readonly name: string
  readonly symbols: readonly PublicSymbol[]
}

/** Chapters by where a symbol is declared; the first that fits. */
const CHAPTERS: readonly (readonly [RegExp, string])[] = [
  [/\/machine-service\//, 'Machine services'],
  [/webtransport/i, 'WebTransport'],
  [/websocket|handshake-error/, 'WebSockets'],
  [/connect-udp|client-tunnel|h3-datagrams/, 'Tunnels'],
  [/\/client\//, 'Client'],
  [/\/(?:observation|supervisor)\/|live-connections|connection-metrics/, 'Watching a server'],
  [/\/transport\/|\/http3\//, 'QUIC and HTTP/3'],
  [/\/testing\//, 'Testing'],
  [/\/handlers\//, 'Server and handlers'],
]

const ORDER = [
  'Server and handlers',
  'Machine services',
  'WebTransport',
  'WebSockets',
  'Tunnels',
  'Client',
  'Watching a server',
]

const INTRODUCTION = `Made from the source by \`npm run docs\`: changes belong into the comments there. Unless something else is
said, times are in milliseconds and sizes in bytes; what a call throws it says, and a promise rejects with the same.
`

/** The whole text. */
export function apiReference(entries: readonly ApiEntry[]): string {
  const chapters = entries.flatMap(({ name, symbols }) => {
    const groups = [...Map.groupBy(symbols, chapterOf)].sort(([a], [b]) => rankOf(a) - rankOf(b))
    return groups.map(([title, members]) => ({ title, entry: name, members }))
  })
  const anchors = anchorsOf(chapters.flatMap(({ title, members }) => [title, ...namesOf(members)]))
  const parts = ['# API', '', INTRODUCTION]
  for (const { title, entry, members } of chapters) {
    anchors.next()
    const links = namesOf(members).map((name) => `[\`${name}\`](#${anchors.next().value})`)
    parts.push(`**${title}** (\`${entry}\`): ${links.join(', ')}`, '')
  }
  for (const { title, entry, members } of chapters) {
    parts.push(`## ${title}`, '', `\`import { ... } from '${entry}'\``, '')
    parts.push(...members.flatMap((symbol, index) => symbolLines(symbol, members[index - 1]?.name)))
  }
  return `${parts.join('\n').trimEnd()}\n`
}

/** Overloads have one name. */
function namesOf(symbols: readonly PublicSymbol[]): string[] {
  return [...new Set(symbols.map(({ name }) => name))]
}

/** Where a page of GitHub has each heading: in lower case, and numbered where that is not the first of its kind. */
function* anchorsOf(headings: readonly string[]): Generator<string, undefined> {
  const seen = new Map<string, number>()
  for (const heading of headings) {
    const anchor = heading.toLowerCase().replaceAll(' ', '-')
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    yield before === 0 ? anchor : `${anchor}-${before}`
  }
}

function chapterOf({ file }: PublicSymbol): string {
  return CHAPTERS.find(([pattern]) => pattern.test(file))?.[1] ?? 'Further'
}

function rankOf(chapter: string): number {
  const rank = ORDER.indexOf(chapter)
  return rank < 0 ? ORDER.length : rank
}

function symbolLines({ name, signature, doc, members }: PublicSymbol, before: string | undefined): string[] {
  // Overloads stand under one heading.
  const lines = name === before ? [] : [`### ${name}`, '']
  const head = signature.replace(/^export /, '').replace(/^declare /, '')
  const isListed = members.length > 0
  lines.push('```ts', isListed ? flat(head.replace(/ = \{[\s\S]*$/, '')) : head, '```', '')
  lines.push(...docLines(doc, ''))
  for (const member of members) lines.push(...memberLines(member))
  if (isListed) lines.push('')
  return lines
}

function memberLines({ signature, doc }: PublicMember): string[] {
  if (doc === undefined) return []
  const [first = '', ...rest] = docLines(doc, '  ').filter((line) => line !== '')
  const text = flat(signature.replace(/\breadonly /, '').replace(/ = [^=>]*$/, ''))
  return [`- \`${text}\`: ${first.trim().replace(/^- /, '')}`, ...rest]
}

/** Paragraphs, then a list of parameters, result and errors. */
function docLines(doc: DocComment | undefined, indent: string): string[] {
  if (doc === undefined) return []
  const lines =
    doc.text === '' ? [] : doc.text.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`))
  if (lines.length > 0) lines.push('')
  const facts = doc.parameters.map(({ name, text }) => `\`${name}\`: ${text}`)
  if (doc.returns !== undefined) facts.push(`Returns ${doc.returns}`)
  facts.push(...doc.throws.map((text) => `Throws ${text}`))
  lines.push(...facts.map((fact) => `${indent}- ${fact}`))
  if (facts.length > 0) lines.push('')
  return lines
}

function withoutComments(text: string): string {
  return text.replaceAll(/[ \t]*\/\*\*[\s\S]*?\*\/\n?/g, '')
}

function flat(text: string): string {
  return withoutComments(text).replaceAll(/\s+/g, ' ').replaceAll(/; \}/g, ' }').trim()
}
