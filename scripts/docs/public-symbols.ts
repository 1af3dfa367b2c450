/**
 * Everything that a module exports, with its documentation comments: follows re-exports from file to file. Works on
 * sources and on the declarations that the compiler makes of them; only those have all types written out. Used by the
 * generator of the API reference and by the check for missing comments.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseSync } from 'rolldown/utils'
import { isNode, type SyntaxNode } from '../check/syntax.ts'
import { type DocComment, parseDocComment } from './doc-comment.ts'

export type SymbolKind = 'function' | 'class' | 'interface' | 'type' | 'constant'

/** One member of a class or interface, or of a type that is written as one. */
export interface PublicMember {
  readonly name: string
  /** As written, without body. */
  readonly signature: string
  readonly isCallable: boolean
  readonly doc: DocComment | undefined
  /** Another one than that of its symbol where it is inherited. */
  readonly file: string
  readonly line: number
}

/** One name that can be imported. */
export interface PublicSymbol {
  readonly name: string
  readonly kind: SymbolKind
  /** As written, without bodies and members. */
  readonly signature: string
  readonly doc: DocComment | undefined
  readonly members: readonly PublicMember[]
  readonly file: string
  readonly line: number
}

/** The exports of `entry`, a path to a .ts or .d.ts file, in the order of their names. */
export function publicSymbols(entry: string): PublicSymbol[] {
  const reader = new ModuleReader()
  const places = reader.exportsOf(entry)
  const isPublic = (place: Place): boolean => [...places.values()].some((each) => isSame(each, place))
  const symbols = [...places].flatMap(([name, place]) => reader.describe(name, place, isPublic))
  return symbols.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** Where a name is declared. */
interface Place {
  readonly file: string
  readonly local: string
}

interface Module {
  readonly source: string
  readonly body: readonly SyntaxNode[]
  /** End of each documentation comment, and its text. */
  readonly comments: readonly { readonly end: number; readonly value: string }[]
}

/** What a declaration is called in the syntax tree, and by us. */
const KINDS: Readonly<Record<string, SymbolKind>> = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  VariableDeclaration: 'constant',
}

class ModuleReader {
  readonly #modules = new Map<string, Module>()

  /** Every exported name of a file. */
  exportsOf(file: string): Map<string, Place> {
    const found = new Map<string, Place>()
    for (const node of this.#read(file).body) {
      if (node.type === 'ExportAllDeclaration') {
        const inner = this.exportsOf(moduleFile(file, node.source as SyntaxNode))
        for (const [name, place] of inner) if (name !== 'default') found.set(name, place)
      } else if (node.type === 'ExportNamedDeclaration') this.#addNamed(file, node, found)
    }
    return found
  }

