/**
 * One WebSocket to a browser: commands with answers, and events. The DevTools protocol of Chromium and WebDriver BiDi of
 * Firefox have the same frame: `{ id, method, params }`, answered under the same id. Used by chromium.ts and firefox.ts.
 */

type Fields = Readonly<Record<string, unknown>>

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Fields
  readonly sessionId?: string
  readonly result?: Fields
  /** DevTools: an object; BiDi: a word, with `message` beside it. */
  readonly error?: string | { readonly message: string }
  readonly message?: string
}

interface Pending {
  readonly resolve: (result: Fields) => void
  readonly reject: (reason: Error) => void
}

/** No command of these tests takes longer, ms; what a page does has limits of its own. */
const COMMAND_TIMEOUT = 120_000

export class Remote {
  readonly #socket: WebSocket
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(method: string, params: Fields, sessionId: string | undefined) => void>()
  #nextId = 1

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#handle(JSON.parse(String(data)) as Message)
    socket.onclose = () => this.#fail(new Error('the browser has closed the connection'))
  }

  /** @throws Error when nobody answers there */
  static async connect(url: string): Promise<Remote> {
    const socket = new WebSocket(url)
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve()
      socket.onerror = () => reject(new Error(`no connection to ${url}`))
    })
    return new Remote(socket)
  }

  /** @throws Error with the browser's words when it refuses, or when it does not answer */
  call(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error('the browser is gone'))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id)?.reject(new Error(`no answer to ${method}`)),
        COMMAND_TIMEOUT,
      )
      this.#pending.set(id, {
        resolve: (result) => {
          clearTimeout(timer)
          resolve(result)
        },
        reject: (reason) => {
          clearTimeout(timer)
          reject(reason)
        },
      })
      this.#socket.send(
        JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }),
      )
    })
  }

  /** Resolves with the parameters of the first such event from now on. */
  next(method: string, sessionId?: string): Promise<Fields> {
    return new Promise((resolve) => {
      const listener = (name: string, params: Fields, session: string | undefined): void => {
        if (name !== method || session !== sessionId) return
        this.#listeners.delete(listener)
        resolve(params)
      }
      this.#listeners.add(listener)
    })
  }

  close(): void {
    this.#socket.onclose = null
    this.#fail(new Error('closed'))
    this.#socket.close()
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #handle({ id, method, params = {}, sessionId, result = {}, error, message }: Message): void {
    if (id === undefined) {
      if (method !== undefined) for (const listener of this.#listeners) listener(method, params, sessionId)
      return
    }
    const pending = this.#settle(id)
    if (error === undefined) pending?.resolve(result)
    else pending?.reject(new Error(typeof error === 'string' ? `${error}: ${message}` : error.message))
  }

  #fail(reason: Error): void {
    for (const { reject } of this.#pending.values()) reject(reason)
    this.#pending.clear()
  }
}
