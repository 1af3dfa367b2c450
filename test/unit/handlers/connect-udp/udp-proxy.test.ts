// CONNECT-UDP in the simulator (RFC 9298): tunnels over DATAGRAM frames and over capsules, refusals, caps, attacks.
import { describe, expect, test } from 'vitest'
import type { UdpTunnel } from '../../../../src/client/connect-udp.ts'
import type { UdpTunnelReport } from '../../../../src/handlers/connect-udp/udp-proxy.ts'
import { encodeCapsule } from '../../../../src/http3/index.ts'
import { ProxyWorld } from './fake-udp.ts'

function collect(tunnel: UdpTunnel): string[] {
  const received: string[] = []
  tunnel.listen((payload) => received.push(Buffer.from(payload).toString()))
  return received
}

describe.each([
  ['DATAGRAM frames', { maxDatagramFrameSize: 65_535 }],
  ['DATAGRAM capsules', { maxDatagramFrameSize: 0 }],
])('RFC 9298 section 5 over %s', (_how, transport) => {
  test('payloads pass both ways, and the end of either side closes the socket', async () => {
    const world = new ProxyWorld({ allow: ['echo.example:7'] }, { transport })
    world.udp.names['echo.example'] = ['198.41.0.4']
    const session = await world.connected()
    const tunnel = await world.run(session.connectUdp('echo.example', 7), 5_000)
    const received = collect(tunnel)
    tunnel.send(Buffer.from('one'))
    tunnel.send(Buffer.from(''))
    await world.pass(200)
    const [socket] = world.udp.sockets
    expect(socket!.target).toEqual({ address: '198.41.0.4', port: 7, family: 4 })
    expect(socket!.sent).toEqual(['one', ''])
    socket!.events.handleMessage(Buffer.from('back'))
    await world.pass(200)
    expect(received).toEqual(['back'])
    tunnel.close()
    await world.pass(500)
    expect(world.udp.open).toBe(0)
    expect(world.proxy.open).toBe(0)
    expect(world.status()).toMatchObject({ handlers: { live: 0 }, datagramChannels: { live: 0 } })
    await world.expectNothingLeft(session)
    expect(world.faults).toEqual([])
  })

  test('with a fifth of all packets lost the tunnel stays, and datagrams still pass', async () => {
    const link = { loss: 0.2, lossBurst: 4, jitter: 5 }
    const world = new ProxyWorld({ allow: ['*:7'] }, { transport, link, seed: 7 })
    const session = await world.connected()
    const tunnel = await world.run(session.connectUdp('8.8.8.8', 7), 30_000)
    for (let i = 0; i < 60; i++) {
      tunnel.send(Buffer.from(`${i}`))
      await world.pass(50)
    }
    await world.pass(5_000)
    const { sent } = world.udp.sockets[0]!
    expect(sent.length).toBeGreaterThan(transport.maxDatagramFrameSize > 0 ? 30 : 59)
    await world.expectNothingLeft(session)
    expect(world.udp.open).toBe(0)
  })
})

