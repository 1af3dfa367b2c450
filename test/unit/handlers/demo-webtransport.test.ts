// /wt of the demo does what its query asks for, and its page carries the hash of the certificate.
import { describe, expect, it } from 'vitest'
import { demoWebTransport } from '../../../src/handlers/demo-webtransport.ts'
import { demoWebTransportPage } from '../../../src/handlers/demo-webtransport-page.ts'
import { collect, WebTransportWorld } from '../../sim/webtransport-world.ts'

describe('the demo', () => {
  it.each([
    ['/wt?close=4000000000&reason=so%20long', { closeCode: 4_000_000_000, reason: 'so long' }],
    ['/wt?close=nonsense', { closeCode: 0, reason: '' }],
    ['/wt?close=-1', { closeCode: 0, reason: '' }],
  ])('%s makes the server close', async (path, info) => {
    const world = new WebTransportWorld({ webtransport: demoWebTransport })
    const session = (await world.connected()).webtransport(path)
    expect(await world.within(session.closed)).toEqual(info)
    await world.expectNothingLeft()
  })

  it('/wt?open makes the server send on all three ways', async () => {
    const world = new WebTransportWorld({ webtransport: demoWebTransport })
    const session = await world.session('/wt?open')
    const { value: datagram } = await world.within(session.datagrams.readable.getReader().read())
    const { value: uni } = await world.within(session.incomingUnidirectionalStreams.getReader().read())
    const { value: bidi } = await world.within(session.incomingBidirectionalStreams.getReader().read())
    const texts = [
      Buffer.from(datagram!),
      await world.within(collect(uni!)),
      await world.within(collect(bidi!.readable)),
    ]
    expect(texts.map(String)).toEqual(Array.from({ length: 3 }, () => 'hello from the server'))
    session.close()
    await world.expectNoSessions()
    expect(world.faults).toEqual([])
  })

  it('/wt?drain asks for an end, other paths are not there', async () => {
    const world = new WebTransportWorld({ webtransport: demoWebTransport })
    const connection = await world.connected()
    await world.within((await world.session('/wt?drain', connection)).draining)
    await expect(world.within(connection.webtransport('/other').ready)).rejects.toThrow('404')
    await world.expectNothingLeft()
  })

  it('the page names the certificate, if there is one to be named', () => {
    expect(demoWebTransportPage('aGFzaA==')).toContain('data-hash="aGFzaA=="')
    expect(demoWebTransportPage()).toContain('data-hash=""')
  })
})
