// Files out of the page and into it: qlog, trace, generated test; a trace to replay. And whether payloads are shown.

import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { ExportKind } from '../../../protocol.ts'
import { exportFile, notice, reveal, revealed } from '../model/feed.ts'
import { useLive } from '../model/live.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

/** Until the browser has surely begun to save, ms. */
const KEEP_URL = 10_000

async function download(what: ExportKind): Promise<void> {
  const file = await exportFile(what, selection.uid.value)
  if (file === undefined) return
  const url = URL.createObjectURL(new Blob([file.text], { type: file.mediaType }))
  const link = document.createElement('a')
  link.href = url
  link.download = file.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), KEEP_URL)
}

async function open(input: HTMLInputElement): Promise<void> {
  const file = input.files?.[0]
  if (file === undefined) return
  try {
    selection.load(await file.text())
  } catch (error) {
    notice.value = { text: `${file.name}: ${String(error)}`, isError: true }
  }
  input.value = ''
}

export function Exports(): JSX.Element {
  useLive()
  const menu = useRef<HTMLDetailsElement>(null)
  const hasActor = selection.uid.value !== 0
  const close = (): void => menu.current?.removeAttribute('open')
  const button = (what: ExportKind, label: string, title: string, isPossible = true): JSX.Element => (
    <button
      type="button"
      disabled={!hasActor || !isPossible}
      onClick={() => {
        close()
        void download(what)
      }}
    >
      {label} <small>{title}</small>
    </button>
  )
  return (
    <span class="exports">
      <button
        type="button"
        disabled={!hasActor}
        aria-pressed={revealed.value}
        title="Payloads, contexts and queries of the selection; needs the token"
        onClick={() => reveal(!revealed.value)}
      >
        Payloads {revealed.value ? 'shown' : 'hidden'}
      </button>
      <details class="menu" ref={menu}>
        <summary class="button">Export ▾</summary>
        <div>
          {button('trace', 'Trace', 'JSON, to replay here')}
          {button('test', 'Test', 'vitest, replays the events')}
          {button('qlog', 'qlog', 'for qvis; needs the token', store.hello?.hasQlog === true)}
          <label class="button">
            Open a trace… <small>replay it here</small>
            <input
              type="file"
              class="visually-hidden"
              accept=".json,application/json"
              onChange={(event) => {
                close()
                void open(event.currentTarget)
              }}
            />
          </label>
        </div>
      </details>
    </span>
  )
}
