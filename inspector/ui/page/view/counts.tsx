// How many actors are in which state, with the last minute; a click filters the list.
import type { JSX } from 'preact'
import { query, TAB_KINDS, type Tab, tab, toggleWord } from '../model/filter.ts'
import type { Machine } from '../model/machines.ts'
import { leafCounts } from '../model/series.ts'
import { store } from '../model/store.ts'
import { Sparkline } from './sparkline.tsx'
import { toneOf } from './states.tsx'

const FIRST = [
  'bidiStream',
  'sendStream',
  'receiveStream',
  'connection',
  'serverHandshake',
  'webtransportSession',
]

function rank({ id }: Machine): number {
  const place = FIRST.indexOf(id)
  return place < 0 ? FIRST.length : place
}

const TITLES: Readonly<Record<string, string>> = {
  bidiStream: 'Bidirectional streams',
  sendStream: 'Uni, opened by us',
  receiveStream: 'Uni, opened by peers',
  connection: 'Connections',
  serverHandshake: 'Handshakes',
  clientHandshake: 'Handshakes of clients',
  webtransportSession: 'WebTransport sessions',
  path: 'Network paths',
  worker: 'Workers',
}

function tabFor(machine: Machine): Tab {
  const { kind } = machine.definition
  const found = (Object.keys(TAB_KINDS) as Tab[]).find((id) => TAB_KINDS[id]?.includes(kind))
  return found ?? 'all'
}

export function Counts(): JSX.Element {
  store.second.value
  store.machinesRevision.value
  const sums = leafCounts(store)
  const byId = new Map<string, Machine>()
  for (const machine of store.machines.values()) if (!byId.has(machine.id)) byId.set(machine.id, machine)
  const machines = [...byId.values()].sort((a, b) => rank(a) - rank(b))
  const shown = machines.filter((machine) => rank(machine) < 4 || isAlive(machine, sums))
  return (
    <nav class="counts" aria-label="actors by state">
      {shown.map((machine) => (
        <MachineCounts key={machine.id} machine={machine} sums={sums} />
      ))}
    </nav>
  )
}

function isAlive(machine: Machine, sums: ReadonlyMap<string, number>): boolean {
  return machine.leaves().some(({ label }) => (sums.get(`${machine.id} ${label}`) ?? 0) > 0)
}

function MachineCounts({
  machine,
  sums,
}: {
  machine: Machine
  sums: ReadonlyMap<string, number>
}): JSX.Element {
  const leaves = machine
    .leaves()
    .filter(({ isFinal, label }) => !isFinal || (sums.get(`${machine.id} ${label}`) ?? 0) > 0)
  return (
    <section>
      <h2>{TITLES[machine.id] ?? machine.id}</h2>
      {leaves.map((leaf, index) => {
        const name = `${machine.id} ${leaf.label}`
        const live = sums.get(name) ?? 0
        const word = `state:${leaf.label}`
        const isOn = query.value.split(/\s+/).includes(word)
        const filter = (): void => {
          if (!isOn) tab.value = tabFor(machine)
          toggleWord(word)
        }
        const startsRegion = leaf.region !== '' && leaf.region !== leaves[index - 1]?.region
        return (
          <div key={leaf.id}>
            {startsRegion && <h3>{leaf.region}</h3>}
            <button
              type="button"
              class={live === 0 ? 'count zero' : 'count'}
              aria-pressed={isOn}
              onClick={filter}
            >
              <span class={`leaf ${toneOf(leaf)}`}>{leaf.key}</span>
              <Sparkline samples={store.series.of(`count ${name}`)} label={`${leaf.label}, last minute`} />
              <span class="number">{live}</span>
            </button>
          </div>
        )
      })}
    </section>
  )
}
