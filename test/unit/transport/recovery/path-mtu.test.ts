// The state machine of path MTU discovery (RFC 8899 section 5), without packets.
import { describe, expect, it } from 'vitest'
import { PathMtu } from '../../../../src/transport/recovery/index.ts'

class Search {
  now = 0
  readonly probed: number[] = []
  readonly sizes: number[] = []
  readonly mtu: PathMtu

  constructor(limit = 1_452, isEnabled = true) {
    this.mtu = new PathMtu(isEnabled, limit, (bytes) => this.sizes.push(bytes))
  }

  /** Enough full datagrams for a search. */
  fill(): this {
    for (let i = 0; i < 16; i++) this.mtu.onFullDatagram(this.now)
    return this
  }

  /** Answers probes until the search is over, as a path that carries `carries` bytes does. */
  probe(carries: number): this {
    for (let size = this.mtu.probeSize; size > 0; size = this.mtu.probeSize) {
      this.probed.push(size)
      this.mtu.onProbeSent(size)
      expect(this.mtu.probeSize).toBe(0)
      if (size <= carries) this.mtu.onProbeAcked(size, this.now)
      else this.mtu.onProbeLost(size, this.now)
    }
    return this
  }
}

describe('search, RFC 8899 section 5.3', () => {
  it('begins when a connection has sent sixteen full datagrams, and first tries the largest', () => {
    const search = new Search()
    expect(search.mtu.probeSize).toBe(0)
    search.fill().probe(1_472)
    expect(search.probed).toEqual([1_452])
    expect([search.mtu.state, search.mtu.current, search.sizes]).toEqual(['complete', 1_452, [1_452]])
  })

  it.each([1_200, 1_232, 1_280, 1_337, 1_400, 1_440])(
    'comes within 20 bytes of %d, never above',
    (carries) => {
      const search = new Search().fill().probe(carries)
      expect(search.mtu.current).toBeLessThanOrEqual(carries)
      expect(search.mtu.current).toBeGreaterThanOrEqual(carries - 20)
      expect(search.probed.length).toBeLessThan(12)
    },
  )

  it('a size counts as too large after two lost probes (section 5.1.2)', () => {
    const search = new Search().fill()
    search.mtu.onProbeSent(1_452)
    search.mtu.onProbeLost(1_452, 0)
    expect(search.mtu.probeSize).toBe(1_452)
    search.probe(1_452)
    expect(search.mtu.current).toBe(1_452)
  })

  it('tries again after ten minutes (section 5.1.1)', () => {
    const search = new Search().fill().probe(1_300)
    const before = search.mtu.current
    search.now = 599_999
    search.fill()
    expect(search.mtu.probeSize).toBe(0)
    search.now = 600_000
    search.fill().probe(1_452)
    expect(before).toBeLessThan(1_301)
    expect(search.mtu.current).toBe(1_452)
  })

  it('max_udp_payload_size of the peer and our own limit bound it (RFC 9000 section 18.2)', () => {
    const small = new Search()
    small.mtu.setPeerLimit(1_300)
    small.fill().probe(9_000)
    expect([small.probed, small.mtu.current]).toEqual([[1_300], 1_300])
    const none = new Search()
    none.mtu.setPeerLimit(1_200)
    none.fill().probe(9_000)
    expect([none.probed, none.mtu.state]).toEqual([[], 'complete'])
  })

  it('does nothing when it is off', () => {
    const search = new Search(1_452, false).fill()
    expect([search.mtu.probeSize, search.mtu.state]).toEqual([0, 'disabled'])
  })
})

describe('black holes, RFC 8899 section 4.3', () => {
  const found = () => new Search().fill().probe(1_452)

  it('three separate losses of large packets, none of which arrives meanwhile, mean 1200 bytes again', () => {
    const { mtu, sizes } = found()
    mtu.onLargePacketLost(10, 1)
    mtu.onLargePacketLost(11, 1)
    mtu.onLargePacketLost(12, 2)
    expect(mtu.current).toBe(1_452)
    mtu.onLargePacketLost(13, 3)
    expect([mtu.current, mtu.state, mtu.counters.blackHoles, sizes]).toEqual([
      1_200,
      'base',
      1,
      [1_452, 1_200],
    ])
  })

  it('congestion is none: a large packet that arrives starts the count anew, and older losses do not count', () => {
    const { mtu } = found()
    mtu.onLargePacketLost(10, 1)
    mtu.onLargePacketLost(12, 2)
    mtu.onLargePacketAcked(20)
    mtu.onLargePacketLost(15, 3)
    mtu.onLargePacketLost(16, 4)
    mtu.onLargePacketLost(21, 5)
    mtu.onLargePacketLost(22, 6)
    expect(mtu.current).toBe(1_452)
  })

  it('two probe timeouts in a row mean it too, and the search begins again', () => {
    const search = found()
    search.mtu.onProbeTimeout(1)
    expect(search.mtu.current).toBe(1_452)
    search.mtu.onProbeTimeout(2)
    expect(search.mtu.current).toBe(1_200)
    search.fill().probe(1_300)
    expect(search.mtu.current).toBeGreaterThan(1_280)
  })

  it('an answer to a probe of an abandoned search changes nothing', () => {
    const search = new Search().fill()
    search.mtu.onProbeSent(1_452)
    search.mtu.reset()
    search.mtu.onProbeAcked(1_452, 0)
    search.mtu.onProbeLost(1_452, 0)
    expect([search.mtu.current, search.sizes]).toEqual([1_200, []])
  })
})