  /** Its declarations: overloads of a function are several. */
  describe(name: string, { file, local }: Place, isPublic: (place: Place) => boolean): PublicSymbol[] {
    const module = this.#read(file)
    const symbols: PublicSymbol[] = []
    for (const [node, declaration] of this.#declarations(file, local)) {
      const members = membersOf(module, file, declaration)
      symbols.push({
        name,
        kind: KINDS[declaration.type]!,
        signature: headText(module.source, node.start, declaration),
        doc: docBefore(module, node.start),
        members: [...members, ...this.#inherited(file, declaration, members, isPublic)],
        file,
        line: lineOf(module.source, node.start),
      })
    }
    if (symbols.length > 0) return withoutImplementation(symbols)
    const imported = this.#importedFrom(file, local)
    if (imported === undefined) throw new Error(`${file}: no declaration of ${local} was found`)
    return this.describe(name, imported, isPublic)
  }

  /** Statements of a file that declare a name, each with the declaration itself. */
  #declarations(file: string, local: string): [SyntaxNode, SyntaxNode][] {
    return this.#read(file).body.flatMap((node): [SyntaxNode, SyntaxNode][] => {
      const declaration = declarationOf(node)
      if (declaration === undefined || KINDS[declaration.type] === undefined) return []
      return declaredNames(declaration).includes(local) ? [[node, declaration]] : []
    })
  }

  /** Members of base classes and interfaces that nobody can import: they have no entry of their own. */
  #inherited(
    file: string,
    declaration: SyntaxNode,
    own: readonly PublicMember[],
    isPublic: (place: Place) => boolean,
  ): PublicMember[] {
    const known = new Set(own.map(({ name }) => name))
    const members: PublicMember[] = []
    for (const base of baseNames(declaration)) {
      const isHere = this.#declarations(file, base).length > 0
      const place = isHere ? { file, local: base } : this.#importedFrom(file, base)
      if (place === undefined || isPublic(place)) continue
      const [described] = this.describe(base, place, isPublic)
      const added = described!.members.filter(({ name }) => name !== 'constructor' && !known.has(name))
      for (const { name } of added) known.add(name)
      members.push(...added)
    }
    return members
  }

  #addNamed(file: string, node: SyntaxNode, found: Map<string, Place>): void {
    const { source, declaration, specifiers } = node as unknown as ExportNode
    if (declaration !== null)
      for (const name of declaredNames(declaration)) found.set(name, { file, local: name })
    for (const { exported, local } of specifiers) {
      const inner = source === null ? undefined : this.exportsOf(moduleFile(file, source)).get(nameOf(local))
      if (source !== null && inner === undefined)
        throw new Error(`${file}: ${nameOf(local)} is not exported there`)
      found.set(nameOf(exported), inner ?? { file, local: nameOf(local) })
    }
  }

  #importedFrom(file: string, local: string): Place | undefined {
    for (const node of this.#read(file).body) {
      if (node.type !== 'ImportDeclaration') continue
      for (const specifier of node.specifiers as SyntaxNode[]) {
        if (specifier.type !== 'ImportSpecifier' || nameOf(specifier.local as SyntaxNode) !== local) continue
        // What packages export is theirs to document.
        if (!String((node.source as SyntaxNode).value).startsWith('.')) return undefined
        const from = moduleFile(file, node.source as SyntaxNode)
        return this.exportsOf(from).get(nameOf(specifier.imported as SyntaxNode))
      }
    }
    return undefined
  }

  #read(file: string): Module {
    const known = this.#modules.get(file)
    if (known !== undefined) return known
    const source = readFileSync(file, 'utf8')
    const { program, comments, errors } = parseSync(file, source, {
      lang: file.endsWith('.d.ts') ? 'dts' : 'ts',
      sourceType: 'module',
    })
    if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)
    const module: Module = {
      source,
      body: program.body as unknown as SyntaxNode[],
      comments: comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*')),
    }
    this.#modules.set(file, module)
    return module
  }
}

interface ExportNode {
  readonly source: SyntaxNode | null
  readonly declaration: SyntaxNode | null
  readonly specifiers: readonly { readonly exported: SyntaxNode; readonly local: SyntaxNode }[]
}

function nameOf(node: SyntaxNode): string {
  return String(node.name ?? node.value)
}

function moduleFile(from: string, source: SyntaxNode): string {
  const path = resolve(dirname(from), String(source.value))
  // The compiler leaves `.ts` in declarations as it is written in the sources.
  const candidates = [path, path.replace(/\.[jt]s$/, '.d.ts')]
  const file = candidates.find((candidate) => existsSync(candidate))
  if (file === undefined) throw new Error(`${from}: there is no ${path}`)
  return file
}

function declarationOf(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type !== 'ExportNamedDeclaration') return node
  return isNode(node.declaration) ? node.declaration : undefined
}

function declaredNames(declaration: SyntaxNode): string[] {
  if (declaration.type === 'VariableDeclaration')
    return (declaration.declarations as { id: SyntaxNode }[]).map(({ id }) => nameOf(id))
  return isNode(declaration.id) ? [nameOf(declaration.id)] : []
}

