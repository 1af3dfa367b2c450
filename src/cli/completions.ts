// quactor completions SHELL: a script that completes command lines, made from the tables of the commands. Dispatched by
// main.ts.
import { COMMANDS, COMPLETIONS, SHELLS } from './command-tables.ts'
import { type CommandTable, helpText, type OptionRow, optionWords, parseCommandLine } from './option-table.ts'
import { UsageError } from './usage-error.ts'

/** What stands where a command could: these two are options of `quactor` itself. */
const TOP_OPTIONS = ['--help', '--version']

/**
 * Runs the command.
 * @param args what follows `completions` on the command line
 * @returns exit code: 0 when the script was printed, 2 for wrong usage
 */
export function runCompletions(args: string[]): number {
  try {
    const { values, positionals } = parseCommandLine(COMPLETIONS, args)
    if (values.help === true) {
      process.stdout.write(helpText(COMPLETIONS))
      return 0
    }
    process.stdout.write(completionScript(positionals))
    return 0
  } catch (error) {
    process.stderr.write(`quactor completions: ${(error as Error).message}\n`)
    return 2
  }
}

/** @throws UsageError unless exactly one shell that we know is named */
export function completionScript(shells: readonly string[]): string {
  const [shell] = shells
  if (shells.length === 1) {
    if (shell === 'bash') return bashScript()
    if (shell === 'zsh') return zshScript()
    if (shell === 'fish') return fishScript()
  }
  throw new UsageError(`name one shell of ${SHELLS.join(', ')}`)
}

/** Both spellings of an option. */
function spellings(name: string, { short }: OptionRow): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]
}

// ---------------------------------------------------------------------------------------------------------------- bash

/** The commands that fill COMPREPLY. Not mapfile: bash 3.2, which macOS has, knows none. */
function bashReply(complete: OptionRow['complete']): string {
  if (complete === undefined) return 'COMPREPLY=()'
  if (complete === 'file') return `${bashGenerate('-f')}; compopt -o filenames 2>/dev/null`
  if (complete === 'folder') return `${bashGenerate('-d')}; compopt -o filenames 2>/dev/null`
  return bashGenerate(`-W $'${complete.join('\\n')}'`)
}

function bashGenerate(action: string): string {
  return `COMPREPLY=($(compgen ${action} -- "$word"))`
}

function bashValues({ options }: CommandTable): string[] {
  return Object.entries(options)
    .filter(([, row]) => row.type === 'string')
    .map(([name, row]) => `        ${spellings(name, row).join('|')}) ${bashReply(row.complete)}; return ;;`)
}

function bashCommand(table: CommandTable): string[] {
  return [
    `    ${table.name})`,
    '      case "$before" in',
    ...bashValues(table),
    '      esac',
    '      if [[ "$word" == -* ]]; then',
    `        ${bashReply(optionWords(table))}`,
    '      else',
    `        ${bashReply(table.complete)}`,
    '      fi ;;',
  ]
}

function bashScript(): string {
  const first = [...COMMANDS.map(({ name }) => name), ...TOP_OPTIONS]
  const lines = [
    '# bash completion for quactor, made by: quactor completions bash',
    '_quactor() {',
    '  local word="$' + '{COMP_WORDS[COMP_CWORD]}" before="$' + '{COMP_WORDS[COMP_CWORD-1]}"',
    "  local IFS=$'\\n'",
    '  COMPREPLY=()',
    '  if (( COMP_CWORD == 1 )); then',
    `    ${bashReply(first)}`,
    '    return',
    '  fi',
    '  case "$' + '{COMP_WORDS[1]}" in',
    ...COMMANDS.flatMap(bashCommand),
    '  esac',
    '}',
    'complete -F _quactor quactor',
  ]
  return `${lines.join('\n')}\n`
}

// ----------------------------------------------------------------------------------------------------------------- zsh

/** In a specification of _arguments brackets and colons have a meaning, and a quote ends the word. */
function zshText(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&').replaceAll("'", `'\\''`)
}

function zshAction(complete: OptionRow['complete']): string {
  if (complete === 'file') return '_files'
  if (complete === 'folder') return '_files -/'
  return complete === undefined ? ' ' : `(${complete.join(' ')})`
}

function zshOption(name: string, row: OptionRow): string[] {
  const value = row.type === 'string' ? `:${zshText(row.value ?? 'value')}:${zshAction(row.complete)}` : ''
  const again = row.multiple === true ? '*' : ''
  return spellings(name, row).map((word) => `'${again}${word}[${zshText(row.help)}]${value}'`)
}

function zshCommand({ name, options, operand, complete }: CommandTable): string[] {
  const specifications = Object.entries(options).flatMap(([option, row]) => zshOption(option, row))
  if (operand !== undefined) specifications.push(`'1:${zshText(operand)}:${zshAction(complete)}'`)
  return [`    ${name})`, `      _arguments ${specifications.join(' \\\n        ')} ;;`]
}

function zshScript(): string {
  const lines = [
    '#compdef quactor',
    '# zsh completion for quactor, made by: quactor completions zsh',
    '_quactor() {',
    '  local -a commands=(',
    ...COMMANDS.map(({ name, summary }) => `    '${name}:${zshText(summary)}'`),
    '  )',
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    `    compadd -- ${TOP_OPTIONS.join(' ')}`,
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words; (( CURRENT-- ))',
    '  case $command in',
    ...COMMANDS.flatMap(zshCommand),
    '  esac',
    '}',
    // Autoloaded from fpath, the file is the function's body; sourced, it registers the function.
    'if [[ $funcstack[1] == _quactor ]]; then _quactor "$@"; else compdef _quactor quactor; fi',
  ]
  return `${lines.join('\n')}\n`
}

// ---------------------------------------------------------------------------------------------------------------- fish

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function fishValue({ type, complete }: OptionRow): string {
  if (type === 'boolean') return ''
  if (complete === 'file') return ' -r -F'
  if (complete === 'folder') return " -x -a '(__fish_complete_directories)'"
  return complete === undefined ? ' -x' : ` -x -a ${fishQuoted(complete.join(' '))}`
}

function fishCommand({ name, summary, complete, options }: CommandTable): string[] {
  const condition = `-n '__fish_seen_subcommand_from ${name}'`
  const lines = [`complete -c quactor -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`]
  if (complete === 'folder') lines.push(`complete -c quactor ${condition} -a '(__fish_complete_directories)'`)
  else if (complete !== undefined)
    lines.push(`complete -c quactor ${condition} -a ${fishQuoted(complete.join(' '))}`)
  for (const [option, row] of Object.entries(options)) {
    const short = row.short === undefined ? '' : ` -s ${row.short}`
    lines.push(
      `complete -c quactor ${condition} -l ${option}${short}${fishValue(row)} -d ${fishQuoted(row.help)}`,
    )
  }
  return lines
}

function fishScript(): string {
  const lines = [
    '# fish completion for quactor, made by: quactor completions fish',
    'complete -c quactor -f',
    ...TOP_OPTIONS.map((word) => `complete -c quactor -n __fish_use_subcommand -l ${word.slice(2)}`),
    ...COMMANDS.flatMap(fishCommand),
  ]
  return `${lines.join('\n')}\n`
}
