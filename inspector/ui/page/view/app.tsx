// The page: numbers on top; counts per state, lists, and the selected actor beside each other.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { attempts, feedState, notice } from '../model/feed.ts'
import { query } from '../model/filter.ts'
import { store } from '../model/store.ts'
import { Counts } from './counts.tsx'
import { Detail } from './detail.tsx'
import { Faults } from './faults.tsx'
import { Header } from './header.tsx'
import { ActorList } from './list.tsx'
import { HelpDialog, onKey } from './shortcuts.tsx'
import { StuckList } from './stuck.tsx'
import { Tree } from './tree.tsx'

export type Pane = 'list' | 'tree' | 'faults'
export const pane = signal<Pane>('list')

export function App(): JSX.Element {
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <div class="app">
      <Header />
      <Banner />
      <main>
        <Counts />
        <div class="middle">
          <StuckList />
          <PaneBar />
          {pane.value === 'list' && <ActorList />}
          {pane.value === 'tree' && <Tree />}
          {pane.value === 'faults' && <Faults />}
        </div>
        <Detail />
      </main>
      <HelpDialog />
    </div>
  )
}

function Banner(): JSX.Element | null {
  const state = feedState.value
  if (state === 'lost' || state === 'refused') {
    const why =
      state === 'refused' ? 'The server has refused the feed' : 'The connection to the server is lost'
    return (
      <div class="banner red" role="status">
        {why}; trying again{attempts.value > 1 ? ` (attempt ${attempts.value})` : ''}. What is shown is what
        was last known.
      </div>
    )
  }
  const message = notice.value
  if (message === undefined) return null
  return (
    <div class={message.isError ? 'banner amber' : 'banner'} role="status">
      {message.text}
      <button type="button" onClick={() => (notice.value = undefined)} aria-label="dismiss">
        ✕
      </button>
    </div>
  )
}

function PaneBar(): JSX.Element {
  store.revision.value
  const crashes = store.faults.length
  const item = (id: Pane, label: string, number?: number): JSX.Element => (
    <button type="button" role="tab" aria-selected={pane.value === id} onClick={() => (pane.value = id)}>
      {label}
      {number !== undefined && number > 0 && <span class="number bad">{number}</span>}
    </button>
  )
  return (
    <div class="panebar">
      <div role="tablist" aria-label="what is listed" class="segmented">
        {item('list', 'List')}
        {item('tree', 'Tree')}
        {item('faults', 'Crashes', crashes)}
      </div>
      <label class="search">
        <span class="visually-hidden">filter</span>
        <input
          id="search"
          type="search"
          placeholder="Filter: words, conn:a1b2 path:/bytes state:send.dataSent age>5s  ( / )"
          value={query.value}
          spellcheck={false}
          onInput={(event) => {
            query.value = event.currentTarget.value
            pane.value = 'list'
          }}
        />
      </label>
    </div>
  )
}
