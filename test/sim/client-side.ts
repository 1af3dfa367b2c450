// The simulated client: makes one planned request and says what was wrong with what came back. The checks are
// against the plan alone, never against what the server says it did.
import { ClientError, type ClientErrorKind } from '../../src/client/client-error.ts'
import type { ClientResponse } from '../../src/client/client-response.ts'
import type { RequestInput } from '../../src/client/request-input.ts'
import type { ClientSession } from '../../src/client/session.ts'
import { countText, sleep } from './order.ts'
import { PatternChecker, patternBytes } from './pattern.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { type PlannedRequest, pathOf } from './workload.ts'

/** Undefined when everything was right, else what was not. */
export type Verdict = string | undefined

export class ClientSide {
  readonly #clock: VirtualClock
  readonly #session: ClientSession

  readonly #tolerated: readonly ClientErrorKind[]

  /** @param tolerated kinds of errors that are expected in this world */
  constructor(clock: VirtualClock, session: ClientSession, tolerated: readonly ClientErrorKind[] = []) {
    this.#clock = clock
    this.#session = session
    this.#tolerated = tolerated
  }

  /** Makes the request at its time and resolves with the verdict; never rejects. */
  async run(request: PlannedRequest): Promise<Verdict> {
    await sleep(this.#clock, request.startAfter)
    try {
      return await this.#runKind(request)
    } catch (error) {
      if (error instanceof ClientError && this.#tolerated.includes(error.kind)) return undefined
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    }
  }

  #runKind(request: PlannedRequest): Promise<Verdict> {
    const { requestBytes, responseBytes } = request
    switch (request.kind) {
      case 'get':
      case 'dribble':
        return this.#expectBody(request, this.#input(request), responseBytes)
      case 'hints':
        return this.#expectHints(request)
      case 'echo':
        return this.#expectBody(request, this.#withBody(request), requestBytes)
      case 'upload':
        return this.#expectText(request, 200, countText(requestBytes, undefined))
      case 'earlyAnswer':
        return this.#expectText(request, 413, 'too much')
      case 'head':
        return this.#expectEmpty(request, 'HEAD', 200)
      case 'empty':
        return this.#expectEmpty(request, 'GET', 204)
      case 'trailers':
        return this.#expectTrailers(request)
      case 'cancelEarly':
        return this.#cancelEarly(request)
      case 'cancelMiddle':
      case 'discard':
      case 'endless':
        return this.#leave(request)
      case 'crash':
        return this.#expectCrash(request)
    }
  }

  #input(request: PlannedRequest): RequestInput {
    return { path: pathOf(request), headers: { 'x-index': String(request.index), 'user-agent': 'simulator' } }
  }

  #withBody(request: PlannedRequest): RequestInput {
    const { key, requestBytes, pause } = request
    const body = pause === 0 ? patternBytes(key, 0, requestBytes) : this.#source(request)
    return { ...this.#input(request), method: 'POST', body }
  }

  async *#source({ key, requestBytes, piece, pause }: PlannedRequest): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < requestBytes; sent += piece) {
      yield patternBytes(key, sent, Math.min(piece, requestBytes - sent))
      await sleep(this.#clock, pause)
    }
  }

  /** Reads a whole body at the plan's pace and checks it. */
  async #check(request: PlannedRequest, response: ClientResponse, length: number): Promise<Verdict> {
    const checker = new PatternChecker(request.key)
    try {
      for await (const chunk of response) {
        checker.add(chunk)
        if (request.readPause > 0) await sleep(this.#clock, request.readPause)
      }
    } catch (error) {
      // What had come before has to be right nevertheless.
      if (checker.firstDifference === undefined) throw error
    }
    return checker.verdict(length)
  }

  async #expectBody(request: PlannedRequest, input: RequestInput, length: number): Promise<Verdict> {
    const response = await this.#session.request(input)
    if (response.status !== 200) return `status ${response.status}`
    return this.#check(request, response, length)
  }

  async #expectHints(request: PlannedRequest): Promise<Verdict> {
    const hints: number[] = []
    const onInformational = (status: number): void => void hints.push(status)
    const verdict = await this.#expectBody(
      request,
      { ...this.#input(request), onInformational },
      request.responseBytes,
    )
    return (
      verdict ?? (hints.join() === '103' ? undefined : `interim responses ${hints.join()} instead of 103`)
    )
  }

  async #expectText(request: PlannedRequest, status: number, text: string): Promise<Verdict> {
    const response = await this.#session.request(this.#withBody(request))
    const answer = await response.text()
    return response.status === status && answer === text ? undefined : `${response.status} "${answer}"`
  }

  async #expectEmpty(request: PlannedRequest, method: string, status: number): Promise<Verdict> {
    const response = await this.#session.request({ ...this.#input(request), method })
    const { length } = await response.bytes()
    const declared = response.header('content-length')
    if (response.status !== status || length !== 0) return `${response.status} with ${length} bytes`
    const isRight = method !== 'HEAD' || declared === String(request.responseBytes)
    return isRight ? undefined : `content-length ${declared} instead of ${request.responseBytes}`
  }

  async #expectTrailers(request: PlannedRequest): Promise<Verdict> {
    const trailers = (): Record<string, string> => ({ 'x-sent': String(request.requestBytes) })
    const response = await this.#session.request({ ...this.#withBody(request), trailers })
    const verdict = await this.#check(request, response, request.responseBytes)
    const expected = `x-received,${countText(request.requestBytes, undefined)}`
    const found = response.trailers?.join()
    return verdict ?? (found === expected ? undefined : `trailers ${found} instead of ${expected}`)
  }

  /** Aborts after a while: whichever comes first, the whole response or the abort, must be clean. */
  async #cancelEarly(request: PlannedRequest): Promise<Verdict> {
    const controller = new AbortController()
    this.#clock.setTimer(this.#clock.now() + request.cancelAfter, () =>
      controller.abort(new Error('planned abort')),
    )
    try {
      return await this.#expectBody(
        request,
        { ...this.#input(request), signal: controller.signal },
        request.responseBytes,
      )
    } catch (error) {
      if (error instanceof Error && error.message === 'planned abort') return undefined
      throw error
    }
  }

  /** Reads about half of the response and then goes. */
  async #leave(request: PlannedRequest): Promise<Verdict> {
    const controller = new AbortController()
    const input = { ...this.#input(request), signal: controller.signal }
    const response = await this.#session.request(input)
    const checker = new PatternChecker(request.key)
    for await (const chunk of response) {
      checker.add(chunk)
      if (checker.received < request.responseBytes / 2) continue
      if (request.kind === 'cancelMiddle' || request.key % 2 === 0) controller.abort()
      break
    }
    return checker.verdict(checker.received)
  }

  /** The stream has to be reset with H3_INTERNAL_ERROR, whatever had come before. */
  async #expectCrash(request: PlannedRequest): Promise<Verdict> {
    const checker = new PatternChecker(request.key)
    try {
      const response = await this.#session.request(this.#input(request))
      for await (const chunk of response) checker.add(chunk)
      return 'the response ended although the handler crashed'
    } catch (error) {
      const isRight = error instanceof ClientError && error.kind === 'reset' && error.code === 0x102
      if (!isRight) throw error
      return checker.verdict(checker.received)
    }
  }
}
