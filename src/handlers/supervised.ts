// supervised(): limits and a crash policy for one handler, where the server's own settings hold for all of them. Wraps
// any exchange handler: a plain one, a fetch handler's, a machine service.
import { type Exchange, type ExchangeHandler, fieldValue } from './exchange.ts'
import { BodyTooLargeError } from './limited-body.ts'

/** Options of {@link supervised}. */
export interface SupervisedOptions {
  /** The response has to begin within so many ms; then the handler is cancelled, and cut after its grace. */
  readonly deadline?: number
  /** Most bytes of body that are taken; longer ones are answered 413. */
  readonly maxBody?: number
  /** Requests that may be in the handler at once; default no limit. */
  readonly concurrency?: number
  /** Requests that may wait for their turn; default 0. Beyond it 503 is answered, with `retry-after`. */
  readonly queue?: number
  /**
   * What becomes of a request whose handler crashes: `reset` (the default) resets its stream with H3_INTERNAL_ERROR and
   * counts towards the connection's limit of crashes; `respond` answers 500 while no response has begun.
   */
  readonly onCrash?: 'reset' | 'respond' | ((error: unknown, exchange: Exchange) => void | Promise<void>)
}

const TEXT = ['content-type', 'text/plain; charset=utf-8'] as const

/** Seconds after which a client that was turned away may come back. */
const RETRY_AFTER = '1'

/**
 * Wraps a handler in limits of its own.
 * @throws RangeError for a limit that is not a positive integer (`queue`: not negative)
 */
export function supervised(handler: ExchangeHandler, options: SupervisedOptions): ExchangeHandler {
  check('deadline', options.deadline, 1)
  check('maxBody', options.maxBody, 0)
  check('concurrency', options.concurrency, 1)
  check('queue', options.queue, 0)
  const { deadline, maxBody, concurrency = Number.POSITIVE_INFINITY, queue = 0 } = options
  const turns = new Turns(concurrency, queue)
  return async (exchange) => {
    if (deadline !== undefined) exchange.deadline = deadline
    if (maxBody !== undefined) {
      exchange.bodyLimit = maxBody
      if (Number(fieldValue(exchange.headers, 'content-length') ?? 0) > maxBody) {
        exchange.respond(413, TEXT, 'the body is too large\n')
        return
      }
    }
    const turn = turns.take(exchange)
    if (turn === undefined) {
      exchange.respond(503, [...TEXT, 'retry-after', RETRY_AFTER], 'too many requests are being handled\n')
      return
    }
    await turn
    try {
      await handler(exchange)
    } catch (error) {
      await settle(error, exchange, options)
    } finally {
      turns.giveBack()
    }
  }
}

function check(name: string, value: number | undefined, least: number): void {
  if (value === undefined) return
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} must be an integer of at least ${least}`)
}

/** A wait for a turn that nobody has to wait for. */
const IMMEDIATE: Promise<void> = Promise.resolve()

/** Who may run now, and who waits, first come first served. */
class Turns {
  readonly #limit: number
  readonly #queueLimit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number, queueLimit: number) {
    this.#limit = limit
    this.#queueLimit = queueLimit
  }

  /**
   * A turn, now or when the promise resolves; undefined when too many wait already. Rejects when the exchange is given
   * up before its turn has come.
   */
  take(exchange: Exchange): Promise<void> | undefined {
    if (this.#running < this.#limit) {
      this.#running++
      return IMMEDIATE
    }
    return this.#waiting.length < this.#queueLimit ? this.#wait(exchange) : undefined
  }

  #wait(exchange: Exchange): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        exchange.onCancel = undefined
        resolve()
      }
      this.#waiting.push(begin)
      exchange.onCancel = (reason) => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        reject(reason)
      }
    })
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}

async function settle(
  error: unknown,
  exchange: Exchange,
  { onCrash = 'reset' }: SupervisedOptions,
): Promise<void> {
  if (exchange.isEnded) throw error
  if (error instanceof BodyTooLargeError && !exchange.isHeadSent) {
    exchange.respond(413, TEXT, 'the body is too large\n')
    return
  }
  if (onCrash === 'reset') throw error
  if (onCrash === 'respond') {
    if (exchange.isHeadSent) throw error
    exchange.respond(500, TEXT, 'internal server error\n')
    return
  }
  await onCrash(error, exchange)
  if (!exchange.isEnded) throw error
}
