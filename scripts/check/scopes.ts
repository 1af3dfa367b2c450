/**
 * Which names a scope declares, so that a parameter called `crypto` is not taken for the global of that name.
 * Called by the purity scan.
 */
import { isNode, type SyntaxNode, walk } from './syntax.ts'

const SCOPES = new Set([
  'Program',
  'BlockStatement',
  'StaticBlock',
  'SwitchStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'CatchClause',
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'TSEmptyBodyFunctionExpression',
  'TSDeclareFunction',
])

/** The names declared directly in each scope of a file. */
export type Declarations = ReadonlyMap<SyntaxNode, ReadonlySet<string>>

/** Collects the variables, parameters, functions, classes and imports of a file by the scope they live in. */
export function collectDeclarations(program: SyntaxNode): Declarations {
  const declarations = new Map<SyntaxNode, Set<string>>()
  const declare = (scope: SyntaxNode | undefined, pattern: unknown): void => {
    if (scope === undefined) return
    const names = declarations.get(scope) ?? new Set()
    declarations.set(scope, names)
    for (const name of boundNames(pattern)) names.add(name)
  }
  walk(program, (node, ancestors) => {
    const outer = ancestors.findLast((ancestor) => SCOPES.has(ancestor.type))
    if (node.type === 'VariableDeclarator') declare(outer, node.id)
    if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') declare(outer, node.id)
    if (node.type === 'CatchClause') declare(node, node.param)
    if (Array.isArray(node.params)) for (const parameter of node.params) declare(node, parameter)
    if (node.type.startsWith('Import')) declare(outer, node.local)
  })
  return declarations
}

/** True when a name used below these ancestors was declared by one of them. */
export function isDeclared(
  name: string,
  ancestors: readonly SyntaxNode[],
  declarations: Declarations,
): boolean {
  return ancestors.some((ancestor) => declarations.get(ancestor)?.has(name) ?? false)
}

function boundNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return []
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern.name)]
    case 'ObjectPattern':
      return listOf(pattern.properties).flatMap((property) =>
        boundNames(property.type === 'RestElement' ? property.argument : property.value),
      )
    case 'ArrayPattern':
      return listOf(pattern.elements).flatMap(boundNames)
    case 'AssignmentPattern':
      return boundNames(pattern.left)
    case 'RestElement':
      return boundNames(pattern.argument)
    default:
      return []
  }
}

function listOf(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}
