import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { publishedManifest } from '../../../scripts/pack-manifest.ts'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

describe('package.json as it is published', () => {
  it('leads nowhere into src/, and is the same otherwise', () => {
    const before = JSON.parse(read('package.json'))
    const after = JSON.parse(publishedManifest(read('package.json')))
    expect(JSON.stringify(after)).not.toContain('./src/')
    expect(after.exports['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' })
    expect({ ...after, exports: undefined }).toEqual({ ...before, exports: undefined })
  })

  it('has the version that create-quactor starts projects with', () => {
    const { version, engines } = JSON.parse(read('package.json'))
    const create = JSON.parse(read('examples/create/package.json'))
    const template = JSON.parse(read('examples/template/package.json'))
    expect([create.version, template.dependencies.quactor]).toEqual([version, `^${version}`])
    expect([create.engines, template.engines]).toEqual([engines, engines])
  })
})
