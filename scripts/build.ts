/**
 * `npm run build`: compiles src/ to dist/ as it is published: JavaScript and type declarations, `.ts`
 * imports rewritten to `.js`, and the command executable. Called by npm before packing, too.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const COMMAND = `${PROJECT}/dist/cli/main.js`
const EXECUTABLE = 0o755

rmSync(`${PROJECT}/dist`, { recursive: true, force: true })
const compiler = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {
  cwd: PROJECT,
  stdio: 'inherit',
})
if (compiler.error !== undefined) throw compiler.error
if (compiler.status !== 0) process.exit(compiler.status ?? 1)
if (!readFileSync(COMMAND, 'utf8').startsWith('#!')) {
  throw new Error('src/cli/main.ts has to begin with #!/usr/bin/env node')
}
chmodSync(COMMAND, EXECUTABLE)
