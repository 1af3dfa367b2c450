// Certificates of a running server, over real sockets: several by name, exchanged without a restart, and the client's.
import { connect as connectHttp2, type Http2Session } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { type QuactorServer, type ServeOptions, serve } from '../../../src/handlers/serve.ts'
import { issue, keyPem, type TestCertificate } from '../transport/tls/certificates.ts'

const DAY = 86_400_000
const life = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY }
const authority = issue({ subject: 'authority', isAuthority: true, ...life })

function certificateFor(...names: string[]): TestCertificate {
  return issue({ subject: names[0], issuer: authority, names, ...life })
}

function pemOf(certificate: TestCertificate): { cert: string; key: string } {
  return { cert: certificate.pem, key: keyPem(certificate) }
}

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function started(options: ServeOptions): Promise<QuactorServer> {
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    handler: (exchange) => {
      const certificate = exchange.clientCertificate
      exchange.respond(200, [], certificate === undefined ? 'nobody' : certificate.subject)
    },
    ...options,
  })
  cleanups.push(() => server.close({ timeout: 0 }))
  return server
}

/** The answer over HTTP/3 to a client that insists on a certificate for `serverName`. */
async function ask(server: QuactorServer, serverName: string, identity?: TestCertificate): Promise<string> {
  const session = await connect(`https://127.0.0.1:${server.port}`, {
    serverName,
    ca: authority.pem,
    ...(identity && pemOf(identity)),
  })
  try {
    return await (await session.request({ path: '/' })).text()
  } finally {
    session.close()
  }
}

/** The same over HTTP/2. */
async function askTcp(
  server: QuactorServer,
  servername: string,
  identity?: TestCertificate,
): Promise<string> {
  const session: Http2Session = connectHttp2(`https://127.0.0.1:${server.port}`, {
    servername,
    ca: authority.pem,
    ...(identity && pemOf(identity)),
  })
  try {
    return await new Promise<string>((resolve, reject) => {
      session.on('error', reject)
      const chunks: Buffer[] = []
      const stream = (session as ReturnType<typeof connectHttp2>).request({ ':path': '/' })
      stream.on('error', reject)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('close', () => reject(new Error('no response')))
      stream.on('response', () => stream.on('end', () => resolve(Buffer.concat(chunks).toString())))
    })
  } finally {
    session.destroy()
  }
}

test('each name gets the certificate that is for it, over HTTP/3 and TCP (RFC 6066 section 3)', async () => {
  const server = await started({
    tls: [pemOf(certificateFor('one.example')), pemOf(certificateFor('two.example', '*.two.example'))],
  })
  for (const name of ['one.example', 'two.example', 'deep.two.example']) {
    expect(await ask(server, name)).toBe('nobody')
    expect(await askTcp(server, name)).toBe('nobody')
  }
  await expect(ask(server, 'three.example')).rejects.toThrow()
})

test('certificates are exchanged while the server runs; open connections stay', async () => {
  const server = await started({ tls: pemOf(certificateFor('old.example')) })
  const session = await connect(`https://127.0.0.1:${server.port}`, {
    serverName: 'old.example',
    ca: authority.pem,
  })
  cleanups.push(() => session.close())
  server.replaceCertificates(pemOf(certificateFor('new.example')))
  expect(await ask(server, 'new.example')).toBe('nobody')
  expect(await askTcp(server, 'new.example')).toBe('nobody')
  await expect(ask(server, 'old.example')).rejects.toThrow()
  expect(await (await session.request({ path: '/' })).text()).toBe('nobody')
})

test('what cannot be used is refused, and the old certificate stays', async () => {
  const server = await started({ tls: pemOf(certificateFor('old.example')) })
  const { cert } = pemOf(certificateFor('new.example'))
  const { key } = pemOf(certificateFor('other.example'))
  expect(() => server.replaceCertificates({ cert, key })).toThrow(/does not belong/)
  expect(() => server.replaceCertificates([])).toThrow(RangeError)
  expect(await ask(server, 'old.example')).toBe('nobody')
})

test('the handler sees the certificate of a client that has one (RFC 8446 section 4.3.2)', async () => {
  const server = await started({
    tls: pemOf(certificateFor('server.example')),
    clientCertificates: { ca: authority.pem },
  })
  const client = certificateFor('client.example')
  expect(await ask(server, 'server.example', client)).toContain('client.example')
  expect(await askTcp(server, 'server.example', client)).toContain('client.example')
  expect(await ask(server, 'server.example')).toBe('nobody')
  expect(await askTcp(server, 'server.example')).toBe('nobody')
})

test('without a certificate, or with one of another authority, nobody comes in where it is required', async () => {
  const server = await started({
    tls: pemOf(certificateFor('server.example')),
    clientCertificates: { ca: authority.pem, require: true },
  })
  const stranger = issue({ subject: 'stranger', names: ['x.example'], ...life })
  expect(await ask(server, 'server.example', certificateFor('client.example'))).toContain('client.example')
  for (const identity of [undefined, stranger]) {
    await expect(ask(server, 'server.example', identity)).rejects.toThrow()
    await expect(askTcp(server, 'server.example', identity)).rejects.toThrow()
  }
  expect(server.status().handlers.live).toBe(0)
})
