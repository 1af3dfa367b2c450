/**
 * `npm run test:package`: packs the project as it would be published, installs the archive into an empty
 * folder, and uses it there as a stranger would: from JavaScript, from TypeScript, and as a command.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const STEP_TIMEOUT = 180_000

/** The lower end of `engines` in package.json. */
const OLDEST_NODE = '22.18.0'

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
function step(title: string, body: () => void, isPrerequisite = false): void {
  try {
    body()
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

mkdirSync(user)
step(
  'npm pack',
  () => {
    run('npm', ['pack', '--pack-destination', folder], PROJECT)
  },
  true,
)
step('the archive holds the build and no sources or tests', () => {
  const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const listing = run('tar', ['-tzf', join(folder, archive ?? 'missing.tgz')], folder).split('\n')
  for (const name of [
    'package/dist/index.js',
    'package/dist/index.d.ts',
    'package/dist/cli/main.js',
    'package/LICENSE',
  ]) {
    if (!listing.includes(name)) throw new Error(`${name} is not in the archive`)
  }
  const stray = listing.filter((name) => /^package\/(?:src|test|bench|scripts)\//.test(name))
  if (stray.length > 0) throw new Error(`in the archive: ${stray.join(', ')}`)
})
step(
  'npm install into an empty folder',
  () => {
    const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    run('npm', ['install', '--no-audit', '--no-fund', join(folder, archive ?? 'missing.tgz')], user)
  },
  true,
)
step('JavaScript: import { serve } from quactor', () => {
  writeFileSync(join(user, 'use.mjs'), `import { serve } from 'quactor'\n${SERVE}`)
  expectServed(run(process.execPath, ['use.mjs'], user))
})
step('TypeScript: the published types compile with tsc', () => {
  writeFileSync(
    join(user, 'use.ts'),
    `import { type QuactorServer, serve } from 'quactor'\n${SERVE}\nexport const kept: QuactorServer = server\n`,
  )
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  run(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), '-p', '.'], user)
})
step('TypeScript: runs with type stripping', () => {
  expectServed(run(process.execPath, ['use.ts'], user))
})
step(`JavaScript on the oldest supported Node (${OLDEST_NODE})`, () => {
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
step('the quactor command answers', () => {
  const output = run(join(user, 'node_modules/.bin/quactor'), ['--version'], user)
  if (!/^(?:quactor )?\d+\.\d+\.\d+/.test(output)) throw new Error(`unexpected output: ${output}`)
})
end()
