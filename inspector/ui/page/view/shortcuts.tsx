// Keys: everything can be reached without a mouse.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { query } from '../model/filter.ts'
import { nextTheme } from '../model/preferences.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { pane } from './app.tsx'

export const isHelpOpen = signal(false)

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'filter'],
  ['Esc', 'clear the filter, or leave the field'],
  ['↑ ↓ or j k', 'previous, next in the list'],
  ['s', 'select what is stuck the longest'],
  ['Space', 'pause and go on'],
  [', and .', 'one event back, one forward'],
  ['1 2 3', 'list, tree, crashes'],
  ['t', 'theme: system, light, dark'],
  ['?', 'these keys'],
]

export function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (target.matches('input, select, textarea')) {
    if (event.key === 'Escape') leave(target)
    return
  }
  if (event.key === ' ' && target.matches('button')) return
  const action = ACTIONS[event.key]
  if (action === undefined) return
  event.preventDefault()
  action()
}

function leave(target: HTMLElement): void {
  if (target.id === 'search') query.value = ''
  target.blur()
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  '/': () => document.getElementById('search')?.focus(),
  Escape: () => {
    query.value = ''
  },
  ' ': () => (selection.cursor.value === undefined ? selection.pause() : selection.resume()),
  ',': () => selection.step(-1),
  '.': () => selection.step(1),
  s: () => {
    const first = store.stuck().find(({ row }) => row.uid !== 0)
    if (first !== undefined) selection.select(first.row.uid)
  },
  '1': () => {
    pane.value = 'list'
  },
  '2': () => {
    pane.value = 'tree'
  },
  '3': () => {
    pane.value = 'faults'
  },
  t: nextTheme,
  '?': () => {
    isHelpOpen.value = true
  },
}

export function HelpDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isHelpOpen.value) dialog.current?.showModal()
  }, [isHelpOpen.value])
  return (
    <dialog ref={dialog} onClose={() => (isHelpOpen.value = false)} aria-label="keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