describe('refusals, with Proxy-Status (RFC 9209)', () => {
  async function refusal(world: ProxyWorld, host: string, port: number, template?: string) {
    const session = await world.connected()
    const asked = session.connectUdp(host, port, template === undefined ? {} : { template })
    const refused = await world.run(
      asked.catch((error: unknown) => error),
      30_000,
    )
    await world.pass(500)
    await world.expectNothingLeft(session)
    expect(world.udp.open).toBe(0)
    expect(world.proxy.open).toBe(0)
    const { status, headers } = refused as { status: number; headers: string[] }
    return { status, proxyStatus: headers[headers.indexOf('proxy-status') + 1] }
  }

  test('a target that is not listed is not even resolved', async () => {
    const world = new ProxyWorld({ allow: ['dns.example:53'] })
    const { status, proxyStatus } = await refusal(world, 'other.example', 53)
    expect(status).toBe(403)
    expect(proxyStatus).toContain('quactor; error=http_request_denied')
    expect(world.udp.asked).toEqual([])
  })

  test.each(['127.0.0.1', '169.254.169.254', '10.0.0.8', '::1', '::ffff:127.0.0.1', 'fe80::1'])(
    'SSRF: %s is refused although every host is allowed',
    async (host) => {
      const { status, proxyStatus } = await refusal(new ProxyWorld({ allow: () => true }), host, 53)
      expect(status).toBe(403)
      expect(proxyStatus).toContain('error=destination_ip_prohibited')
    },
  )

  test('DNS rebinding: a listed name that stands for a private address is refused', async () => {
    const world = new ProxyWorld({ allow: ['rebind.example:53'] })
    world.udp.names['rebind.example'] = ['127.0.0.1', '192.168.1.1', 'fd00::1']
    const { status, proxyStatus } = await refusal(world, 'rebind.example', 53)
    expect(status).toBe(403)
    expect(proxyStatus).toContain('error=destination_ip_prohibited')
    expect(world.udp.asked).toEqual(['rebind.example'])
  })

  test.each([
    ['unknown.example', 502, 'dns_error'],
    ['slow.example', 504, 'dns_timeout'],
  ])('%s: %i %s', async (host, status, type) => {
    const answer = await refusal(new ProxyWorld({ allow: ['*:53'] }), host, 53)
    expect(answer.status).toBe(status)
    expect(answer.proxyStatus).toContain(`error=${type}`)
  })

  test('a socket that cannot be opened: 502 destination_unavailable', async () => {
    const world = new ProxyWorld({ allow: ['*:53'] })
    world.udp.failure = new Error('ENETUNREACH "there"')
    const { status, proxyStatus } = await refusal(world, '8.8.8.8', 53)
    expect(status).toBe(502)
    expect(proxyStatus).toBe('quactor; error=destination_unavailable; details="ENETUNREACH \\"there\\""')
  })

  test('a path that names no target: 400', async () => {
    const { status } = await refusal(new ProxyWorld({ allow: ['*:53'] }), 'x', 53, '/somewhere')
    expect(status).toBe(400)
  })
})

test('an entry of addresses lets a private target through, by address and by a listed name', async () => {
  const world = new ProxyWorld({ allow: ['10.0.0.0/8:53', 'dns.internal:53'] })
  world.udp.names['dns.internal'] = ['127.0.0.1', '10.9.9.9']
  const session = await world.connected()
  await world.run(session.connectUdp('10.1.1.1', 53), 5_000)
  await world.run(session.connectUdp('dns.internal', 53), 5_000)
  expect(world.udp.sockets.map(({ target }) => target.address)).toEqual(['10.1.1.1', '10.9.9.9'])
  await world.expectNothingLeft(session)
})

test('onEnd is told about every request, once; what it throws ends nothing', async () => {
  const reports: UdpTunnelReport[] = []
  const onEnd = (report: UdpTunnelReport): void => {
    reports.push(report)
    throw new Error('planned')
  }
  const world = new ProxyWorld({ allow: ['*:53'], onEnd })
  const session = await world.connected()
  await world.run(
    session.connectUdp('8.8.8.8', 54).catch(() => {}),
    5_000,
  )
  const tunnel = await world.run(session.connectUdp('8.8.8.8', 53), 5_000)
  collect(tunnel)
  tunnel.send(Buffer.from('x'))
  await world.pass(100)
  world.udp.sockets[0]!.events.handleMessage(Buffer.from('y'))
  world.udp.sockets[0]!.events.handleMessage(new Uint8Array(2_000))
  expect(reports).toHaveLength(1)
  tunnel.close()
  await world.pass(1_000)
  expect(reports).toMatchObject([
    { refusal: 'http_request_denied', target: undefined, datagrams: { toTarget: 0 } },
    {
      refusal: undefined,
      target: { address: '8.8.8.8', port: 53 },
      datagrams: { toTarget: 1, toClient: 1, tooLarge: 1 },
    },
  ])
  expect(world.faults.map(({ kind }) => kind)).toEqual(['late', 'late'])
  expect(world.proxy.open).toBe(0)
  await world.expectNothingLeft(session)
})

