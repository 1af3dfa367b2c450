// Two ends as in pair.ts, but the server is a whole endpoint on a simulated socket: what a test does to the link and to
// the two connections is the same.
import { Pair, type TestEnd } from '../unit/transport/connection/pair.ts'
import { EndpointEnd } from './endpoint-end.ts'

export class EndpointPair extends Pair {
  readonly #end: EndpointEnd

  constructor(options: ConstructorParameters<typeof Pair>[0] = {}) {
    super(options)
    const end = new EndpointEnd(
      { settings: options.server ?? {}, seed: options.seed ?? 1, startsAt: 0 },
      true,
    )
    this.#end = end
    Object.defineProperty(this.server, 'connection', { get: () => end.connection })
    Object.defineProperty(this.server, 'application', { value: end.application })
  }

  override inject(to: TestEnd, bytes: Uint8Array, ecn = 0): void {
    if (to === this.client) super.inject(to, bytes, ecn)
    else {
      this.#catchUp()
      this.#end.deliver(bytes, ecn)
    }
  }

  override flush(from: TestEnd): void {
    if (from === this.client) {
      super.flush(from)
      return
    }
    this.#catchUp()
    const datagrams = this.#end.take()
    const marks = this.#end.takeMarks()
    for (const [i, bytes] of datagrams.entries()) this.carry(false, bytes, marks[i])
  }

  protected override nextDue(end: TestEnd): number {
    return end === this.client ? super.nextDue(end) : this.#end.clock.nextDue()
  }

  protected override fire(end: TestEnd): void {
    if (end === this.client) super.fire(end)
    else this.#catchUp()
  }

  /** The endpoint's clock comes to the time of the link. */
  #catchUp(): void {
    const { clock } = this.#end
    if (clock.now() < this.now) clock.setTimer(this.now, () => {})
    while (clock.now() < this.now || clock.nextDue() <= this.now) clock.step()
  }
}

/** Both, for `describe.each`. */
export const PAIRS: readonly (readonly [string, typeof Pair])[] = [
  ['a connection', Pair],
  ['a whole endpoint', EndpointPair],
]
