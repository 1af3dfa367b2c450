/**
 * Every module that a source file names: static imports, re-exports, dynamic imports and import types.
 * Called by the import-order check and the purity scan.
 */
import { isNode, lineAt, type SyntaxNode, walk } from './syntax.ts'

/** One mention of another module. `specifier` is undefined when it is computed at run time. */
export interface ModuleReference {
  readonly specifier: string | undefined
  readonly line: number
}

/** Lists the modules named by a parsed file, type-only mentions included. */
export function moduleReferences(program: SyntaxNode, source: string): ModuleReference[] {
  const found: ModuleReference[] = []
  walk(program, (node) => {
    const named = moduleNameOf(node)
    if (named !== undefined) found.push({ specifier: literalValue(named), line: lineAt(source, node.start) })
  })
  return found
}

function moduleNameOf(node: SyntaxNode): SyntaxNode | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node.source) ? node.source : undefined
    default:
      return undefined
  }
}

function literalValue(node: SyntaxNode): string | undefined {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}