describe('bounds', () => {
  test('sockets per connection and in all', async () => {
    const world = new ProxyWorld({ allow: ['*:*'], maxSocketsPerConnection: 2, maxSockets: 3 })
    const first = await world.connected()
    const second = await world.connected()
    const open = (session: typeof first) =>
      world.run(
        session.connectUdp('8.8.8.8', 53).then(
          () => 200,
          (error: { status: number }) => error.status,
        ),
        5_000,
      )
    expect([await open(first), await open(first), await open(first)]).toEqual([200, 200, 503])
    expect([await open(second), await open(second)]).toEqual([200, 503])
    first.close()
    await world.pass(2_000)
    expect(world.udp.open).toBe(1)
    expect(await open(second)).toBe(200)
    await world.expectNothingLeft(second)
    expect(world.udp.open).toBe(0)
  })

  test('a tunnel without datagrams ends after the idle time; one with datagrams does not', async () => {
    const world = new ProxyWorld(
      { allow: ['*:*'] },
      { transport: { maxDatagramFrameSize: 65_535, maxIdleTimeout: 1_000_000 } },
    )
    const session = await world.connected()
    const silent = await world.run(session.connectUdp('8.8.8.8', 53), 5_000)
    const busy = await world.run(session.connectUdp('8.8.4.4', 53), 5_000)
    collect(silent)
    collect(busy)
    for (let i = 0; i < 13; i++) {
      await world.pass(10_000)
      busy.send(Buffer.from('x'))
    }
    expect(world.udp.sockets.map(({ isOpen }) => isOpen)).toEqual([false, true])
    expect(silent.maxPayload).toBe(0)
    await world.expectNothingLeft(session)
  })

  test('RFC 9298 section 6: what does not fit into the path of the client is dropped and counted', async () => {
    const world = new ProxyWorld({ allow: ['*:*'] })
    const session = await world.connected()
    const tunnel = await world.run(session.connectUdp('8.8.8.8', 53), 5_000)
    const received = collect(tunnel)
    expect(() => tunnel.send(new Uint8Array(tunnel.maxPayload + 1))).toThrow(RangeError)
    world.udp.sockets[0]!.events.handleMessage(new Uint8Array(1_400))
    world.udp.sockets[0]!.events.handleMessage(Buffer.from('fits'))
    await world.pass(200)
    expect(received).toEqual(['fits'])
    expect(world.proxy.counters.tooLarge).toBe(1)
    await world.expectNothingLeft(session)
  })

  test('a target that sends faster than the client reads capsules loses datagrams, not memory', async () => {
    const world = new ProxyWorld({ allow: ['*:*'] }, { transport: { maxDatagramFrameSize: 0 } })
    const session = await world.connected()
    await world.run(session.connectUdp('8.8.8.8', 53), 5_000)
    for (let i = 0; i < 2_000; i++) world.udp.sockets[0]!.events.handleMessage(new Uint8Array(1_200))
    expect(world.status().buffers.sendBytes).toBeLessThan(1_000_000)
    await world.expectNothingLeft(session)
  })

  test('a full socket drops and counts', async () => {
    const world = new ProxyWorld({ allow: ['*:*'] })
    const session = await world.connected()
    const tunnel = await world.run(session.connectUdp('8.8.8.8', 53), 5_000)
    world.udp.sockets[0]!.isFull = true
    tunnel.send(Buffer.from('x'))
    await world.pass(200)
    expect(world.proxy.counters.queueFull).toBe(1)
    await world.expectNothingLeft(session)
  })
})

