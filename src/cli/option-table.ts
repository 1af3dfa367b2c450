// What a command of `quactor` is called with, as one table: Node's parseArgs() reads it, the text of --help and the
// completions of shells are made from it, so that none of the three can forget an option. Used by the commands of
// this folder.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearestWord } from './nearest-word.ts'
import { UsageError } from './usage-error.ts'

/** One option. What parseArgs() knows, and what a person and a shell want to know besides. */
export interface OptionRow {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  readonly default?: string
  /** The word for the value in the help, in capitals. */
  readonly value?: string
  /** What the option does. */
  readonly help: string
  /** The heading of the help under which it stands; the first group's is "Options". */
  readonly group?: string
  /** Every value that it can have, or what kind of thing in the file system it names. */
  readonly complete?: readonly string[] | 'file' | 'folder'
}

export type OptionTable = Readonly<Record<string, OptionRow>>

/** One command. */
export interface CommandTable<Options extends OptionTable = OptionTable> {
  readonly name: string
  /** Half a line for `quactor --help`. */
  readonly summary: string
  /** What stands for the positional argument in the help, e.g. `URL`; without one there is none. */
  readonly operand?: string
  /** What the positional argument can be, for completions. */
  readonly complete?: readonly string[] | 'folder'
  /** One paragraph under the first line of the help. */
  readonly about: string
  readonly options: Options
  /** Command lines, each with what it is good for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[]
  /** Codes with their meaning, and what else there is to say at the end. */
  readonly exitCodes: string
}

/** The option of every command. */
export const HELP_OPTION = { type: 'boolean', short: 'h', help: 'this text' } as const

const FIRST_GROUP = 'Options'

/** Column of the explanations, and the width of the whole. */
const HELP_COLUMN = 26
const HELP_WIDTH = 100

/**
 * Reads a command line by its table.
 * @throws UsageError in one line, with the option that may have been meant
 */
export function parseCommandLine<const Options extends OptionTable>(
  table: CommandTable<Options>,
  args: string[],
) {
  try {
    return parseArgs({
      args,
      options: table.options as Options & ParseArgsOptionsConfig,
      allowPositionals: true,
    })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Node adds advice after the first sentence, and after the first line: one line is enough.
    const [first] = message.split(/\. |\.?\n/)
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(first)
    const unknown = /'(-[^']*)'/.exec(message)?.[1] ?? ''
    const meant = nearestWord(unknown, optionWords(table))
    const advice = meant === undefined ? `try quactor ${table.name} --help` : `did you mean ${meant}?`
    throw new UsageError(`Unknown option '${unknown}'; ${advice}`)
  }
}

/** `--name` of every option. */
export function optionWords({ options }: CommandTable): string[] {
  return Object.keys(options).map((name) => `--${name}`)
}

/** The text of `quactor NAME --help`. */
export function helpText(table: CommandTable): string {
  const { name, operand, about, options, examples, exitCodes } = table
  const parts = [`Usage: quactor ${name}${operand === undefined ? '' : ` ${operand}`} [options]`, '']
  parts.push(...wrap(about, HELP_WIDTH), '')
  const groups = Map.groupBy(Object.entries(options), ([, { group }]) => group ?? FIRST_GROUP)
  for (const [group, rows] of groups) {
    parts.push(`${group}:`, ...rows.flatMap(([option, row]) => optionLines(option, row)), '')
  }
  parts.push('Examples:', ...examples.flatMap(([line, purpose]) => [`  ${line}`, `      ${purpose}`]), '')
  parts.push(...wrap(`Exit codes: ${exitCodes}`, HELP_WIDTH))
  return `${parts.join('\n')}\n`
}

function optionLines(name: string, row: OptionRow): string[] {
  const short = row.short === undefined ? '    ' : `-${row.short}, `
  const head = `  ${short}--${name}${row.value === undefined ? '' : ` ${row.value}`}`
  const [first, ...rest] = wrap(helpOf(row), HELP_WIDTH - HELP_COLUMN)
  const indent = ' '.repeat(HELP_COLUMN)
  const following = rest.map((line) => `${indent}${line}`)
  // Two spaces, or the explanation begins on a line of its own.
  if (head.length > HELP_COLUMN - 2) return [head, `${indent}${first}`, ...following]
  return [`${head.padEnd(HELP_COLUMN)}${first}`, ...following]
}

function helpOf({ help, default: byDefault, multiple }: OptionRow): string {
  const facts = [
    multiple === true ? 'may be repeated' : '',
    byDefault === undefined ? '' : `default ${byDefault}`,
  ]
  const fact = facts.filter((text) => text !== '').join('; ')
  return fact === '' ? help : `${help} (${fact})`
}

/** Lines of at most `width` characters; a longer word has a line of its own. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}
