/**
 * A UDP proxy in user space between a peer and the server: loses datagrams in both directions, and gives the peer new
 * addresses as a NAT does that forgets. So the networks of the simulator are also those of peers that have no switch
 * for it. The dice are seeded; what they decide depends on the order of the datagrams.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface ProxyOptions {
  /** Port of the server on 127.0.0.1. */
  readonly target: number
  /** Share of datagrams that vanish, each way, 0 to 1. */
  readonly loss?: number
  /**
   * Datagrams of a peer after which it gets another source port, the first few times; absent: never. Counted and not
   * timed, because a peer that has nothing to say when its address changes cannot be found by any server.
   */
  readonly rebindAfter?: number
  readonly seed?: number
}

/** The far side of one peer: the socket that the server sees. */
interface Mapping {
  socket: Socket
  sent: number
}

/** Rebindings of one peer: all of them while it still has something to upload. */
const MAX_REBINDINGS = 3

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

async function bound(type: 'udp4' | 'udp6', port: number): Promise<Socket> {
  const socket = type === 'udp4' ? createSocket('udp4') : createSocket({ type: 'udp6', ipv6Only: true })
  socket.bind(port, type === 'udp4' ? '127.0.0.1' : '::1')
  await once(socket, 'listening')
  return socket
}

export class LossyProxy {
  readonly counters = { forwarded: 0, lost: 0, rebindings: 0 }
  readonly port: number
  readonly #options: ProxyOptions
  readonly #fronts: readonly Socket[]
  readonly #mappings = new Map<string, Mapping>()
  readonly #dice: () => number

  private constructor(options: ProxyOptions, fronts: readonly Socket[]) {
    this.#options = options
    this.#fronts = fronts
    this.#dice = dice(options.seed ?? 1)
    this.port = fronts[0]!.address().port
    for (const front of fronts)
      front.on('message', (bytes, { address, port }) => this.#toServer(front, bytes, address, port))
  }

  /** Listens on one port of 127.0.0.1 and, where there is one, ::1: some clients ask for localhost there first. */
  static async start(options: ProxyOptions): Promise<LossyProxy> {
    const front = await bound('udp4', 0)
    const { port } = front.address()
    const second = await bound('udp6', port).catch(() => undefined)
    return new LossyProxy(options, second === undefined ? [front] : [front, second])
  }

  close(): void {
    for (const front of this.#fronts) front.close()
    for (const { socket } of this.#mappings.values()) socket.close()
    this.#mappings.clear()
  }

  get #isLost(): boolean {
    const isLost = this.#dice() < (this.#options.loss ?? 0)
    if (isLost) this.counters.lost++
    else this.counters.forwarded++
    return isLost
  }

  #toServer(front: Socket, bytes: Buffer, address: string, port: number): void {
    const key = `${address} ${port}`
    const answer = (back: Buffer): void => front.send(back, port, address)
    let mapping = this.#mappings.get(key)
    if (mapping === undefined) {
      mapping = { socket: this.#upstream(answer), sent: 0 }
      this.#mappings.set(key, mapping)
    }
    if (this.#isRebindingDue(++mapping.sent)) {
      mapping.socket.close()
      mapping.socket = this.#upstream(answer)
      this.counters.rebindings++
    }
    if (!this.#isLost) mapping.socket.send(bytes, this.#options.target, '127.0.0.1')
  }

  #isRebindingDue(sent: number): boolean {
    const { rebindAfter } = this.#options
    return rebindAfter !== undefined && sent % rebindAfter === 0 && sent / rebindAfter <= MAX_REBINDINGS
  }

  #upstream(answer: (bytes: Buffer) => void): Socket {
    const socket = createSocket('udp4')
    socket.on('message', (bytes) => {
      if (!this.#isLost) answer(bytes)
    })
    // A server that has gone answers with ICMP; that is no failure of the proxy.
    socket.on('error', () => {})
    return socket
  }
}
