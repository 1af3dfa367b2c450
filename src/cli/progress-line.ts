// The line on a terminal that shows how far something is, drawn over itself. Where standard error is no terminal nothing
// is written. Used by get.ts and bench.ts.

/** What of a terminal is used; process.stderr is one. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Drawn no more often than this, ms: an eye follows ten a second. */
const REDRAW_INTERVAL = 100
/** Back to the first column, and away with what stands there (ECMA-48: carriage return, EL). */
const ERASE = '\r\x1b[K'
const BAR_WIDTH = 24
const DEFAULT_COLUMNS = 80

export class ProgressLine {
  readonly #terminal: Terminal | undefined
  readonly #now: () => number
  #drawnAt = Number.NEGATIVE_INFINITY

  /** @param now ms */
  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal.isTTY === true ? terminal : undefined
    this.#now = now
  }

  /** Whether anybody sees it. */
  get isVisible(): boolean {
    return this.#terminal !== undefined
  }

  /** Draws what `text` gives, if the last drawing is some time ago. */
  update(text: () => string): void {
    if (this.#terminal === undefined) return
    const now = this.#now()
    if (now - this.#drawnAt < REDRAW_INTERVAL) return
    this.#drawnAt = now
    // A terminal without a size says 0.
    const columns = this.#terminal.columns || DEFAULT_COLUMNS
    this.#terminal.write(`${ERASE}${text().slice(0, columns - 1)}`)
  }

  /** Leaves one line for good in its place, or nothing where there is no terminal. */
  finish(text: string): void {
    this.#terminal?.write(`${ERASE}${text}\n`)
    this.#drawnAt = Number.NEGATIVE_INFINITY
  }

  /** Takes the line away, so that what follows begins where it stood. */
  clear(): void {
    if (this.#drawnAt === Number.NEGATIVE_INFINITY) return
    this.#terminal?.write(ERASE)
    this.#drawnAt = Number.NEGATIVE_INFINITY
  }
}

/** `[#######                 ]  29 %` */
export function bar(share: number): string {
  const part = Math.min(1, Math.max(0, share))
  const filled = '#'.repeat(Math.floor(part * BAR_WIDTH)).padEnd(BAR_WIDTH)
  return `[${filled}] ${String(Math.floor(part * 100)).padStart(3)} %`
}

/**
 * How far a download is.
 * @param bytes received so far
 * @param total of all, when the response said so
 * @param elapsed ms since it began
 */
export function downloadText(bytes: number, total: number | undefined, elapsed: number): string {
  const perMs = elapsed > 0 ? bytes / elapsed : 0
  const speed = `${bytesText(perMs * 1000)}/s`
  if (total === undefined || total <= 0) return `${bytesText(bytes)}  ${speed}  ${durationText(elapsed)}`
  const left = perMs > 0 ? `${durationText((total - bytes) / perMs)} left` : ''
  return `${bar(bytes / total)}  ${bytesText(bytes)} of ${bytesText(total)}  ${speed}  ${left}`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1.5 MiB` */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${UNITS[unit]}`
}

/** `1:05`, minutes and seconds, of ms. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
