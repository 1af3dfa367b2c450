// The paths of a connection and the moves between them: connection migration (RFC 9000 sections 8.2 and 9). Called by
// QuicConnection, by the receiver for each 1-RTT packet, and by the handlers of PATH_CHALLENGE and PATH_RESPONSE.
//
//   datagram from an unknown address --authentic, newest, not only probing--> it becomes the active path
//        |                                                                    |
//        | PATH_CHALLENGE                                       challenge to it and to the path that was left
//        v                                                       |                                  |
//   a path that is answered                        response: validated, congestion    three PTOs: back to the last
//                                                  control begins anew                validated path
//
// A datagram from an unknown address leaves nothing behind until one of its packets has been opened.
import { type ActorOwner, ConnectionPhase, type LifeActor, PathEvent } from '../../machines/index.ts'
import type { QuicConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import type { RemoteAddress } from './datagram-batch.ts'
import { CLOSE_PTO_COUNT, INITIAL_PROBE_TIMEOUT, MAX_PATHS } from './limits.ts'
import { Space } from './packet-space.ts'
import { Path } from './path.ts'
import { beginNetworkPath } from './path-control.ts'
import { TimerKind } from './timers.ts'

/** Told whether a move that we asked for has succeeded. */
export type MoveWatcher = (isMoved: boolean) => void

export class Paths implements ActorOwner {
  /** Those that are not final, at most MAX_PATHS. */
  list: Path[] = []
  /** Where packets go. */
  active: Path
  /** The peer's address as far as it is proved; the handlers see no other. */
  provedRemote: RemoteAddress
  readonly counters = { migrations: 0, failedValidations: 0, refused: 0 }
  readonly #connection: QuicConnection
  readonly #owner: ActorOwner
  readonly #options: ConnectionOptions
  /** Path of the datagram at hand; undefined while it comes from an unknown address. */
  #arrival: Path | undefined
  #unknown: { remote: RemoteAddress; local: object | undefined; bytes: number } | undefined
  #arrivalKey = -1
  /** The validated path that was left for one that is not validated. */
  #fallback: Path | undefined
  /** First packet number that was sent to the active path. */
  #firstNumber = 0
  /** The path that recovery, congestion control and path MTU discovery have measured. */
  #measured: Path
  #target: Path | undefined
  #watcher: MoveWatcher | undefined

  constructor(connection: QuicConnection, options: ConnectionOptions) {
    this.#connection = connection
    this.#owner = options.owner
    this.#options = options
    this.active = new Path(options.remote, options.local, this)
    this.#measured = this.active
    this.provedRemote = options.remote
    this.list.push(this.active)
    // A client need not validate the server's address: it chose it.
    if (options.role === 'client' || options.isAddressValidated === true) this.handleAddressProved()
  }

  // --- Owner of the paths' actors ---

  get time(): number {
    return this.#owner.time
  }

  get inspector(): ActorOwner['inspector'] {
    return this.#owner.inspector
  }

  get inspection(): ActorOwner['inspection'] {
    return this.#owner.inspection
  }

  handleFinal(actor: LifeActor): void {
    this.list = this.list.filter((path) => path.actor !== actor)
  }

  handleMissed(actor: LifeActor, state: number, event: number): void {
    this.#owner.handleMissed(actor, state, event)
  }

  // --- Arrival ---

  /**
   * A datagram has come in.
   * @returns whether it may be looked at
   */
  handleArrival(remote: RemoteAddress, local: object | undefined, bytes: number): boolean {
    const { active } = this
    this.#unknown = undefined
    const known = active.isBetween(remote, local) ? active : this.#find(remote, local)
    this.#arrival = known
    if (known !== undefined) {
      known.bytesReceived += bytes
      return true
    }
    // RFC 9000 section 9: before the handshake is confirmed nobody moves, and "If a client receives packets from an
    // unknown server address, the client MUST discard these packets."
    const { isServer, actor } = this.#connection
    if (!isServer || actor.phase !== ConnectionPhase.confirmed) return false
    this.#unknown = { remote, local, bytes }
    return true
  }

  #find(remote: RemoteAddress, local: object | undefined): Path | undefined {
    return this.list.find((path) => path.isBetween(remote, local))
  }

  /** A 1-RTT packet has been opened; its frames follow. @param key of the connection ID that it was sent to */
  beginPacket(key: number): void {
    this.#arrivalKey = key
    if (this.#arrival !== undefined) this.#arrival.localKey = key
  }

  /**
   * The frames of a 1-RTT packet have been processed.
   * @param isNewest it has the highest packet number so far
   */
  endPacket(isNewest: boolean, isProbing: boolean): void {
    // RFC 9000 section 9.3: "An endpoint only changes the address to which it sends packets in response to the
    // highest-numbered non-probing packet."
    if (this.#arrival === this.active || isProbing || !isNewest) return
    if (!this.#connection.isServer || this.#connection.isEnding) return
    const path = this.#arrival ?? this.#adopt()
    if (path !== undefined) this.#follow(path)
  }

  /** The unknown address becomes a path. Undefined when no connection ID is left for it. */
  #adopt(): Path | undefined {
    const unknown = this.#unknown
    if (unknown === undefined) return undefined
    const { peerIds } = this.#connection
    // Section 9.5: a NAT that forgot its mapping changes the address without the peer's knowledge, and the peer goes on
    // with the same connection ID; so do we. Otherwise each path has an ID of its own, and without one there is none.
    const isSameId = this.#arrivalKey === this.active.localKey
    const destination = isSameId ? peerIds.currentId : peerIds.takeSpare()
    if (destination === undefined) {
      this.counters.refused++
      return undefined
    }
    this.#makeRoom()
    const path = new Path(unknown.remote, unknown.local, this)
    path.bytesReceived = unknown.bytes
    path.destination = destination
    path.localKey = this.#arrivalKey
    this.list.push(path)
    this.#arrival = path
    this.#unknown = undefined
    return path
  }

  /** The oldest path that is not validated goes, or else the oldest that is not in use. */
  #makeRoom(): void {
    if (this.list.length < MAX_PATHS) return
    const spare = this.list.filter((path) => path !== this.active && path !== this.#fallback)
    this.#drop(spare.find((path) => !path.isValidated) ?? spare[0])
  }

  // --- Validation ---

  /** PATH_CHALLENGE. The peer may be about to move: its address is validated in the same round trip (section 8.2). */
  handleChallenge(data: Uint8Array): void {
    const path = this.#arrival ?? this.#adopt()
    if (path === undefined) return
    path.queueResponse(data)
    if (!path.isValidated) this.#validate(path)
    this.#connection.wake()
  }

  /** PATH_RESPONSE, on whichever path it came (section 8.2.3). */
  handleResponse(data: Uint8Array): void {
    for (const path of this.list) {
      const challenge = path.findChallenge(data)
      if (challenge === undefined) continue
      path.actor.raise(PathEvent.recvPathResponse)
      path.stopValidation()
      // Section 8.2.1: the size of the datagram was limited, so "the endpoint MUST perform a second path validation by
      // sending a PATH_CHALLENGE frame in a datagram of at least 1200 bytes."
      if (challenge.isShort) this.#validate(path)
      if (path === this.active) this.#settleMove()
      else if (path === this.#target) this.#moveToTarget(path)
      break
    }
    this.#arm()
    this.#connection.wake()
  }

  /** The handshake or a token has proved the address (section 8.1). */
  handleAddressProved(): void {
    if (!this.active.isValidated) this.active.actor.raise(PathEvent.addressProved)
  }

  #validate(path: Path): void {
    if (path.isBeingValidated) return
    const { now, recovery } = this.#connection
    path.actor.raise(PathEvent.validationStart)
    const timeout = recovery.ptoInterval(Space.application)
    path.isChallengeDue = true
    path.interval = timeout
    path.nextChallenge = now + timeout
    // Section 8.2.4: "a value of three times the larger of the current PTO or the PTO for the new path (using
    // kInitialRtt ...) is RECOMMENDED."
    path.deadline = now + CLOSE_PTO_COUNT * Math.max(timeout, INITIAL_PROBE_TIMEOUT)
    this.#arm()
  }

  handleTimeout(now: number): void {
    for (const path of [...this.list]) {
      if (path.expiry <= now) this.#expire(path)
      else if (path.deadline <= now) this.#fail(path)
      else if (path.nextChallenge <= now) {
        path.isChallengeDue = true
        path.interval *= 2
        path.nextChallenge = now + path.interval
      }
    }
    this.#arm()
  }

  #expire(path: Path): void {
    this.#drop(path)
    const { isServer, localIds } = this.#connection
    // Section 9.5: a client that has moved for good has the server forget all IDs that could be seen where it was.
    if (!isServer && this.list.length === 1) localIds.rotate()
  }

  #arm(): void {
    let next = Number.POSITIVE_INFINITY
    for (const path of this.list) next = Math.min(next, path.nextTimeout)
    this.#connection.timers.set(TimerKind.path, next)
  }

  #fail(path: Path): void {
    this.counters.failedValidations++
    path.stopValidation()
    path.actor.raise(PathEvent.timeoutValidation)
    if (path === this.#target) this.#settleTarget(false)
    // The last validated path stays, silent or not: there is nothing else to come back to.
    if (path === this.#fallback) return
    if (path !== this.active) {
      this.#drop(path)
      return
    }
    const fallback = this.#findFallback()
    if (fallback !== undefined) this.#fallBack(path, fallback)
    // Section 9.3.2: without a validated path the connection is discarded in silence.
    else if (!path.isValidated) this.#connection.abandon('noViablePath', 'no path is validated')
  }

  #findFallback(): Path | undefined {
    const others = this.list.filter((path) => path !== this.active && path.isValidated)
    return others.find((path) => path === this.#fallback) ?? others[0]
  }

  // --- Moves ---

  /** The peer sends from another address: so do we send to it (section 9.3). */
  #follow(path: Path): void {
    const left = this.active
    const { isValidated } = path
    if (left.isValidated) this.#fallback = left
    this.#activate(path)
    path.expiry = Number.POSITIVE_INFINITY
    if (isValidated) {
      this.#settleMove()
      return
    }
    this.#validate(path)
    // Section 9.3.3: "the endpoint MUST validate the previously active path using a PATH_CHALLENGE frame."
    if (left.isValidated) this.#validate(left)
  }

  #activate(path: Path): void {
    const { peerIds, recovery, now } = this.#connection
    const left = this.active
    left.destination = peerIds.currentId
    // What went to an address that was never proved says nothing about the path that it comes back to.
    if (!left.isValidated) recovery.disown(this.#firstNumber)
    this.active = path
    if (path.destination !== undefined) peerIds.use(path.destination)
    this.#firstNumber = recovery.nextPacketNumber(Space.application)
    recovery.setAntiAmplificationBlocked(!path.canSend, now)
    this.#connection.wake()
  }

  /** The active path is validated: it stands for good. */
  #settleMove(): void {
    const connection = this.#connection
    const { active } = this
    connection.recovery.setAntiAmplificationBlocked(false, connection.now)
    this.provedRemote = active.remote
    this.#fallback = undefined
    if (active === this.#measured) return
    this.counters.migrations++
    // Section 9.4: "an endpoint MUST immediately reset the congestion controller and round-trip time estimator for the
    // new path to initial values ... unless the only change in the peer's address is its port number."
    const isSameNetwork =
      active.remote.address === this.#measured.remote.address && active.local === this.#measured.local
    if (isSameNetwork) active.maxDatagramSize = this.#measured.maxDatagramSize
    else beginNetworkPath(connection, this.#options)
    this.#measured = active
    // What is still under way on the other paths arrives within three PTOs.
    const period = CLOSE_PTO_COUNT * connection.recovery.ptoInterval(Space.application)
    for (const path of this.list) if (path !== active) path.expiry = connection.now + period
    this.#arm()
  }

  /** Section 9.3.2: the move was not the peer's, or did not succeed. */
  #fallBack(failed: Path, fallback: Path): void {
    this.#activate(fallback)
    this.#drop(failed)
    this.#settleMove()
  }

  #drop(path: Path | undefined): void {
    if (path === undefined) return
    path.stopValidation()
    if (this.list.includes(path)) path.actor.raise(PathEvent.abandon)
    if (path === this.#target) this.#settleTarget(false)
    this.#retireId(path)
  }

  /** Section 9.5: an ID goes with its path, unless another path goes on with it. */
  #retireId({ destination }: Path): void {
    const { peerIds } = this.#connection
    if (destination === undefined || destination === peerIds.currentId) return
    if (!this.list.some((path) => path.destination === destination)) peerIds.retire(destination)
  }

  /** The peer has withdrawn IDs: paths go on with others (section 5.1.2). */
  handleIdsRetired(): void {
    const { peerIds } = this.#connection
    for (const path of this.list) {
      if (path === this.active) path.destination = peerIds.currentId
      else if (path.destination?.isRetired) path.destination = peerIds.takeSpare()
    }
  }

  // --- Moves of our own, client only ---

  /**
   * Probes another path, and moves there when it is validated (section 9.2).
   * @param sequence of the peer's connection ID for it; a spare one when absent
   * @param watcher called once when the move has succeeded or failed, unless false is returned
   * @returns false when it cannot be tried: the server forbids it, or there is no connection ID for it
   */
  move(local: object | undefined, remote: RemoteAddress, watcher: MoveWatcher, sequence?: number): boolean {
    const { actor, peerIds, isServer, handshake } = this.#connection
    // Section 18.2: disable_active_migration binds until the client uses the preferred address.
    if (sequence === undefined && handshake.peer?.disableActiveMigration === true) return false
    if (isServer || actor.phase !== ConnectionPhase.confirmed || this.#target !== undefined) return false
    if (this.#find(remote, local) !== undefined) return false
    const destination = peerIds.takeSpare(sequence)
    if (destination === undefined) return false
    this.#makeRoom()
    const path = new Path(remote, local, this)
    path.destination = destination
    // The client chose the address: it is under no limit (section 8.1 binds servers and migrated peers).
    path.bytesReceived = Number.MAX_SAFE_INTEGER
    this.list.push(path)
    this.#target = path
    this.#watcher = watcher
    this.#validate(path)
    this.#connection.wake()
    return true
  }

  #moveToTarget(path: Path): void {
    this.#activate(path)
    this.#settleMove()
    // A non-probing packet tells the server (section 9.2).
    this.#connection.control.queuePing()
    this.#settleTarget(true)
  }

  #settleTarget(isMoved: boolean): void {
    const watcher = this.#watcher
    this.#target = undefined
    this.#watcher = undefined
    watcher?.(isMoved)
  }

  /** The connection is over. */
  discard(): void {
    for (const path of [...this.list]) path.actor.raise(PathEvent.abandon)
    if (this.#target !== undefined) this.#settleTarget(false)
  }
}
