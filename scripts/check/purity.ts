/**
 * The purity scan: what stands left of transport/io is deterministic. Time and randomness are passed in,
 * so that a whole connection can run under a virtual clock with a seed. Called by scripts/check.ts.
 */
import { moduleReferences } from './imports.ts'
import { collectDeclarations, type Declarations, isDeclared } from './scopes.ts'
import { isNode, lineAt, parseSource, type SyntaxNode, type Violation, walk } from './syntax.ts'

/** The rooms that may not touch clock, timer, socket, file or randomness. */
export const PURE_ROOMS = [
  'src/machines/',
  'src/transport/wire/',
  'src/transport/crypto/',
  'src/transport/tls/',
  'src/transport/recovery/',
  'src/transport/streams/',
  'src/transport/connection/',
  'src/http3/',
] as const

/** Node modules without any clock, socket, file or process behind them. */
const PURE_MODULES = new Set(['node:crypto', 'node:buffer', 'node:assert', 'node:util', 'node:url'])

const IMPURE_GLOBALS = new Map<string, string>([
  ['performance', 'a clock'],
  ['setTimeout', 'a timer'],
  ['setInterval', 'a timer'],
  ['setImmediate', 'a timer'],
  ['clearTimeout', 'a timer'],
  ['clearInterval', 'a timer'],
  ['clearImmediate', 'a timer'],
  ['process', 'the process'],
  ['globalThis', 'the global object'],
  ['crypto', 'randomness'],
  ['fetch', 'the network'],
  ['WebSocket', 'the network'],
  ['require', 'a module by run-time name'],
])

/** Members that are impure whatever object they hang on. */
const IMPURE_MEMBERS = new Map<string, string>([
  ['randomBytes', 'randomness'],
  ['randomFill', 'randomness'],
  ['randomFillSync', 'randomness'],
  ['randomInt', 'randomness'],
  ['randomUUID', 'randomness'],
  ['getRandomValues', 'randomness'],
  ['generateKeyPair', 'randomness'],
  ['generateKeyPairSync', 'randomness'],
])

/** Impure members of one named global, the rest of which is harmless. */
const IMPURE_STATICS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  Math: new Map([['random', 'randomness']]),
  Date: new Map([['now', 'a clock']]),
  AbortSignal: new Map([['timeout', 'a timer']]),
}

/**
 * Finds uses of clocks, timers, sockets, files, processes and randomness in a file of a pure room.
 *
 * @param file path relative to the project, with forward slashes
 * @param source the file's text
 */
export function checkPurity(file: string, source: string): Violation[] {
  if (!PURE_ROOMS.some((room) => file.startsWith(room))) return []
  const program = parseSource(file, source)
  const declarations = collectDeclarations(program)
  const violations: Violation[] = []
  for (const { specifier, line } of moduleReferences(program, source)) {
    if (specifier?.startsWith('node:') && !PURE_MODULES.has(specifier)) {
      violations.push({ file, line, message: `imports ${specifier}, which is not deterministic` })
    }
  }
  walk(program, (node, ancestors, field) => {
    const reason = impurityOf(node, ancestors, field, declarations)
    if (reason !== undefined) {
      violations.push({ file, line: lineAt(source, node.start), message: `touches ${reason}` })
    }
  })
  return violations
}

function impurityOf(
  node: SyntaxNode,
  ancestors: readonly SyntaxNode[],
  field: string,
  declarations: Declarations,
): string | undefined {
  if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date') {
    return Array.isArray(node.arguments) && node.arguments.length > 0 ? undefined : 'a clock (new Date())'
  }
  if (node.type === 'CallExpression' && nameOf(node.callee) === 'Date') return 'a clock (Date())'
  if (node.type === 'ImportSpecifier') return describe(IMPURE_MEMBERS, nameOf(node.imported))
  if (node.type === 'MemberExpression') return impureMember(node)
  if (node.type !== 'Identifier' || isOnlyAName(ancestors.at(-1), field)) return undefined
  const name = nameOf(node)
  if (name === undefined || isDeclared(name, ancestors, declarations)) return undefined
  return describe(IMPURE_GLOBALS, name)
}

function impureMember(node: SyntaxNode): string | undefined {
  const property = node.computed === true ? stringOf(node.property) : nameOf(node.property)
  const object = nameOf(node.object)
  const statics = object === undefined ? undefined : IMPURE_STATICS[object]
  if (statics !== undefined && property === undefined) return `a computed member of ${object}`
  return describe(statics ?? IMPURE_MEMBERS, property)
}

function describe(table: ReadonlyMap<string, string>, name: string | undefined): string | undefined {
  const reason = name === undefined ? undefined : table.get(name)
  return reason === undefined ? undefined : `${reason} (${name})`
}

/** Names of properties, methods, types and labels are not uses of a global of the same name. */
function isOnlyAName(parent: SyntaxNode | undefined, field: string): boolean {
  if (parent === undefined) return false
  if (
    parent.type.startsWith('TS') &&
    parent.type !== 'TSAsExpression' &&
    parent.type !== 'TSNonNullExpression'
  ) {
    return field !== 'expression'
  }
  if (field === 'property') return parent.computed !== true
  if (field === 'key') return parent.computed !== true
  if (field === 'label' || field === 'imported' || field === 'exported') return true
  return false
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node.name === 'string' ? node.name : undefined
}

function stringOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}
