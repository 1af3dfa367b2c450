// Transport parameters: RFC 9000 section 18, RFC 9221 section 3, RFC 9368.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeTransportParameters,
  defaultTransportParameters,
  encodeTransportParameters,
  greaseParameter,
  TransportErrorCode,
  type TransportParameters,
} from '../../../../src/transport/wire/index.ts'
import { errorCodeOf, fromHex } from './bytes.ts'

const TPE = TransportErrorCode.TRANSPORT_PARAMETER_ERROR
const exact = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const cid = fc.uint8Array({ maxLength: 20 })
const bigNumber = fc.maxSafeNat()

const parameters: fc.Arbitrary<TransportParameters> = fc.record({
  originalDestinationConnectionId: fc.option(cid, { nil: undefined }),
  maxIdleTimeout: bigNumber,
  statelessResetToken: fc.option(exact(16), { nil: undefined }),
  maxUdpPayloadSize: fc.integer({ min: 1200, max: 2 ** 40 }),
  initialMaxData: bigNumber,
  initialMaxStreamDataBidiLocal: bigNumber,
  initialMaxStreamDataBidiRemote: bigNumber,
  initialMaxStreamDataUni: bigNumber,
  initialMaxStreamsBidi: bigNumber,
  initialMaxStreamsUni: bigNumber,
  ackDelayExponent: fc.nat(20),
  maxAckDelay: fc.nat(2 ** 14 - 1),
  disableActiveMigration: fc.boolean(),
  preferredAddress: fc.option(
    fc.record({
      ipv4: exact(4),
      ipv4Port: fc.nat(65535),
      ipv6: exact(16),
      ipv6Port: fc.nat(65535),
      connectionId: fc.uint8Array({ minLength: 1, maxLength: 20 }),
      statelessResetToken: exact(16),
    }),
    { nil: undefined },
  ),
  activeConnectionIdLimit: fc.integer({ min: 2, max: 1000 }),
  initialSourceConnectionId: fc.option(cid, { nil: undefined }),
  retrySourceConnectionId: fc.option(cid, { nil: undefined }),
  maxDatagramFrameSize: fc.nat(70_000),
  minAckDelay: fc.constantFrom(-1, 0),
  versionInformation: fc.option(fc.constant({ chosen: 1, available: [1, 0x6b3343cf] }), { nil: undefined }),
  greaseQuicBit: fc.boolean(),
  resetStreamAt: fc.boolean(),
  grease: fc.constant(undefined),
})

