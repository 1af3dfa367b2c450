// Single endpoints for tests that play the other side by hand.
import {
  Alert,
  type ClientTlsConfig,
  type ServerTlsConfig,
  TlsClient,
  type TlsOutput,
  TlsServer,
} from '../../../../src/transport/tls/index.ts'
import {
  backends,
  CLIENT_PARAMETERS,
  defaultIdentity,
  RecordingOutput,
  RecordingOwner,
  SERVER_PARAMETERS,
  seededEntropy,
} from './loopback.ts'

export { codeOf } from './loopback.ts'

/** Alerts as connection errors, RFC 9001 section 4.8. */
export const CryptoAlert = Object.fromEntries(
  Object.entries(Alert).map(([name, alert]) => [name, 0x100 + alert]),
) as Record<keyof typeof Alert, number>

export function newServer(config: Partial<ServerTlsConfig> = {}) {
  const output = new RecordingOutput()
  const owner = new RecordingOwner()
  const full = {
    alpn: ['h3'],
    backends,
    identities: [defaultIdentity],
    quicTransportParameters: SERVER_PARAMETERS,
    ...config,
  }
  return { server: new TlsServer(full, output as TlsOutput, seededEntropy(5), owner), output, owner }
}

/** A client that has sent its ClientHello. */
export function newClient(config: Partial<ClientTlsConfig> = {}) {
  const output = new RecordingOutput()
  const owner = new RecordingOwner()
  const full = {
    alpn: ['h3'],
    backends,
    serverName: 'server.test',
    quicTransportParameters: CLIENT_PARAMETERS,
    verifyCertificate: false,
    groups: [0x001d, 0x0017],
    ...config,
  }
  const client = new TlsClient(full, output as TlsOutput, seededEntropy(6), owner)
  client.start(0)
  return { client, output, owner }
}

/** Types of the messages sent, in order. */
export function sentBy(output: RecordingOutput): number[] {
  return output.sent.map(({ bytes }) => bytes[0])
}
