/**
 * `npm run test:package`: packs the project as it would be published, installs the archive into an empty folder, and
 * uses it there as a stranger would: from JavaScript, from TypeScript, as a command, by the first example of the README,
 * and by a project that create-quactor makes.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkArchive } from './archive.ts'
import { startProgram } from './program.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const STEP_TIMEOUT = 180_000

/** The lower end of `engines` in package.json. */
const OLDEST_NODE = '22.18.0'

// Whatever runs below runs on this Node, as under npm.
process.env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`

const folder = mkdtempSync(join(tmpdir(), 'quactor-package-'))
const user = join(folder, 'user')
let passed = 0
let failed = 0

/** Runs one command to its end and returns what it printed; a failure carries its whole output. */
function run(command: string, parameters: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, parameters, {
      cwd,
      encoding: 'utf8',
      timeout: STEP_TIMEOUT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error(`${command} ${parameters.join(' ')}: ${message}\n${stdout ?? ''}\n${stderr ?? ''}`)
  }
}

/** One check. Nothing is worth trying after a prerequisite has failed. */
async function step(title: string, body: () => unknown, isPrerequisite = false): Promise<void> {
  try {
    await body()
    passed++
    console.log(`ok     ${title}`)
  } catch (error) {
    failed++
    console.error(`FAILED ${title}\n${error instanceof Error ? error.message : String(error)}`)
    if (isPrerequisite) end()
  }
}

function end(): never {
  rmSync(folder, { recursive: true, force: true })
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 && passed > 0 ? 0 : 1)
}

const SERVE = `
const server = await serve({ host: '127.0.0.1', port: 0, tls: 'self-signed', inspector: false, fetch: () => new Response('hello') })
if (!(server.port > 0)) throw new Error('no port')
await server.close({ timeout: 1000 })
console.log('served')
`

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(PROJECT, 'node_modules/@types')],
    skipLibCheck: false,
  },
  files: ['use.ts'],
}

function expectServed(output: string): void {
  if (!output.includes('served')) throw new Error(`unexpected output: ${output}`)
}

/** The packed archive of a package. */
function archive(name: string): string {
  const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}-`) && entry.endsWith('.tgz'))
  if (file === undefined) throw new Error(`there is no archive of ${name}`)
  return join(folder, file)
}

/** What `quactor get` of that project prints. */
function get(cwd: string, ...parameters: string[]): string {
  return run(
    join(cwd, 'node_modules/.bin/quactor'),
    ['get', '--insecure', '--http3-only', ...parameters],
    cwd,
  )
}

const manifest = readFileSync(join(PROJECT, 'package.json'), 'utf8')
mkdirSync(user)
await step(
  'npm pack',
  () => {
    run('npm', ['pack', '--pack-destination', folder], PROJECT)
  },
  true,
)
await step('the archive holds what is published, and nothing else', () => checkArchive(archive('quactor')))
await step('package.json of the project is as it was', () => {
  if (readFileSync(join(PROJECT, 'package.json'), 'utf8') !== manifest)
    throw new Error('it was changed by packing')
})
await step(
  'npm install into an empty folder',
  () => {
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    run('npm', ['install', '--no-audit', '--no-fund', archive('quactor')], user)
  },
  true,
)
await step('JavaScript: import { serve } from quactor', () => {
  writeFileSync(join(user, 'use.mjs'), `import { serve } from 'quactor'\n${SERVE}`)
  expectServed(run(process.execPath, ['use.mjs'], user))
})
await step('TypeScript: the published types compile with tsc', () => {
  writeFileSync(
    join(user, 'use.ts'),
    `import { type QuactorServer, serve } from 'quactor'\n${SERVE}\nexport const kept: QuactorServer = server\n`,
  )
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  run(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), '-p', '.'], user)
})
await step('TypeScript: runs with type stripping', () => {
  expectServed(run(process.execPath, ['use.ts'], user))
})
await step(`JavaScript on the oldest supported Node (${OLDEST_NODE})`, () => {
  const runtime = join(folder, 'runtime')
  mkdirSync(runtime)
  writeFileSync(
    join(runtime, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { node: true } }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', `node@${OLDEST_NODE}`], runtime)
  const oldest = join(runtime, 'node_modules/node/bin/node')
  const version = run(oldest, ['--version'], user).trim()
  if (version !== `v${OLDEST_NODE}`) throw new Error(`this is ${version}`)
  expectServed(run(oldest, ['use.mjs'], user))
})
await step('the quactor command answers', () => {
  const output = run(join(user, 'node_modules/.bin/quactor'), ['--version'], user)
  if (!/^(?:quactor )?\d+\.\d+\.\d+/.test(output)) throw new Error(`unexpected output: ${output}`)
})
await step("the README's first example, pasted, answers a request", async () => {
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8')
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  if (example === undefined) throw new Error('there is no example')
  // The ports may be taken on this machine; nothing else is changed.
  writeFileSync(join(user, 'example.ts'), example.replace(/port: 443[34]/g, 'port: 0'))
  const program = await startProgram(['example.ts'], user, { PATH: process.env.PATH })
  try {
    const answer = get(user, program.url, '-d', 'to be or not to be')
    if (!answer.includes('18')) throw new Error(`unexpected answer: ${answer}`)
  } finally {
    await program.stop()
  }
})
await step('npm create quactor: its project installs, passes its tests and types, and answers', async () => {
  run('npm', ['pack', '--pack-destination', folder], join(PROJECT, 'examples/create'))
  const creator = join(folder, 'creator')
  mkdirSync(creator)
  run('npm', ['install', '--no-audit', '--no-fund', '--prefix', creator, archive('create-quactor')], creator)
  run(join(creator, 'node_modules/.bin/create-quactor'), ['my-app'], folder)
  const app = join(folder, 'my-app')
  // Not published yet: the archive stands for what the registry would give.
  run('npm', ['install', '--no-audit', '--no-fund', archive('quactor')], app)
  run('npm', ['test'], app)
  run('npm', ['run', 'check'], app)
  const failures: string[] = []
  const program = await startProgram(['src/server.ts'], app, { PORT: '0', INSPECTOR_PORT: '0' })
  try {
    const answer = get(app, program.url, '-d', 'to be or not to be')
    if (answer !== '6 words\n') failures.push(`unexpected answer: ${answer}`)
  } finally {
    const code = await program.stop()
    if (code !== 0) failures.push(`the server ended with ${code}`)
  }
  if (failures.length > 0) throw new Error(failures.join('\n'))
})
end()
