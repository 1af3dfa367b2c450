// What a page takes away of an actor: its trace, a test that replays it, or the log of its connection. Called by
// feed-link.ts.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { QLOG_EXPORT } from './limits.ts'
import type { LocalFeed } from './local-feed.ts'
import {
  ACTOR_KINDS,
  type ActorEvent,
  type Exported,
  type ExportKind,
  type Result,
  type Trace,
} from './protocol.ts'
import { eventsOf, pastOf } from './selection.ts'
import { testOf } from './test-writer.ts'
import { type Track, withoutQuery } from './track.ts'

/** Never rejects. */
export async function exportOf(
  feed: LocalFeed,
  id: number,
  what: ExportKind,
  uid: number,
): Promise<Exported | Result> {
  const track = feed.population.find(uid)
  if (track === undefined) return refusal(id, 'gone', 'nothing is known of this actor any more')
  const file = { type: 'exported', id, what } as const
  if (what === 'qlog') return qlogOf(feed, id, track)
  const trace = traceOf(feed, track)
  const name = `${trace.machine.id}-${trace.actor.key < 0 ? uid : trace.actor.key}`
  if (what === 'trace') {
    const text = `${JSON.stringify(trace, undefined, 1)}\n`
    return { ...file, name: `${name}.trace.json`, mediaType: 'application/json', text }
  }
  const text = testOf(trace)
  return { ...file, name: `${name}.test.ts`, mediaType: 'text/typescript', text }
}

function refusal(id: number, error: string, message: string): Result {
  return { type: 'result', id, isDone: false, error, message }
}

function traceOf(feed: LocalFeed, track: Track): Trace {
  const machine = feed.catalogue.get(track.machine)!
  const events = eventsOf(track)
  const { start, isCut } = pastOf(track)
  const first = events[0]?.time ?? feed.now()
  const wall = feed.endpoint.options.clock.wallTime() - (feed.now() - first)
  return {
    format: 'quactor-trace',
    formatVersion: 1,
    machine,
    actor: {
      kind: ACTOR_KINDS[track.kind]!,
      key: track.key,
      text: withoutQuery(track.text),
      connection: track.supervisor?.name ?? '',
    },
    begin: new Date(wall).toISOString(),
    start,
    isWhole: !isCut && start === 0,
    events: events.map((event): ActorEvent => ({ ...event, uid: 0, time: event.time - first })),
  }
}

async function qlogOf(feed: LocalFeed, id: number, track: Track): Promise<Exported | Result> {
  const folder = feed.options.qlog
  if (folder === undefined) return refusal(id, 'unavailable', 'the server writes no qlog')
  const connection = track.supervisor?.name
  if (connection === undefined) return refusal(id, 'unavailable', 'it belongs to no connection')
  try {
    // A connection ID may be used again, by another connection: the newest file is this one's.
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${connection}_`)).sort()
    const name = names.at(-1)
    if (name === undefined) return refusal(id, 'unavailable', 'this connection is not logged')
    const path = join(folder, name)
    const { size } = await stat(path)
    if (size > QLOG_EXPORT) return refusal(id, 'unavailable', `${path} is too large to be sent`)
    const text = await readFile(path, 'utf8')
    const mediaType = 'application/qlog+json-seq'
    return { type: 'exported', id, what: 'qlog', name, mediaType, text }
  } catch (error) {
    return refusal(id, 'unavailable', (error as Error).message)
  }
}