describe('transport parameters, RFC 9000 section 18', () => {
  it('all parameters of a server survive a round trip', () => {
    fc.assert(
      fc.property(parameters, (sent) => {
        const plain = JSON.stringify(
          decodeTransportParameters(encodeTransportParameters(sent, 'server'), 'server'),
        )
        expect(plain).toBe(JSON.stringify(sent))
      }),
    )
  })

  it('a client never encodes what only servers may send', () => {
    fc.assert(
      fc.property(parameters, (sent) => {
        const received = decodeTransportParameters(encodeTransportParameters(sent, 'client'), 'client')
        expect(received.initialMaxData).toBe(sent.initialMaxData)
        expect(received.originalDestinationConnectionId).toBeUndefined()
        expect(received.retrySourceConnectionId).toBeUndefined()
        expect(received.statelessResetToken).toBeUndefined()
        expect(received.preferredAddress).toBeUndefined()
      }),
    )
  })

  it('section 18.2: absent parameters have their defaults, and defaults are not sent', () => {
    expect(encodeTransportParameters(defaultTransportParameters(), 'client')).toHaveLength(0)
    expect(decodeTransportParameters(new Uint8Array(0), 'client')).toEqual(defaultTransportParameters())
  })

  it('section 18.2: server-only parameters of a client are TRANSPORT_PARAMETER_ERROR', () => {
    const address = `${'00'.repeat(24)}01aa${'11'.repeat(16)}`
    for (const hex of ['000144', `0210${'22'.repeat(16)}`, '100144', `0d2a${address}`]) {
      expect(errorCodeOf(() => decodeTransportParameters(fromHex(hex), 'client'))).toBe(TPE)
      expect(errorCodeOf(() => decodeTransportParameters(fromHex(hex), 'server'))).toBeUndefined()
    }
  })

  it('section 18.2: values out of range are TRANSPORT_PARAMETER_ERROR', () => {
    const cases: [string, string][] = [
      ['030244af', '030244b0'], // max_udp_payload_size 1199, 1200
      ['0a0115', '0a0114'], // ack_delay_exponent 21, 20
      ['0b0480004000', '0b027fff'], // max_ack_delay 2^14, 2^14-1
      ['0e0101', '0e0102'], // active_connection_id_limit 1, 2
      ['0808d000000000000001', '0808d000000000000000'], // initial_max_streams_bidi 2^60+1, 2^60
      ['0908d000000000000001', '0908d000000000000000'],
      [`0f15${'00'.repeat(21)}`, `0f14${'00'.repeat(20)}`], // connection ID of 21 and 20 bytes
      ['0c0100', '0c00'], // disable_active_migration has no value
      ['1d0100', '1d00'], // reset_stream_at has no value (its draft, section 3)
      ['04020001', '040101'], // initial_max_data with a byte too many
      ['0401', '040100'], // cut short
    ]
    for (const [wrong, right] of cases) {
      expect(
        errorCodeOf(() => decodeTransportParameters(fromHex(wrong), 'client')),
        wrong,
      ).toBe(TPE)
      expect(
        errorCodeOf(() => decodeTransportParameters(fromHex(right), 'client')),
        right,
      ).toBeUndefined()
    }
  })

  it('section 18.2: a preferred address without connection ID, a reset token of 15 bytes', () => {
    const empty = `0d29${'00'.repeat(24)}00${'11'.repeat(16)}`
    expect(errorCodeOf(() => decodeTransportParameters(fromHex(empty), 'server'))).toBe(TPE)
    const short = `020f${'11'.repeat(15)}`
    expect(errorCodeOf(() => decodeTransportParameters(fromHex(short), 'server'))).toBe(TPE)
  })

  it('section 7.4: a parameter given twice is TRANSPORT_PARAMETER_ERROR, an unknown one is skipped', () => {
    expect(errorCodeOf(() => decodeTransportParameters(fromHex('040105040105'), 'client'))).toBe(TPE)
    expect(errorCodeOf(() => decodeTransportParameters(fromHex('7fff017fff'), 'client'))).toBe(TPE)
    expect(decodeTransportParameters(fromHex('7fff0199040105'), 'client').initialMaxData).toBe(5)
    const twoGiants = `${'ff'.repeat(8)}00${'fe'.repeat(8)}00`
    expect(errorCodeOf(() => decodeTransportParameters(fromHex(twoGiants), 'client'))).toBeUndefined()
  })

  it('more parameters than anybody sends are TRANSPORT_PARAMETER_ERROR', () => {
    let hex = ''
    for (let id = 0x100; id < 0x100 + 129; id++) hex += `4${id.toString(16).padStart(3, '0')}00`
    expect(errorCodeOf(() => decodeTransportParameters(fromHex(hex), 'client'))).toBe(TPE)
    expect(errorCodeOf(() => decodeTransportParameters(fromHex(hex.slice(6)), 'client'))).toBeUndefined()
  })

  it('RFC 9368 section 4: version information with 0, ragged, or without the chosen version of a client', () => {
    const make = (value: string) => fromHex(`11${(value.length / 2).toString(16).padStart(2, '0')}${value}`)
    for (const value of ['', '000000', '0000000000000001', '0000000100000000', '000000016b3343cf']) {
      expect(
        errorCodeOf(() => decodeTransportParameters(make(value), 'client')),
        value,
      ).toBe(TPE)
    }
    expect(decodeTransportParameters(make('000000016b3343cf'), 'server').versionInformation).toEqual({
      chosen: 1,
      available: [0x6b3343cf],
    })
  })

  it('section 18.1: a reserved parameter is sent and ignored', () => {
    const grease = greaseParameter(fromHex('0102aabb'))
    expect((grease.id - 27) % 31).toBe(0)
    const bytes = encodeTransportParameters({ ...defaultTransportParameters(), grease }, 'client')
    expect(bytes.length).toBeGreaterThan(grease.value.length)
    expect(decodeTransportParameters(bytes, 'client')).toEqual(defaultTransportParameters())
  })
})
