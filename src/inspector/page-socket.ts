// One page at the feed: its WebSocket, and what it may do. Looking is free; acting needs the token and has to be switched
// on; payloads need the token. Made by inspector-server.ts.
import type { WebSocket } from 'ws'
import { readMessage } from './client-message.ts'
import type { Feed, FeedLink, Viewer } from './feed.ts'
import { WRONG_TOKENS } from './limits.ts'
import { ARM_TIME, type ClientMessage, CloseCode, type ServerMessage } from './protocol.ts'
import { isToken } from './token.ts'

export class PageSocket implements Viewer {
  readonly #socket: WebSocket
  readonly #token: string
  readonly #link: FeedLink
  #wrongTokens = 0
  /** Monotonic, ms. */
  #armedUntil = 0

  constructor(socket: WebSocket, feed: Feed, token: string) {
    this.#socket = socket
    this.#token = token
    socket.on('error', ignore)
    this.#tell(feed.hello())
    this.#link = feed.open(this)
    socket.on('close', () => this.#link.close())
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? undefined : readMessage(String(data))
      if (message === undefined) this.#tell({ type: 'complaint', message: 'not understood' })
      else this.#handle(message)
    })
  }

  get backlog(): number {
    return this.#socket.bufferedAmount
  }

  send(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text)
  }

  #handle(message: ClientMessage): void {
    if (message.type === 'arm') this.#arm(message.token, message.isArmed)
    else if (message.type === 'reveal') this.#reveal(message.token, message.isRevealed)
    else if (message.type === 'action') {
      if (!this.#isRight(message.token)) this.#refuse(message.id, 'token', 'the token is missing or wrong')
      else if (performance.now() >= this.#armedUntil) this.#refuse(message.id, 'disarmed', 'not armed')
      else this.#link.request(message)
    } else if (message.type === 'export' && message.what === 'qlog' && !this.#isRight(message.token)) {
      this.#refuse(message.id, 'token', 'the log of a connection needs the token')
    } else this.#link.request(message)
  }

  #arm(token: string, isArmed: boolean): void {
    const isAllowed = !isArmed || this.#isRight(token)
    if (!isAllowed) this.#tell({ type: 'complaint', message: 'the token is missing or wrong' })
    this.#armedUntil = isArmed && isAllowed ? performance.now() + ARM_TIME : 0
    this.#tell(
      isArmed && isAllowed
        ? { type: 'armed', isArmed: true, remaining: ARM_TIME }
        : { type: 'armed', isArmed: false },
    )
  }

  #reveal(token: string, isRevealed: boolean): void {
    if (!isRevealed || this.#isRight(token)) this.#link.request({ type: 'reveal', isRevealed })
    else {
      this.#tell({ type: 'complaint', message: 'the token is missing or wrong' })
      this.#tell({ type: 'revealed', isRevealed: false })
    }
  }

  #isRight(token: unknown): boolean {
    if (isToken(token, this.#token)) return true
    this.#wrongTokens++
    if (this.#wrongTokens >= WRONG_TOKENS) this.#socket.close(CloseCode.wrongToken, 'wrong token')
    return false
  }

  #refuse(id: number, error: string, message: string): void {
    this.#tell({ type: 'result', id, isDone: false, error, message })
  }

  #tell(message: ServerMessage): void {
    this.send(JSON.stringify(message))
  }
}

/** The end of the socket follows. */
function ignore(): void {}
