#!/usr/bin/env node
// The quactor command: finds the subcommand and runs it. `npm start` is `quactor serve`.
import { readFileSync } from 'node:fs'
import { COMMANDS } from './command-tables.ts'
import { nearestWord } from './nearest-word.ts'

const HELP = `Usage: quactor COMMAND [options]

An HTTP/3 server in which every stream is a supervised state machine, and tools to talk to it.

${COMMANDS.map(({ name, operand = '', summary }) => `  ${`${name} ${operand}`.padEnd(27)}${summary}`).join('\n')}

  -h, --help                 this text
  -V, --version              the version

quactor COMMAND --help tells the options of a command, with examples and exit codes. To begin with:

  quactor serve              the server, on https://localhost:4433/
  quactor get https://localhost:4433/health --insecure
  quactor inspect            what lives in it
`

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** @returns exit code, or undefined while a server keeps running */
async function run(command: string | undefined, args: string[]): Promise<number | undefined> {
  switch (command) {
    case 'serve':
      return (await import('./serve.ts')).runServe(args)
    case 'get':
      return (await import('./get.ts')).runGet(args)
    case 'bench':
      return (await import('./bench.ts')).runBench(args)
    case 'inspect':
      return (await import('./inspect.ts')).runInspect(args)
    case 'completions':
      return (await import('./completions.ts')).runCompletions(args)
    case '--version':
    case '-V':
    case '-v':
      process.stdout.write(`${version()}\n`)
      return 0
    case 'help':
      if (args.length > 0) return run(args[0], ['--help'])
      process.stdout.write(HELP)
      return 0
    case '--help':
    case '-h':
      process.stdout.write(HELP)
      return 0
    default:
      process.stderr.write(`quactor: ${complaint(command)}\n`)
      return 2
  }
}

function complaint(command: string | undefined): string {
  if (command === undefined) return 'a command is missing; try quactor --help'
  const meant = nearestWord(
    command,
    COMMANDS.map(({ name }) => name),
  )
  const advice = meant === undefined ? 'try quactor --help' : `did you mean quactor ${meant}?`
  return `unknown command "${command}"; ${advice}`
}

const [command, ...args] = process.argv.slice(2)
const code = await run(command, args)
if (code !== undefined) process.exitCode = code
