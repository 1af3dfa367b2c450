// A scripted peer (scripted-peer.ts) whose other side is a whole endpoint on a simulated socket, instead of one
// connection: routing, supervision and the turns of the loop are part of what is tested.
import type { Endpoint } from '../../src/supervisor/endpoint.ts'
import { Pair } from '../unit/transport/connection/pair.ts'
import { EndpointEnd, type EndpointPeerOptions } from './endpoint-end.ts'
import { EndpointPair } from './endpoint-pair.ts'
import type { ScriptedOptions } from './scripted-options.ts'
import { ScriptedPeer } from './scripted-peer.ts'

export type { EndpointPeerOptions } from './endpoint-end.ts'

/** Before a server endpoint with HTTP/3. */
export class EndpointPeer extends ScriptedPeer {
  readonly #end: EndpointEnd
  readonly #start: number
  /** Short-header datagrams to IDs that the endpoint has not issued. */
  #strangers = 0

  constructor(options: EndpointPeerOptions = {}, end = new EndpointEnd(options, false)) {
    super({ alpn: ['h3'], ...options }, end)
    this.#end = end
    this.#start = end.clock.now()
  }

  get endpoint(): Endpoint {
    return this.#end.endpoint
  }

  /** What the endpoint still has of connections. */
  get leftovers(): string[] {
    return this.#end.leftovers
  }

  override deliver(...packets: Uint8Array[]): void {
    const bytes = Buffer.concat(packets)
    this.bytesSent += bytes.length
    const isShort = (bytes[0] & 0xc0) === 0x40 && bytes.length > 8
    if (isShort && !this.#end.isOurs(bytes.subarray(1, 9))) this.#strangers++
    this.#end.deliver(bytes)
  }

  /** A stateless reset, at most one for each datagram to an ID that the endpoint has not issued (section 10.3). */
  protected override handleUnopened(datagram: Uint8Array, what: string): void {
    const isReset = (datagram[0] & 0xc0) === 0x40 && datagram.length >= 21
    if (!isReset || this.#strangers-- === 0) super.handleUnopened(datagram, what)
  }

  override collect(): void {
    for (const datagram of this.#end.take()) this.receive(datagram)
  }

  override advance(milliseconds: number): void {
    const end = this.now + milliseconds
    const { clock } = this.#end
    this.collect()
    if (this.autoAck) this.acknowledge()
    while (clock.nextDue() - this.#start <= end) {
      clock.step()
      this.now = clock.now() - this.#start
      this.collect()
      if (this.autoAck) this.acknowledge()
    }
    clock.setTimer(this.#start + end, () => {})
    this.collect()
    while (clock.now() - this.#start < end) clock.step()
    this.now = end
  }
}

/**
 * Before an endpoint, server or client, whose application is that of the tests of one connection: what such a test
 * asks of `end` and `connection` it can ask here.
 */
export class PlainEndpointPeer extends EndpointPeer {
  constructor(given: ScriptedOptions = {}) {
    const options = { alpn: ['test'], startsAt: 0, ...given }
    super(options, new EndpointEnd(options, true))
  }
}

/** Both, for `describe.each`: the scripted peer, and two ends of ours. */
export const SIDES: readonly (readonly [string, typeof ScriptedPeer, typeof Pair])[] = [
  ['a connection', ScriptedPeer, Pair],
  ['a whole endpoint', PlainEndpointPeer, EndpointPair],
]
