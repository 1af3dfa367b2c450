// Which QUIC version a connection uses, and how its ends came to it: the version of the first packet, compatible
// negotiation in the same handshake, and what a client must check that has reacted to a Version Negotiation packet
// (RFC 9368; RFC 9369 section 4). A part of QuicConnection.
//
//   client                              server
//   Initial, original version  ->       version_information: [v2, v1], chosen v1
//                                       prefers v2: Initial keys of v2 beside those of v1
//         <-  Initial, Handshake, 1-RTT in v2; version_information: chosen v2
//   opened with the keys of v2: that is the negotiated version
import { type BackendSet, initialKeys, type PacketKeys } from '../crypto/index.ts'
import {
  type PacketHeader,
  PacketType,
  QUIC_VERSION_1,
  QUIC_VERSION_2,
  QuicError,
  TransportErrorCode,
  type VersionInformation,
} from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { Space } from './packet-space.ts'

/** Versions that we speak, in the order in which we prefer them where nothing else is said. */
export const QUIC_VERSIONS: readonly number[] = [QUIC_VERSION_1, QUIC_VERSION_2]

/** Names for people: QUIC version 1 (RFC 9000) and 2 (RFC 9369). */
export type QuicVersionName = 'v1' | 'v2'

const BY_NAME: ReadonlyMap<string, number> = new Map([
  ['v1', QUIC_VERSION_1],
  ['v2', QUIC_VERSION_2],
])

/**
 * The numbers of named versions.
 * @throws RangeError for an empty list, an unknown name, or one that is there twice
 */
export function versionsNamed(names: readonly string[]): number[] {
  const versions = names.map((name) => BY_NAME.get(name) ?? 0)
  if (versions.length === 0 || versions.includes(0) || new Set(versions).size < versions.length) {
    throw new RangeError(
      `QUIC versions are a list of v1 and v2 in order of preference, not "${names.join()}"`,
    )
  }
  return versions
}

/**
 * The version that a client takes from a Version Negotiation packet (RFC 9368 section 2.1).
 * @param ours in order of preference
 * @returns undefined when there is none in common
 */
export function selectVersion(ours: readonly number[], theirs: readonly number[]): number | undefined {
  return ours.find((version) => theirs.includes(version))
}

export class Versions {
  /** Version of the first packet. */
  readonly original: number
  /** In order of preference. */
  readonly supported: readonly number[]
  /** The negotiated version, as far as it is known. */
  current: number
  /** Client: the versions of the Version Negotiation packet that ended this connection. */
  offered: readonly number[] | undefined
  readonly #backends: BackendSet
  /** Server without an order of its own: that of the client counts. */
  readonly #leavesChoice: boolean
  /** Client: this connection reacts to a Version Negotiation packet, and to no other one. */
  readonly isReaction: boolean
  /** Initial keys of the version that is not the current one. */
  #otherInitial: PacketKeys | undefined

  constructor({ version, versions, backends, afterVersionNegotiation }: ConnectionOptions) {
    const supported = versions ?? QUIC_VERSIONS
    this.original = version
    this.current = version
    this.supported = supported.includes(version) ? supported : [version, ...supported]
    this.#leavesChoice = versions === undefined
    this.#backends = backends
    this.isReaction = afterVersionNegotiation === true
  }

  /** What goes into our transport parameters. */
  get information(): VersionInformation {
    return { chosen: this.current, available: [...this.supported] }
  }

  /** Whether a long header may have its version now: RFC 9369 section 4.1. */
  accepts({ type, version }: PacketHeader, connection: QuicConnection): boolean {
    if (type === PacketType.zeroRtt) return version === this.original
    if (version === this.current) return true
    if (type === PacketType.initial && version === this.original) return true
    // A client learns the negotiated version from the first packet that has it.
    return this.#mayLearn(connection) && this.supported.includes(version)
  }

  #mayLearn({ isServer, spaces }: QuicConnection): boolean {
    return !isServer && spaces[Space.handshake].readKeys === undefined && this.current === this.original
  }

  /** Keys that open an Initial or Handshake packet of this version; undefined while there are none. */
  readKeys(connection: QuicConnection, index: number, version: number): PacketKeys | undefined {
    const { readKeys } = connection.spaces[index]
    if (version === this.current || index === Space.application) return readKeys
    if (index !== Space.initial) return undefined
    if (this.#otherInitial === undefined && this.#mayLearn(connection)) {
      this.#otherInitial = this.#initialKeys(connection, version).server
    }
    return this.#otherInitial
  }

  #initialKeys({ retry, originalDestinationConnectionId }: QuicConnection, version: number) {
    const id = retry.sourceConnectionId ?? originalDestinationConnectionId
    return initialKeys(this.#backends, version, id)
  }

  /** An Initial packet was opened. For a client another version than its own is the negotiated one. */
  handleInitialOpened(connection: QuicConnection, version: number): void {
    if (version !== this.current && this.#mayLearn(connection)) this.#switch(connection, version)
  }

  #switch(connection: QuicConnection, version: number): void {
    // "The server MUST NOT discard its original version Initial receive keys until it successfully processes a
    // Handshake packet with the negotiated version": they go with the Initial space.
    this.#otherInitial = connection.spaces[Space.initial].readKeys
    this.current = version
    connection.retry.installInitialKeys(connection)
  }

  /**
   * The peer's version_information, or its absence, has arrived in its transport parameters.
   * @returns whether a server goes on in another version
   * @throws QuicError VERSION_NEGOTIATION_ERROR
   */
  handlePeerInformation(connection: QuicConnection, peer: VersionInformation | undefined): boolean {
    if (connection.isServer) return peer !== undefined && this.#chooseAtServer(connection, peer)
    this.#checkServer(peer)
    return false
  }

  #chooseAtServer(connection: QuicConnection, { chosen, available }: VersionInformation): boolean {
    // RFC 9368 section 4: "the server MUST validate that the client's Chosen Version matches the version in use".
    if (chosen !== this.original) throw versionError('chosen version is not that of the packets')
    const { supported } = this
    const wanted = this.#leavesChoice
      ? selectVersion(available, supported)
      : selectVersion(supported, available)
    if (wanted === undefined || wanted === chosen) return false
    this.#switch(connection, wanted)
    return true
  }

  #checkServer(peer: VersionInformation | undefined): void {
    if (peer === undefined) {
      // "Clients MUST NOT complete the handshake if they are reacting to a Version Negotiation packet and the
      // Version Information is missing".
      if (this.isReaction || this.current !== this.original) throw versionError('no version information')
      return
    }
    // "clients MUST validate that the server's Chosen Version is equal to the Negotiated Version"
    if (peer.chosen !== this.current) throw versionError('chosen version is not the negotiated one')
    if (!this.isReaction) return
    // "The Available Versions field is validated by confirming that the client would have attempted the same version
    // with knowledge of the versions the server supports": a forged Version Negotiation packet hides some.
    const { available } = peer
    const attempted = selectVersion(this.supported, [...available, this.current])
    if (available.length === 0 || attempted !== this.original) throw versionError('version downgrade')
  }
}

function versionError(reason: string): QuicError {
  return new QuicError(TransportErrorCode.VERSION_NEGOTIATION_ERROR, reason)
}
