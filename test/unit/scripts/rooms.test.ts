/** The import-order check finds imports that go against the order of the rooms. */
import { describe, expect, it } from 'vitest'
import { checkRooms, ROOM_RULES, roomOf } from '../../../scripts/check/rooms.ts'

const messages = (file: string, source: string) => checkRooms(file, source).map((found) => found.message)

describe('import order between rooms', () => {
  it.each([
    ['src/transport/wire/a.ts', '../crypto/b.ts'],
    ['src/transport/crypto/a.ts', '../tls/b.ts'],
    ['src/transport/recovery/a.ts', '../streams/b.ts'],
    ['src/transport/streams/a.ts', '../recovery/b.ts'],
    ['src/transport/tls/a.ts', '../connection/b.ts'],
    ['src/transport/connection/a.ts', '../io/clock.ts'],
    ['src/http3/qpack/a.ts', '../../supervisor/b.ts'],
    ['src/http3/a.ts', '../transport/io/clock.ts'],
    ['src/supervisor/a.ts', '../handlers/b.ts'],
    ['src/handlers/a.ts', '../client/b.ts'],
    ['src/client/a.ts', '../index.ts'],
    ['src/machines/a.ts', '../transport/wire/b.ts'],
    ['src/index.ts', './cli/main.ts'],
    ['src/cli/a.ts', '../testing/index.ts'],
    ['inspector/a.ts', '../src/supervisor/endpoint.ts'],
    ['examples/a.ts', '../src/handlers/fetch-handler.ts'],
    ['src/http3/a.ts', '../../test/conformance.ts'],
  ])('%s may not import %s', (file, specifier) => {
    expect(messages(file, `import { b } from '${specifier}'`)).toHaveLength(1)
  })

  it.each([
    ['src/transport/crypto/a.ts', '../wire/b.ts'],
    ['src/transport/connection/a.ts', '../recovery/b.ts'],
    ['src/http3/qpack/a.ts', '../../transport/wire/varint.ts'],
    ['src/http3/qpack/a.ts', '../limits.ts'],
    ['src/supervisor/a.ts', '../transport/io/clock.ts'],
    ['src/cli/main.ts', '../index.ts'],
    ['src/machines/a.ts', 'xstate'],
    ['src/transport/crypto/a.ts', '@noble/hashes/sha2.js'],
  ])('%s may import %s', (file, specifier) => {
    expect(messages(file, `import { b } from '${specifier}'`)).toEqual([])
  })

  it.each([
    "import type { B } from '../tls/b.ts'",
    "export { b } from '../tls/b.ts'",
    "export * from '../tls/b.ts'",
    "const b = await import('../tls/b.ts')",
    "export type B = import('../tls/b.ts').B",
    "import '../tls/b.ts'",
  ])('finds the form %s', (source) => {
    expect(messages('src/transport/wire/a.ts', source)).toEqual([
      expect.stringContaining('src/transport/wire may not import src/transport/tls'),
    ])
  })

  it('is not deceived by comments and strings', () => {
    const source = "// import '../tls/b.ts'\nexport const text = \"import '../tls/b.ts'\"\n"
    expect(messages('src/transport/wire/a.ts', source)).toEqual([])
  })

  it('reports the line', () => {
    const source = "import a from './a.ts'\n\nimport b from '../tls/b.ts'\n"
    expect(checkRooms('src/transport/wire/c.ts', source).map((found) => found.line)).toEqual([3])
  })

  it('refuses packages that the room has no business with', () => {
    expect(messages('src/transport/wire/a.ts', "import { setup } from 'xstate'")).toHaveLength(1)
    expect(messages('src/machines/a.ts', "import { b } from 'xstate-evil'")).toHaveLength(1)
  })

  it('refuses computed module names, files in no room, and a switched-off type check', () => {
    expect(messages('src/http3/a.ts', 'await import(name)')).toHaveLength(1)
    expect(messages('src/utils/a.ts', '')).toHaveLength(1)
    expect(messages('src/http3/a.ts', '// @ts-nocheck\n')).toHaveLength(1)
  })

  it('has an order without cycles', () => {
    const visiting = new Set<string>()
    const reach = (room: string): void => {
      if (visiting.has(room)) throw new Error(`cycle through ${room}`)
      visiting.add(room)
      for (const next of ROOM_RULES[room]?.rooms ?? []) if (next !== room) reach(next)
      visiting.delete(room)
    }
    expect(() => Object.keys(ROOM_RULES).forEach(reach)).not.toThrow()
  })

  it('tells the room of a file', () => {
    expect(roomOf('src/transport/io/linux/a.ts')).toBe('src/transport/io')
    expect(roomOf('src/indexes.ts')).toBeUndefined()
  })
})
