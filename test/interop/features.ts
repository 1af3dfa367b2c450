/** What the interoperability run is about, and the table of it that is printed at the end. */

/** The columns of the table, in their order. */
export const FEATURES = {
  requests: 'requests',
  ciphers: 'each cipher suite',
  loss: '2 % loss and more',
  retry: 'Retry',
  newToken: 'NEW_TOKEN',
  resumption: 'resumption',
  earlyData: '0-RTT',
  keyUpdate: 'key update',
  version2: 'version 2',
  compatible: 'moved to version 2',
  negotiation: 'Version Negotiation',
  rebinding: 'NAT rebinding',
  migration: 'migration',
  preferred: 'preferred address',
} as const

export type Feature = keyof typeof FEATURES

interface Cell {
  passed: number
  failed: number
  /** Why this peer cannot show the feature. */
  reason: string | undefined
  /** What has to be known of a pass: how the peer had to be held. */
  remark: string | undefined
}

/** Peers, in the order in which they came up, and what became of each feature. */
export class Matrix {
  readonly #rows = new Map<string, Map<Feature, Cell>>()

  note(stack: string, feature: Feature, failure: string | undefined): void {
    const cell = this.#cell(stack, feature)
    if (failure === undefined) cell.passed++
    else cell.failed++
  }

  cannot(stack: string, feature: Feature, reason: string): void {
    this.#cell(stack, feature).reason ??= reason
  }

  remark(stack: string, feature: Feature, text: string): void {
    this.#cell(stack, feature).remark ??= text
  }

  #cell(stack: string, feature: Feature): Cell {
    let row = this.#rows.get(stack)
    if (row === undefined) {
      row = new Map()
      this.#rows.set(stack, row)
    }
    let cell = row.get(feature)
    if (cell === undefined) {
      cell = { passed: 0, failed: 0, reason: undefined, remark: undefined }
      row.set(feature, cell)
    }
    return cell
  }

  /** `pass`, `FAIL`, a number that leads to a reason or beside a pass to a remark, or a dash where a peer cannot be asked. */
  toString(): string {
    const features = Object.keys(FEATURES) as Feature[]
    const reasons: string[] = []
    const lines = [...this.#rows].map(([stack, row]) => [
      stack,
      ...features.map((feature) => describeCell(row.get(feature), reasons)),
    ])
    const table = [['', ...features.map((feature) => FEATURES[feature])], ...lines]
    // Turned over, the table is as wide as there are peers and not as the names of features are long.
    const turned = table[0]!.map((_, column) => table.map((line) => line[column]!))
    const widths = turned[0]!.map((_, column) => Math.max(...turned.map((line) => line[column]!.length)))
    const text = turned.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  '))
    const notes = reasons.map((reason, index) => `(${index + 1}) ${reason}`)
    return [...text, '-   the program of this peer has no switch for it', ...notes].join('\n')
  }
}

function describeCell(cell: Cell | undefined, reasons: string[]): string {
  if (cell === undefined) return '-'
  if (cell.failed > 0) return 'FAIL'
  const { passed, reason, remark } = cell
  if (passed > 0) return remark === undefined ? 'pass' : `pass ${noteNumber(remark, reasons)}`
  return reason === undefined ? '-' : noteNumber(reason, reasons)
}

function noteNumber(text: string, notes: string[]): string {
  if (!notes.includes(text)) notes.push(text)
  return `(${notes.indexOf(text) + 1})`
}
