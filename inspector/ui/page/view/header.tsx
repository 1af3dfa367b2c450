// The line on top: which server, its numbers, what was dropped, arming, theme.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { act, arm, armedUntil, feedState, token } from '../model/feed.ts'
import { bytes, count, duration } from '../model/format.ts'
import { nextTheme, theme } from '../model/preferences.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { Confirm } from './confirm.tsx'
import { isHelpOpen } from './shortcuts.tsx'

export function Header(): JSX.Element {
  store.revision.value
  const { hello } = store
  const dropped = store.dropped + selection.droppedEvents
  const isLive = feedState.value === 'open'
  return (
    <header>
      <h1>
        <span class={isLive ? 'dot ok' : 'dot red'} /> quactor
      </h1>
      <span
        class="where"
        title={hello === undefined ? '' : `quactor ${hello.version}, Node ${hello.node}, pid ${hello.pid}`}
      >
        {hello === undefined ? 'connecting…' : hello.url}
        {hello !== undefined && (
          <small>
            {hello.backends.udp} · {hello.backends.aead}
            {store.workers.size > 1 && ` · ${store.workers.size} workers`}
          </small>
        )}
      </span>
      <Numbers />
      {dropped > 0 && (
        <span
          class="dropped"
          title="The server or this page was too slow; the feed left these out, the server lost nothing."
        >
          {count(dropped)} dropped
        </span>
      )}
      <Arming />
      <button
        type="button"
        class="icon"
        onClick={nextTheme}
        title={`Theme: ${theme.value} (t)`}
        aria-label={`theme: ${theme.value}`}
      >
        {theme.value === 'system' ? '◐' : theme.value === 'light' ? '☀' : '☾'}
      </button>
      <button
        type="button"
        class="icon"
        onClick={() => (isHelpOpen.value = true)}
        title="Keys (?)"
        aria-label="keys"
      >
        ?
      </button>
    </header>
  )
}

function Numbers(): JSX.Element {
  store.second.value
  const number = (label: string, value: string, isBad = false): JSX.Element => (
    <span class={isBad ? 'figure bad' : 'figure'}>
      <b>{value}</b>
      <small>{label}</small>
    </span>
  )
  const missed = store.total((totals) => totals.actors.missedTransitions)
  const crashed = store.total((totals) => totals.actors.crashed)
  return (
    <div class="figures">
      {number('connections', count(store.total((totals) => totals.connections.live)))}
      {number('streams', count(store.total((totals) => totals.streams.live)))}
      {number('handlers', count(store.total((totals) => totals.handlers.live)))}
      {number('transitions/s', count(Math.round(store.transitionsPerSecond)))}
      {number('crashed', count(crashed), crashed > 0)}
      {number('missed', count(missed), missed > 0)}
      {number('loop lag', duration(store.lag))}
      {number('memory', bytes(store.total((totals) => totals.process.rss)))}
    </div>
  )
}

/** Time left, refreshed by itself. */
function useArmed(): number {
  const until = armedUntil.value
  const [, refresh] = useState(0)
  useEffect(() => {
    if (until === 0) return
    const timer = setInterval(() => refresh((times) => times + 1), 1_000)
    return () => clearInterval(timer)
  }, [until])
  return Math.max(0, until - performance.now())
}

function Arming(): JSX.Element {
  const left = useArmed()
  const [isAsking, setAsking] = useState(false)
  if (left > 0) {
    return (
      <span class="arming armed">
        <Confirm
          label="Drain server"
          question="Drain the whole server?"
          onConfirm={() => void act({ kind: 'drainServer' })}
        />
        <button type="button" onClick={() => arm(false)} title="Make actions impossible again">
          Armed {duration(left).replace(/\.\d s/, ' s')}
        </button>
      </span>
    )
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    arm(true)
    setAsking(false)
  }
  return (
    <span class="arming">
      {isAsking && (
        <form onSubmit={submit}>
          <input
            type="password"
            aria-label="token"
            placeholder="token, from the printed URL"
            autocomplete="off"
            value={token.value}
            onInput={(event) => (token.value = event.currentTarget.value)}
          />
          <button type="submit">Arm</button>
        </form>
      )}
      <button
        type="button"
        aria-expanded={isAsking}
        onClick={() => setAsking(!isAsking)}
        title="Actions are impossible until armed"
      >
        {isAsking ? 'Cancel' : 'Disarmed'}
      </button>
    </span>
  )
}
