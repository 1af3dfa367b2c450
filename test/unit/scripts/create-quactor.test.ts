// The command behind `npm create quactor`; that what it makes works is tried by npm run test:package.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const CREATE = fileURLToPath(new URL('../../../examples/create/create.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'quactor-create-'))

afterAll(() => rmSync(folder, { recursive: true }))

function create(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CREATE, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('create-quactor', () => {
  it('copies the template under the name of its folder, and says how to go on', () => {
    const { status, stdout } = create('My App')
    expect([status, stdout]).toEqual([0, expect.stringMatching(/cd "My App"\n {2}npm install\n/)])
    const made = join(folder, 'My App')
    expect(readdirSync(made).sort()).toEqual([
      ...['.gitignore', 'README.md', 'package.json', 'src', 'test', 'tsconfig.json'],
    ])
    expect(JSON.parse(readFileSync(join(made, 'package.json'), 'utf8')).name).toBe('my-app')
  })

  it('leaves a folder alone that has something in it, and says so in one line', () => {
    create('twice')
    const { status, stderr } = create('twice')
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^create-quactor: .* is not empty; name another folder\n$/),
    ])
    expect(create('a', 'b')).toMatchObject({ status: 1, stderr: 'create-quactor: name one folder\n' })
    expect(create('--help').stdout).toContain('Usage: npm create quactor')
  })
})
