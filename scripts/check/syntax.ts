/**
 * Reading TypeScript as a syntax tree, so that comments and strings can never look like code.
 * Used by the import-order check and the purity scan.
 */
import { parseSync } from 'rolldown/utils'

/** One node of the ESTree syntax tree; children are reached through its fields. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** A place in a file where a rule is broken. `line` counts from 1. */
export interface Violation {
  readonly file: string
  readonly line: number
  readonly message: string
}

/**
 * Parses one TypeScript source.
 *
 * @throws Error with the parser's message when the source is not valid TypeScript.
 */
export function parseSource(file: string, source: string): SyntaxNode {
  const result = parseSync(file, source, { lang: file.endsWith('.tsx') ? 'tsx' : 'ts', sourceType: 'module' })
  const first = result.errors[0]
  if (first !== undefined) throw new Error(`${file}: ${first.message}`)
  return result.program as unknown as SyntaxNode
}

/** Calls `visit` for every node below and including `root`, parents before children, outermost ancestor first. */
export function walk(
  root: SyntaxNode,
  visit: (node: SyntaxNode, ancestors: readonly SyntaxNode[], field: string) => void,
): void {
  const ancestors: SyntaxNode[] = []
  const step = (node: SyntaxNode, field: string): void => {
    visit(node, ancestors, field)
    ancestors.push(node)
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) step(item, key)
      } else if (isNode(value)) step(value, key)
    }
    ancestors.pop()
  }
  step(root, '')
}

/** Tells a syntax node from the other values that a field can hold. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string'
}

/** The line, from 1, on which the character at `offset` stands. */
export function lineAt(source: string, offset: number): number {
  let line = 1
  for (
    let index = source.indexOf('\n');
    index !== -1 && index < offset;
    index = source.indexOf('\n', index + 1)
  ) {
    line++
  }
  return line
}
