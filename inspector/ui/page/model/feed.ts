// The page's end of the feed: connects to /feed, comes back after a loss, hands messages to the store and the selection,
// and sends what the views ask for.
import { signal } from '@preact/signals'
import type {
  ActionRequest,
  ClientMessage,
  Exported,
  ExportKind,
  Result,
  ServerMessage,
} from '../../../protocol.ts'
import { selection } from './selection.ts'
import { store } from './store.ts'

export type FeedState = 'connecting' | 'open' | 'lost' | 'refused'

const FIRST_RETRY = 250
const LONGEST_RETRY = 5_000
const REFUSED = 4_000
const TOKEN_KEY = 'quactor-token'

export const feedState = signal<FeedState>('connecting')
/** Consecutive attempts without success. */
export const attempts = signal(0)
export const armedUntil = signal(0)
export const revealed = signal(false)
export const token = signal(takeToken())
export interface Notice {
  readonly text: string
  readonly isError: boolean
}
/** The latest answer to something that was asked for, or a complaint. */
export const notice = signal<Notice | undefined>(undefined)

let socket: WebSocket | undefined
let retry = FIRST_RETRY
let lastId = 0
const waiting = new Map<number, (answer: Result | Exported) => void>()
const askedCharts = new Set<number>()

/** The token is taken out of the address, so that it does not end in a bookmark or a screenshot. */
function takeToken(): string {
  const url = new URL(location.href)
  const given = url.searchParams.get('token')
  if (given === null) return sessionStorage.getItem(TOKEN_KEY) ?? ''
  url.searchParams.delete('token')
  history.replaceState(undefined, '', url)
  sessionStorage.setItem(TOKEN_KEY, given)
  return given
}

export function connect(): void {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const mine = new WebSocket(`${scheme}://${location.host}/feed`)
  socket = mine
  mine.onmessage = ({ data }) => receive(JSON.parse(String(data)) as ServerMessage)
  mine.onclose = ({ code, reason }) => lost(code, reason)
}

function lost(code: number, reason: string): void {
  askedCharts.clear()
  armedUntil.value = 0
  revealed.value = false
  for (const [id, answer] of waiting) {
    answer({ type: 'result', id, isDone: false, message: 'the connection to the server was lost' })
  }
  waiting.clear()
  attempts.value++
  feedState.value = code > REFUSED ? 'refused' : 'lost'
  if (code > REFUSED)
    notice.value = { text: reason || `the server has closed the feed (${code})`, isError: true }
  setTimeout(connect, code > REFUSED ? LONGEST_RETRY : retry)
  retry = Math.min(LONGEST_RETRY, retry * 2)
}

function receive(message: ServerMessage): void {
  switch (message.type) {
    case 'hello':
      retry = FIRST_RETRY
      attempts.value = 0
      feedState.value = 'open'
      store.begin(message)
      selection.reconnected()
      break
    case 'machines':
      store.addMachines(message.machines)
      break
    case 'tick':
      store.apply(message)
      selection.follow()
      break
    case 'selected':
      selection.begin(message)
      break
    case 'events':
      selection.append(message)
      break
    case 'chart':
      store.addChart(message)
      break
    case 'armed':
      armedUntil.value = message.isArmed ? performance.now() + (message.remaining ?? 0) : 0
      break
    case 'revealed':
      revealed.value = message.isRevealed
      break
    case 'worker':
      if (!message.isLive) store.removeWorker(message.worker)
      break
    case 'complaint':
      notice.value = { text: message.message, isError: true }
      break
    case 'result':
    case 'exported':
      waiting.get(message.id)?.(message)
      waiting.delete(message.id)
  }
}

export function send(message: ClientMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
}

selection.request = (uid) => send({ type: 'select', uid })

/** The chart of a machine is fetched once; the machines of this package have theirs as files. */
export function askForChart(machine: number): void {
  if (askedCharts.has(machine) || store.charts.has(machine)) return
  askedCharts.add(machine)
  const definition = store.machines.get(machine)?.definition
  if (definition?.origin !== 'built-in') send({ type: 'chart', machine })
  else void fetchChart(machine, definition.id)
}

async function fetchChart(machine: number, id: string): Promise<void> {
  try {
    const response = await fetch(`/charts/${encodeURIComponent(id)}.svg`)
    if (!response.ok) throw new Error(`${response.status}`)
    store.addChart({ type: 'chart', machine, svg: await response.text() })
  } catch {
    send({ type: 'chart', machine })
  }
}

export function act(action: ActionRequest): Promise<void> {
  return answerTo((id) => send({ type: 'action', id, token: token.value, action })).then((answer) => {
    if (answer.type !== 'result') return
    notice.value = { text: answer.message || answer.error || 'done', isError: !answer.isDone }
  })
}

export async function exportFile(what: ExportKind, uid: number): Promise<Exported | undefined> {
  const secret = what === 'qlog' ? { token: token.value } : {}
  const answer = await answerTo((id) => send({ type: 'export', id, what, uid, ...secret }))
  if (answer.type === 'exported') return answer
  notice.value = { text: answer.message || answer.error || 'no file', isError: true }
  return undefined
}

function answerTo(ask: (id: number) => void): Promise<Result | Exported> {
  return new Promise((resolve) => {
    lastId += 1
    waiting.set(lastId, resolve)
    ask(lastId)
  })
}

export function arm(isArmed: boolean): void {
  sessionStorage.setItem(TOKEN_KEY, token.value)
  send({ type: 'arm', token: token.value, isArmed })
}

export function reveal(isRevealed: boolean): void {
  send({ type: 'reveal', token: token.value, isRevealed })
}