function isSame(a: Place, b: Place): boolean {
  return a.file === b.file && a.local === b.local
}

/** What a class or an interface extends, as far as that has a plain name. */
function baseNames(declaration: SyntaxNode): string[] {
  const { superClass, extends: extended } = declaration
  const bases = isNode(superClass)
    ? [superClass]
    : ((extended ?? []) as { expression: SyntaxNode }[]).map(({ expression }) => expression)
  return bases.filter(({ type }) => type === 'Identifier').map(nameOf)
}

/** Of an overloaded function only the overloads can be called. */
function withoutImplementation(symbols: PublicSymbol[]): PublicSymbol[] {
  if (symbols.length < 2 || symbols[0]!.kind !== 'function') return symbols
  return symbols.filter(({ signature }, index) => index < symbols.length - 1 || signature.includes('declare'))
}

/** The declaration up to its body. */
function headText(source: string, start: number, node: SyntaxNode): string {
  const body = node.body
  const hasMembers = node.type === 'ClassDeclaration' || node.type === 'TSInterfaceDeclaration'
  const end =
    isNode(body) && (hasMembers || body.type.endsWith('Statement') || body.type === 'FunctionBody')
      ? body.start
      : node.end
  return source.slice(start, end).trim()
}

/** The comment that ends right before `start`. */
function docBefore({ source, comments }: Module, start: number): DocComment | undefined {
  const comment = comments.findLast(({ end }) => end <= start)
  if (comment === undefined) return undefined
  // Only remarks for tools may stand between.
  const between = source.slice(comment.end, start).replaceAll(/^\s*\/\/.*$/gm, '')
  if (between.trim() !== '') return undefined
  return parseDocComment(comment.value.slice(1))
}

function membersOf(module: Module, file: string, declaration: SyntaxNode): PublicMember[] {
  return memberNodes(declaration).flatMap((node) => {
    const key = node.key as SyntaxNode | undefined
    const name = key === undefined ? '' : module.source.slice(key.start, key.end)
    const doc = docBefore(module, node.start)
    if (isHidden(node, name, doc)) return []
    const isCallable = /Method|CallSignature|ConstructSignature/.test(node.type) && node.kind !== 'get'
    return [
      {
        name: node.computed === true ? `[${name}]` : name,
        signature: memberText(module.source, node),
        isCallable,
        doc,
        file,
        line: lineOf(module.source, node.start),
      },
    ]
  })
}

/**
 * Members that a user of the class has no business with, or knows from elsewhere: its own, those of its contract with
 * other rooms (`handleX`), constructors of what others make, setters (their getters are there), and what means the same
 * as in a base class or the language.
 */
function isHidden(node: SyntaxNode, name: string, doc: DocComment | undefined): boolean {
  const { type, key, accessibility, kind, override } = node
  if (accessibility === 'private' || accessibility === 'protected' || type === 'StaticBlock') return true
  if ((key as SyntaxNode | undefined)?.type === 'PrivateIdentifier' || kind === 'set') return true
  if (doc !== undefined) return doc.text.startsWith('@internal')
  return (
    override === true || kind === 'constructor' || /^(?:handle[A-Z]|Symbol\.(?:asyncD|d)ispose)/.test(name)
  )
}

function memberNodes(declaration: SyntaxNode): SyntaxNode[] {
  const { body, typeAnnotation } = declaration
  if (declaration.type === 'ClassDeclaration' || declaration.type === 'TSInterfaceDeclaration')
    return (body as SyntaxNode).body as SyntaxNode[]
  const isLiteral = isNode(typeAnnotation) && typeAnnotation.type === 'TSTypeLiteral'
  return isLiteral ? (typeAnnotation.members as SyntaxNode[]) : []
}

function memberText(source: string, node: SyntaxNode): string {
  const value = node.value
  const body = isNode(value) ? value.body : undefined
  const end = isNode(body) ? body.start : node.end
  return source.slice(node.start, end).replace(/[;,]?\s*$/, '')
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}
