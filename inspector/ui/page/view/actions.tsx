// What can be done to the selection. Nothing until armed; what ends something asks once more.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { act, armedUntil } from '../model/feed.ts'
import { useLive } from '../model/live.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { Confirm } from './confirm.tsx'

export function Actions(): JSX.Element | null {
  useLive()
  const { actor, machine, isGone } = selection
  const isArmed = armedUntil.value > 0
  if (
    actor === undefined ||
    machine === undefined ||
    isGone ||
    !isArmed ||
    selection.replay.value !== undefined
  )
    return null
  const { uid, kind } = actor
  const connection = store.connectionOf(actor)
  const isStream = kind === 'stream' || kind === 'handler' || kind === 'session'
  return (
    <div class="actions" role="toolbar" aria-label="actions">
      <SendEvent key={`${uid} ${actor.state}`} uid={uid} events={machine.legalEvents(actor.state)} />
      {isStream && (
        <>
          <Confirm label="Reset" question="Reset it?" onConfirm={() => void act({ kind: 'reset', uid })} />
          <Confirm label="Stop" question="Stop it?" onConfirm={() => void act({ kind: 'stop', uid })} />
        </>
      )}
      {connection !== undefined && (
        <Confirm
          label="Drain connection"
          question="Drain the connection?"
          onConfirm={() => void act({ kind: 'drainConnection', uid: connection.uid })}
        />
      )}
    </div>
  )
}

function SendEvent({ uid, events }: { uid: number; events: readonly string[] }): JSX.Element {
  const [event, setEvent] = useState(events[0] ?? '')
  return (
    <span class="send">
      <select
        aria-label="legal event"
        value={event}
        onChange={(change) => setEvent(change.currentTarget.value)}
      >
        {events.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <Confirm
        label="Send event"
        question={`Send ${event}?`}
        isDisabled={event === ''}
        onConfirm={() => void act({ kind: 'send', uid, event })}
      />
    </span>
  )
}
