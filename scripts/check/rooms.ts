/**
 * The rooms of the source tree and who may import whom. Imports go one way only:
 *
 *   machines, wire -> crypto -> tls -> recovery, streams -> connection -> http3
 *     -> supervisor (the first that may use io) -> tunnels, inspector -> handlers, client -> index, cli
 *
 * Called by scripts/check.ts. Type-only imports count: the order says who may know whom.
 */
import { posix } from 'node:path'
import { moduleReferences } from './imports.ts'
import { lineAt, parseSource, type Violation } from './syntax.ts'

/** What one room may import besides itself. */
interface RoomRule {
  readonly rooms: readonly string[]
  readonly packages: readonly string[]
}

const WIRE = ['src/transport/wire']
const CRYPTO = ['src/machines', ...WIRE, 'src/transport/crypto']
const TLS = [...CRYPTO, 'src/transport/tls']
const CONNECTION = [...TLS, 'src/transport/recovery', 'src/transport/streams', 'src/transport/connection']
const HTTP3 = [...CONNECTION, 'src/http3']
const SUPERVISOR = [...HTTP3, 'src/transport/io', 'src/supervisor']
const TUNNELS = [...SUPERVISOR, 'src/tunnels']
const INSPECTOR = [...SUPERVISOR, 'src/inspector']
const PUBLIC = [...TUNNELS, 'src/handlers', 'src/client', 'src/index.ts']
const TLS_PACKAGES = ['pkijs', 'asn1js', '@peculiar/x509']

/** Room -> what it may import. A room is a folder, or a file directly under src. */
export const ROOM_RULES: Readonly<Record<string, RoomRule>> = {
  'src/machines': { rooms: [], packages: ['xstate', 'rxjs'] },
  'src/transport/wire': { rooms: [], packages: [] },
  'src/transport/crypto': { rooms: ['src/machines', ...WIRE], packages: ['@noble/*'] },
  'src/transport/tls': { rooms: CRYPTO, packages: TLS_PACKAGES },
  'src/transport/recovery': { rooms: TLS, packages: [] },
  'src/transport/streams': { rooms: TLS, packages: [] },
  'src/transport/connection': { rooms: CONNECTION, packages: [] },
  'src/transport/io': { rooms: CONNECTION, packages: TLS_PACKAGES },
  'src/http3': { rooms: CONNECTION, packages: [] },
  'src/supervisor': { rooms: SUPERVISOR, packages: ['xstate', 'rxjs'] },
  'src/tunnels': { rooms: SUPERVISOR, packages: ['ws'] },
  'src/inspector': { rooms: SUPERVISOR, packages: ['xstate', 'ws'] },
  'src/handlers': {
    rooms: [...TUNNELS, ...INSPECTOR],
    packages: ['xstate', 'rxjs', 'mrmime', 'urlpattern-polyfill'],
  },
  'src/client': { rooms: TUNNELS, packages: [] },
  'src/index.ts': { rooms: PUBLIC, packages: ['xstate', 'rxjs'] },
  // Puts whole servers and clients on a simulated network: it knows everybody, and nobody knows it.
  'src/testing': { rooms: PUBLIC, packages: ['xstate', 'rxjs', 'fast-check', 'vitest'] },
  'src/cli': { rooms: PUBLIC, packages: [] },
  inspector: {
    rooms: ['src/machines', 'src/inspector', 'src/index.ts'],
    packages: ['xstate', 'rxjs', 'preact', '@preact/*', 'vite', 'elkjs', 'ws'],
  },
  examples: {
    rooms: ['src/index.ts'],
    packages: ['quactor', 'xstate', 'rxjs', 'express', 'fastify', 'hono', 'vitest'],
  },
}

/** The room that a project-relative path belongs to, or undefined outside of every room. */
export function roomOf(file: string): string | undefined {
  for (const room of Object.keys(ROOM_RULES)) {
    if (file === room || file.startsWith(`${room}/`)) return room
  }
  return undefined
}

/**
 * Finds imports that go against the order.
 *
 * @param file path relative to the project, with forward slashes
 * @param source the file's text
 */
export function checkRooms(file: string, source: string): Violation[] {
  const room = roomOf(file)
  if (room === undefined) {
    return file.startsWith('src/') ? [{ file, line: 1, message: 'is in no known room of src' }] : []
  }
  const violations: Violation[] = []
  for (const { specifier, line } of moduleReferences(parseSource(file, source), source)) {
    const message = judge(file, room, specifier)
    if (message !== undefined) violations.push({ file, line, message })
  }
  const suppressed = source.search(/@ts-(?:nocheck|ignore)\b/)
  if (suppressed !== -1) {
    violations.push({ file, line: lineAt(source, suppressed), message: 'switches the type check off' })
  }
  return violations
}

function judge(file: string, room: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined) return 'imports a module whose name is computed'
  if (specifier.startsWith('.')) return judgeRelative(file, room, specifier)
  if (specifier.startsWith('node:')) return undefined
  const rule = ROOM_RULES[room]
  const allowed = rule?.packages.some((name) => matchesPackage(name, specifier)) ?? false
  return allowed ? undefined : `${room} may not import the package '${specifier}'`
}

function judgeRelative(file: string, room: string, specifier: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  const targetRoom = roomOf(target)
  if (targetRoom === room) return undefined
  if (targetRoom === undefined) return `${room} may not import ${target}, which is in no room`
  const allowed = ROOM_RULES[room]?.rooms.includes(targetRoom) ?? false
  return allowed ? undefined : `${room} may not import ${targetRoom} (${specifier})`
}

function matchesPackage(name: string, specifier: string): boolean {
  if (name.endsWith('/*')) return specifier.startsWith(name.slice(0, -1))
  return specifier === name || specifier.startsWith(`${name}/`)
}
