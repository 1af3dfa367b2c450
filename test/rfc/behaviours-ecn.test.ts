// Behaviour 21 of the catalogue: explicit congestion notification between two whole connections, over a link that
// marks (RFC 9000 section 13.4, appendix A.4; RFC 9002 section 7.1).
import { describe, expect, test } from 'vitest'
import { EcnMark } from '../../src/transport/recovery/index.ts'
import type { Pair, TestEnd } from '../unit/transport/connection/pair.ts'
import { PAIRS } from './endpoint-pair.ts'

describe.each(PAIRS)('between a client and %s', (_side, Ends) => {
  const LARGE = { initialMaxData: 8_000_000, initialMaxStreamDataUni: 8_000_000 }

  /** The server marks what it sends; `remark` is what the link to the client does with it. */
  function marking(remark: Pair['remark'] = (ecn) => ecn): Pair {
    const pair = new Ends({ server: { ecn: true }, client: LARGE })
    pair.remark = (ecn, index, toServer) => (toServer ? ecn : remark(ecn, index, toServer))
    return pair.handshake()
  }

  function transfer(
    pair: Pair,
    bytes = 200_000,
    from: TestEnd = pair.server,
    to: TestEnd = pair.client,
  ): void {
    const stream = from.connection.openStream('uni')!
    stream.application = from.application
    stream.write(Buffer.alloc(bytes, 1))
    stream.end()
    pair.run(20_000, () => to.application.finished.has(stream.id))
    expect(to.application.bytes(stream.id)).toHaveLength(bytes)
  }

  function ecnOf(end: TestEnd) {
    return end.connection.recovery.ecn
  }

  describe('21 ECN (RFC 9000 section 13.4.2)', () => {
    test('a path that carries the marks is found capable, and marks are counted and echoed per space', () => {
      const marks = new Set<number>()
      const pair = marking((ecn) => {
        marks.add(ecn)
        return ecn
      })
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('capable')
      expect(marks).toContain(EcnMark.ect0)
      expect(pair.server.connection.recovery.congestion.ssthresh).toBe(Number.POSITIVE_INFINITY)
    })

    test('an endpoint that does not mark echoes all the same, and leaves its own datagrams alone', () => {
      const pair = marking()
      const marks: number[] = []
      pair.remark = (ecn, _index, toServer) => {
        if (toServer) marks.push(ecn)
        return ecn
      }
      transfer(pair)
      expect(new Set(marks)).toEqual(new Set([EcnMark.notEct]))
      expect(ecnOf(pair.client).state).toBe('disabled')
      expect(ecnOf(pair.server).state).toBe('capable')
    })

    test('a CE mark is a congestion event without a loss (RFC 9002 section 7.1)', () => {
      const pair = marking()
      transfer(pair, 20_000)
      let isMarked = false
      pair.remark = (ecn, _index, toServer) => {
        if (toServer || isMarked || ecn !== EcnMark.ect0) return ecn
        isMarked = true
        return EcnMark.ce
      }
      transfer(pair)
      const { recovery } = pair.server.connection
      expect(recovery.congestion.ssthresh).toBeLessThan(Number.POSITIVE_INFINITY)
      expect(recovery.counters.lost).toBe(0)
      expect(recovery.ecn.congestionMarks).toBe(1)
      expect(recovery.ecn.state).toBe('capable')
    })

    test.each([
      ['erased', () => EcnMark.notEct],
      ['changed to ECT(1)', (ecn: number) => (ecn === EcnMark.ect0 ? EcnMark.ect1 : ecn)],
      ['all set to CE', (ecn: number) => (ecn === EcnMark.ect0 ? EcnMark.ce : ecn)],
    ])('marks that are %s on the way end marking', (_what, remark) => {
      const pair = marking(remark)
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('failed')
      const marks = new Set<number>()
      pair.remark = (ecn, _index, toServer) => {
        if (!toServer) marks.add(ecn)
        return ecn
      }
      transfer(pair)
      expect(marks).toEqual(new Set([EcnMark.notEct]))
    })

    test('marks that are erased later end it too', () => {
      const pair = marking()
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('capable')
      pair.remark = () => EcnMark.notEct
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('failed')
    })

    test('a path that drops marked datagrams: the handshake succeeds without marks (appendix A.4)', () => {
      const pair = new Ends({ server: { ecn: true }, client: LARGE })
      let last = 0
      pair.remark = (ecn) => {
        last = ecn
        return ecn
      }
      pair.drop = (_index, toServer, _bytes, mark) => !toServer && mark !== EcnMark.notEct
      pair.run(10_000, () => pair.client.application.isComplete && pair.server.application.isComplete)
      pair.run(1_000)
      expect(pair.client.application.isComplete).toBe(true)
      transfer(pair)
      expect(last).toBe(EcnMark.notEct)
      expect(['failed', 'unknown']).toContain(ecnOf(pair.server).state)
    })

    test('a new path is tested anew', () => {
      const pair = marking(() => EcnMark.notEct)
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('failed')
      pair.remark = (ecn) => ecn
      ecnOf(pair.server).reset()
      transfer(pair)
      expect(ecnOf(pair.server).state).toBe('capable')
    })
  })
})