describe('what clients may not do', () => {
  const path = '/.well-known/masque/udp/8.8.8.8/53/'

  async function opened(transport = { maxDatagramFrameSize: 65_535 }) {
    const world = new ProxyWorld({ allow: ['*:*'] }, { transport })
    const session = await world.connected()
    const tunnel = await world.run(session.connectTunnel({ protocol: 'connect-udp', path }), 5_000)
    tunnel.stream.resume()
    return { world, session, stream: tunnel.stream }
  }

  test('RFC 9298 section 4: datagrams of unknown contexts are dropped, also in long encodings of their ID', async () => {
    const { world, session, stream } = await opened()
    for (const bytes of [
      [2, 1],
      [0x40, 1, 1],
      [0x80, 0, 1, 0],
      [0x40, 0, 0x61],
      [0xc0, 0, 0, 0, 0, 0, 0, 0, 0x62],
    ]) {
      stream.write(encodeCapsule(0, Uint8Array.from(bytes)))
    }
    await world.pass(200)
    expect(world.udp.sockets[0]!.sent).toEqual(['a', 'b'])
    expect(world.proxy.counters.unknownContext).toBe(3)
    await world.expectNothingLeft(session)
  })

  test.each([
    ['a datagram without a context ID', encodeCapsule(0, new Uint8Array(0))],
    ['a datagram with half a context ID', encodeCapsule(0, Uint8Array.of(0x40))],
    ['a payload that no UDP datagram has', encodeCapsule(0, new Uint8Array(65_529))],
  ])('%s breaks the tunnel and closes the socket', async (_what, capsule) => {
    const { world, session, stream } = await opened()
    stream.write(capsule)
    await world.pass(1_000)
    expect(stream.destroyed).toBe(true)
    expect(world.udp.open).toBe(0)
    expect(world.faults).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('RFC 9297 section 3.3: a capsule that is cut off by the end is a malformed message', async () => {
    const { world, session, stream } = await opened()
    stream.end(Uint8Array.of(0, 5, 0, 1))
    await world.pass(1_000)
    expect(world.udp.open).toBe(0)
    expect(world.udp.sockets[0]!.sent).toEqual([])
    await world.expectNothingLeft(session)
  })

  test('RFC 9297 section 3.2: unknown capsules are skipped, whatever their size; a flood of them ends the connection', async () => {
    const { world, session, stream } = await opened()
    stream.write(encodeCapsule(0x1234, new Uint8Array(200_000)))
    stream.write(encodeCapsule(0, Uint8Array.of(0, 0x61)))
    await world.pass(1_000)
    expect(world.udp.sockets[0]!.sent).toEqual(['a'])
    for (let round = 0; round < 40 && session.isUsable; round++) {
      stream.write(Buffer.concat(Array.from({ length: 200 }, () => encodeCapsule(0x1234, new Uint8Array(0)))))
      await world.pass(20)
    }
    expect(await session.closed).toMatchObject({ code: 0x107 })
    await world.pass(60_000)
    expect(world.udp.open).toBe(0)
  })

  test.each(['content-length', 'content-type'])(
    'RFC 9297 section 3.2: %s makes it malformed',
    async (name) => {
      const world = new ProxyWorld({ allow: ['*:*'] })
      const session = await world.connected()
      const headers = { [name]: name === 'content-length' ? '0' : 'text/plain' }
      const asked = session.connectTunnel({ protocol: 'connect-udp', path, headers })
      await expect(world.run(asked, 5_000)).rejects.toMatchObject({ kind: 'reset', code: 0x10e })
      expect(world.udp.sockets).toEqual([])
      await world.expectNothingLeft(session)
    },
  )

  test('a socket that fails breaks the tunnel; a client that leaves while the name is looked up leaves nothing', async () => {
    const { world, session, stream } = await opened()
    world.udp.sockets[0]!.events.handleFailure(new Error('gone'))
    await world.pass(500)
    expect(stream.destroyed).toBe(true)
    const controller = new AbortController()
    const asked = session.connectUdp('slow.example', 1, { signal: controller.signal }).catch(() => 'left')
    await world.pass(100)
    controller.abort()
    expect(await world.run(asked, 1_000)).toBe('left')
    await world.pass(10_000)
    expect(world.proxy.open).toBe(0)
    expect(world.udp.sockets).toHaveLength(1)
    await world.expectNothingLeft(session)
  })
})
