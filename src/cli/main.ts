#!/usr/bin/env node
// The quactor command: finds the subcommand and runs it. `npm start` is `quactor serve`.
import { readFileSync } from 'node:fs'
import { runServe } from './serve.ts'

const HELP = `Usage: quactor COMMAND [options]

  serve [DIR]   HTTP/3 server with demo routes, and the files below DIR
  get URL       one request over HTTP/3
  bench URL     load generator for HTTP/3

quactor COMMAND --help tells the options of a command.
`

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** @returns exit code, or undefined while a server keeps running */
async function run(command: string | undefined, args: string[]): Promise<number | undefined> {
  switch (command) {
    case 'serve':
      return runServe(args)
    case 'get':
      return (await import('./get.ts')).runGet(args)
    case 'bench':
      return (await import('./bench.ts')).runBench(args)
    case '--version':
    case '-v':
      process.stdout.write(`${version()}\n`)
      return 0
    case '--help':
    case '-h':
      process.stdout.write(HELP)
      return 0
    default:
      process.stderr.write(
        `quactor: ${command === undefined ? 'a command is missing' : `unknown command "${command}"`}; try quactor --help\n`,
      )
      return 2
  }
}

const [command, ...args] = process.argv.slice(2)
const code = await run(command, args)
if (code !== undefined) process.exitCode = code
