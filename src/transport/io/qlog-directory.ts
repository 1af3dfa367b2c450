// qlog on disk: one file per connection in a folder, `<original destination connection ID>_<role>.sqlog`. Events are
// turned into text at once and written behind; when the disk is slower than the connections, events are dropped and
// counted, and the file says how many. Nothing here can fail a connection. Used by serve() and connect().
//
//   write() -> chunks of the file -> one write at a time -> file
//              all files together: at most QLOG_BUFFER_CAP bytes
import { mkdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type OpenQlog,
  type QlogCategory,
  type QlogData,
  type QlogSink,
  type QlogTrace,
  qlogEventText,
  qlogGapText,
  qlogHeadText,
} from '../connection/qlog/index.ts'
import { QLOG_BUFFER_CAP, QLOG_OPEN_FILES_CAP, QLOG_SAME_NAME_CAP } from './limits.ts'

/** Only the user may read it: it tells who requested what. */
const FILE_MODE = 0o600

export interface QlogDirectoryOptions {
  /** Bytes of text that may wait for the disk; default QLOG_BUFFER_CAP. */
  readonly bufferCap?: number
  /** Connections logged at a time; default QLOG_OPEN_FILES_CAP. */
  readonly openFilesCap?: number
}

export class QlogDirectory {
  readonly path: string
  /** Events that were dropped because the disk was slow, or could not be written. */
  dropped = 0
  /** Connections that were not logged because too many are, or because their file could not be made. */
  refused = 0
  /** Bytes of text that wait for the disk. */
  buffered = 0
  readonly #bufferCap: number
  readonly #openFilesCap: number
  readonly #files = new Set<QlogFile>()

  /**
   * Makes the folder when it does not exist.
   * @throws Error of the system when that is not possible
   */
  constructor(path: string, options: QlogDirectoryOptions = {}) {
    mkdirSync(path, { recursive: true })
    this.path = path
    this.#bufferCap = options.bufferCap ?? QLOG_BUFFER_CAP
    this.#openFilesCap = options.openFilesCap ?? QLOG_OPEN_FILES_CAP
  }

  /** Connections that are being logged, or whose text is still being written. */
  get openFiles(): number {
    return this.#files.size
  }

  /** To be handed to the endpoint. */
  readonly open: OpenQlog = (trace) => {
    if (this.#files.size >= this.#openFilesCap) {
      this.refused++
      return undefined
    }
    const file = new QlogFile(this, trace)
    this.#files.add(file)
    void file.finished.then(() => this.#files.delete(file))
    return file
  }

  /** Takes room for text; false when there is none. */
  reserve(length: number): boolean {
    if (this.buffered + length > this.#bufferCap) return false
    this.buffered += length
    return true
  }

  /** Ends what is still being logged, and resolves when everything is on disk. */
  async close(): Promise<void> {
    const files = [...this.#files]
    for (const file of files) file.end()
    await Promise.all(files.map((file) => file.finished))
  }
}

class QlogFile implements QlogSink {
  readonly finished: Promise<void>
  readonly #directory: QlogDirectory
  readonly #started: number
  #chunks: string[] = []
  #last = 0
  #dropped = 0
  #isEnded = false
  #isFailed = false
  #wake: () => void = () => {}

  constructor(directory: QlogDirectory, trace: QlogTrace) {
    this.#directory = directory
    this.#started = trace.time
    this.#push(qlogHeadText(trace, new Date().toISOString()))
    const id = Buffer.from(trace.originalDestinationConnectionId).toString('hex')
    this.finished = this.#run(join(directory.path, `${id}_${trace.role}`))
  }

  write(time: number, name: string, category: QlogCategory, data: QlogData): void {
    if (this.#isEnded || this.#isFailed) return
    this.#last = Math.max(this.#last, time - this.#started)
    this.#push(qlogEventText(this.#last, name, category, data))
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  #push(text: string): void {
    if (!this.#directory.reserve(text.length)) {
      this.#dropped++
      this.#directory.dropped++
      return
    }
    this.#chunks.push(text)
    this.#wake()
  }

  /** Never rejects. */
  async #run(path: string): Promise<void> {
    const handle = await openNew(path)
    if (handle === undefined) {
      this.#directory.refused++
      this.#fail()
      return
    }
    try {
      await this.#drain(handle)
    } catch {
      this.#fail()
    }
    await handle.close().catch(() => {})
  }

  async #drain(handle: FileHandle): Promise<void> {
    while (!this.#isEnded || this.#chunks.length > 0) {
      if (this.#chunks.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
      const text = this.#chunks.join('')
      this.#chunks = []
      try {
        if (text !== '') await handle.appendFile(text)
      } finally {
        this.#directory.buffered -= text.length
      }
    }
    if (this.#dropped > 0) await handle.appendFile(qlogGapText(this.#last, this.#dropped))
  }

  /** The disk is full or gone: this connection goes on without a log. */
  #fail(): void {
    this.#isFailed = true
    for (const { length } of this.#chunks) this.#directory.buffered -= length
    this.#directory.dropped += this.#chunks.length
    this.#chunks = []
  }
}

/** A new file; undefined when none can be made. Never one that exists: it may be somebody's only log of something. */
async function openNew(path: string): Promise<FileHandle | undefined> {
  for (let number = 1; number <= QLOG_SAME_NAME_CAP; number++) {
    try {
      return await open(number === 1 ? `${path}.sqlog` : `${path}-${number}.sqlog`, 'wx', FILE_MODE)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return undefined
    }
  }
  return undefined
}
