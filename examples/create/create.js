#!/usr/bin/env node
// `npm create quactor my-app`: copies the template into a new folder and says how to go on. JavaScript, because Node
// strips no types below node_modules.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HELP = `Usage: npm create quactor [DIR]

Makes a project with a machine service in DIR, which must be empty or not exist; default quactor-app.
`

/** Packed, the template lies beside this file; in the repository beside this folder. */
const TEMPLATE = ['./template', '../template']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

function create(folder) {
  const target = resolve(folder)
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new Error(`${target} is not empty; name another folder`)
  cpSync(TEMPLATE, target, { recursive: true, filter: (path) => basename(path) !== 'node_modules' })
  // npm packs no file of the right name.
  renameSync(join(target, 'gitignore'), join(target, '.gitignore'))
  const manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
  manifest.name = packageName(basename(target))
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return target
}

/** What npm takes as a name. */
function packageName(folder) {
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9._~-]+/g, '-')
  return name.replace(/^[._-]+/, '') || 'quactor-app'
}

try {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  })
  if (values.help) process.stdout.write(HELP)
  else {
    if (positionals.length > 1) throw new Error('name one folder')
    const [folder = 'quactor-app'] = positionals
    const target = create(folder)
    const word = /\s/.test(folder) ? `"${folder}"` : folder
    console.log(`${target} is ready:\n\n  cd ${word}\n  npm install\n  npm test\n  npm start\n`)
  }
} catch (error) {
  console.error(`create-quactor: ${error.message.split('\n')[0]}`)
  process.exitCode = 1
}
