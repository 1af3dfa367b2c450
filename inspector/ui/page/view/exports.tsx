// Files out of the page and into it: qlog, trace, generated test; a trace to replay.
import type { JSX } from 'preact'
import type { ExportKind } from '../../../protocol.ts'
import { exportFile, notice, reveal, revealed } from '../model/feed.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

async function download(what: ExportKind): Promise<void> {
  const file = await exportFile(what, selection.uid.value)
  if (file === undefined) return
  const url = URL.createObjectURL(new Blob([file.text], { type: file.mediaType }))
  const link = document.createElement('a')
  link.href = url
  link.download = file.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

async function open(input: HTMLInputElement): Promise<void> {
  const file = input.files?.[0]
  input.value = ''
  if (file === undefined) return
  try {
    selection.load(await file.text())
  } catch (error) {
    notice.value = { text: `${file.name}: ${String(error)}`, isError: true }
  }
}

export function Exports(): JSX.Element {
  const hasActor = selection.uid.value !== 0
  const button = (what: ExportKind, label: string, title: string): JSX.Element => (
    <button type="button" disabled={!hasActor} title={title} onClick={() => void download(what)}>
      {label}
    </button>
  )
  return (
    <span class="exports">
      {hasActor && (
        <>
          <button
            type="button"
            aria-pressed={revealed.value}
            title="Payloads, contexts and queries of the selection; needs the token"
            onClick={() => reveal(!revealed.value)}
          >
            Payloads {revealed.value ? 'shown' : 'hidden'}
          </button>
          {button('trace', 'Trace', 'The events as JSON, to replay here')}
          {button('test', 'Test', 'A vitest file that replays the events against the machine')}
          {store.hello?.hasQlog === true &&
            button('qlog', 'qlog', 'The log of its connection, opens in qvis; needs the token')}
        </>
      )}
      <label class="button" title="Open a trace and replay it">
        Open trace…
        <input
          type="file"
          class="visually-hidden"
          accept=".json,application/json"
          onChange={(event) => void open(event.currentTarget)}
        />
      </label>
    </span>
  )
}
