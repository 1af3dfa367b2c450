// Credit of a session, draft-ietf-webtrans-http3 section 5.
import { describe, expect, it } from 'vitest'
import {
  IncomingCredit,
  OutgoingCredit,
  SessionCredit,
} from '../../../../src/http3/webtransport/flow-control.ts'

const some = { data: 100, bidi: 2, uni: 2 }
const none = { data: 0, bidi: 0, uni: 0 }

describe('whether there is flow control (section 5.1)', () => {
  it.each([
    ['both want it', some, some, true],
    ['one setting is enough', { ...none, uni: 1 }, { ...none, data: 1 }, true],
    ['only we do', some, none, false],
    ['only the peer does', none, some, false],
  ])('%s', (_what, own, peer, isEnabled) => {
    const credit = new SessionCredit(own, peer)
    expect(credit.isEnabled).toBe(isEnabled)
    expect(credit.data.max).toBe(isEnabled ? peer.data : Number.POSITIVE_INFINITY)
    expect(credit.peerData.advertised).toBe(isEnabled ? own.data : Number.POSITIVE_INFINITY)
  })

  it('without it nothing is limited and nothing is told', () => {
    const { peerData, data } = new SessionCredit(some, none)
    peerData.receive(1e12)
    expect(peerData.giveBack(1e12)).toBe(0)
    data.used += 1e12
    expect(data.takeBlocked()).toBe(false)
  })
})

describe('our credit', () => {
  it('only grows, and waiting is told once per limit', () => {
    const credit = new OutgoingCredit(10)
    credit.used = 10
    expect([credit.takeBlocked(), credit.takeBlocked()]).toEqual([true, false])
    expect(() => credit.raise(10)).toThrow('does not increase')
    credit.raise(11)
    expect(credit.takeBlocked()).toBe(false)
    credit.used = 11
    expect(credit.takeBlocked()).toBe(true)
  })
})

describe("the peer's credit", () => {
  it('comes back when half of the window has', () => {
    const credit = new IncomingCredit(10)
    credit.receive(10)
    expect([credit.giveBack(4), credit.giveBack(1), credit.giveBack(1)]).toEqual([0, 15, 0])
    credit.receive(5)
    expect(() => credit.receive(1)).toThrow('more than the session allows')
  })
})
