// What changes in a connection without saying so, found by comparing with what it was: recovery's numbers, the state of
// congestion control, the loss timer and the keys (draft-ietf-quic-qlog-quic-events, sections on security and recovery).
// Used by ConnectionLog, so that neither recovery nor TLS know of qlog.
import type { QuicConnection } from '../connection.ts'
import { Space } from '../packet-space.ts'
import type { QlogData } from './sink.ts'

/** Reports one event. */
export type Emit = (name: string, data: QlogData) => void

const KEY_NAMES = ['initial', 'handshake', '1rtt'] as const
const MS_TO_BITS = 8_000

/** Metrics of recovery: only what has changed is reported. */
export class RecoveryWatch {
  readonly #connection: QuicConnection
  readonly #last = new Map<string, number>()
  #phase = ''
  #timer = Number.POSITIVE_INFINITY

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  settle(emit: Emit): void {
    const changed = this.#changedMetrics()
    if (changed !== undefined) emit('recovery_metrics_updated', changed)
    const { phase } = this.#connection.recovery.congestion
    if (phase !== this.#phase) {
      emit('congestion_state_updated', { old: this.#phase === '' ? undefined : this.#phase, new: phase })
      this.#phase = phase
    }
    this.#settleTimer(emit)
  }

  #changedMetrics(): QlogData | undefined {
    const { rtt, congestion, bytesInFlight, ptoCount } = this.#connection.recovery
    let changed: Record<string, number> | undefined
    const note = (name: string, value: number): void => {
      if (!Number.isFinite(value) || this.#last.get(name) === value) return
      this.#last.set(name, value)
      changed ??= {}
      changed[name] = value
    }
    if (rtt.hasSample) {
      note('min_rtt', rtt.min)
      note('smoothed_rtt', rtt.smoothed)
      note('latest_rtt', rtt.latest)
      note('rtt_variance', rtt.variance)
    }
    note('pto_count', ptoCount)
    note('congestion_window', Math.floor(congestion.window))
    note('bytes_in_flight', bytesInFlight)
    note('ssthresh', Math.floor(congestion.ssthresh))
    if (congestion.pacingRate > 0) note('pacing_rate', Math.floor(congestion.pacingRate * MS_TO_BITS))
    return changed
  }

  #settleTimer(emit: Emit): void {
    const { recovery, now } = this.#connection
    const timer = recovery.lossDetectionTimer()
    if (timer === this.#timer) return
    const data = { timer_type: 'loss_timeout' }
    if (this.#timer <= now) emit('timer_updated', { ...data, event_type: 'expired' })
    if (timer !== Number.POSITIVE_INFINITY) {
      emit('timer_updated', { ...data, event_type: 'set', delta: Math.max(0, timer - now) })
    } else if (this.#timer > now) emit('timer_updated', { ...data, event_type: 'cancelled' })
    this.#timer = timer
  }
}

/** Keys: which exist, and in which phase. The keys themselves are for the key log. */
export class KeyWatch {
  readonly #connection: QuicConnection
  readonly #present = new Set<string>()
  #updates = 0

  constructor(connection: QuicConnection) {
    this.#connection = connection
  }

  settle(emit: Emit): void {
    const { spaces, applicationKeys, handshake, isServer } = this.#connection
    const reader = isServer ? 'client' : 'server'
    const writer = isServer ? 'server' : 'client'
    for (const { index, readKeys, writeKeys } of spaces) {
      const isApplication = index === Space.application
      const write = isApplication ? (applicationKeys?.write ?? writeKeys) : writeKeys
      this.#note(emit, `${reader}_${KEY_NAMES[index]}_secret`, readKeys !== undefined, isApplication)
      this.#note(emit, `${writer}_${KEY_NAMES[index]}_secret`, write !== undefined, isApplication)
    }
    const { early } = handshake
    const hasEarly = (isServer ? early.readKeys : early.writeKeys) !== undefined
    this.#note(emit, 'client_0rtt_secret', hasEarly, false)
    this.#settleUpdates(emit, applicationKeys?.updates ?? 0)
  }

  #note(emit: Emit, keyType: string, isPresent: boolean, hasPhase: boolean): void {
    if (this.#present.has(keyType) === isPresent) return
    if (isPresent) this.#present.add(keyType)
    else this.#present.delete(keyType)
    const phase = hasPhase ? { key_phase: this.#updates } : {}
    emit(isPresent ? 'key_updated' : 'key_discarded', { key_type: keyType, ...phase, trigger: 'tls' })
  }

  /** RFC 9001 section 6: both directions change together. */
  #settleUpdates(emit: Emit, updates: number): void {
    if (updates === this.#updates) return
    this.#updates = updates
    for (const side of ['client', 'server']) {
      emit('key_updated', { key_type: `${side}_1rtt_secret`, key_phase: updates })
    }
  }
}
