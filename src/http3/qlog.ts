// HTTP/3 in the log of a connection (draft-ietf-quic-qlog-h3-events): frames that are made and read. Absent while
// nothing is logged. Called by H3Connection and both halves of request streams.
import type { QlogData } from '../transport/connection/index.ts'
import type { H3Settings } from './settings.ts'

/** What it needs of a connection's log. */
interface EventLog {
  write(name: string, category: 'http', data: QlogData): void
}

/** Which way a frame goes. */
export type H3FrameEvent = 'created' | 'parsed'

export class H3Log {
  readonly #log: EventLog

  constructor(log: EventLog) {
    this.#log = log
  }

  /** @param fields flat list, pseudo-header fields first */
  headers(event: H3FrameEvent, streamId: number, fields: readonly string[]): void {
    const headers: QlogData[] = []
    for (let i = 0; i < fields.length; i += 2) headers.push({ name: fields[i], value: fields[i + 1] })
    this.#frame(event, streamId, { frame_type: 'headers', headers })
  }

  /** @param length payload, bytes */
  data(event: H3FrameEvent, streamId: number, length: number): void {
    this.#frame(event, streamId, { frame_type: 'data', raw: { payload_length: length } })
  }

  /** @param id of a stream or push; those beyond 2^53 are rounded */
  goaway(event: H3FrameEvent, streamId: number, id: number): void {
    this.#frame(event, streamId, { frame_type: 'goaway', id })
  }

  /** @param id of the request that the frame speaks of; @param value the priority field's text */
  priorityUpdate(event: H3FrameEvent, streamId: number, id: number, value: string): void {
    this.#frame(event, streamId, {
      frame_type: 'priority_update',
      stream_id: id,
      priority_field_value: value,
    })
  }

  settings(event: H3FrameEvent, streamId: number, settings: H3Settings): void {
    const { qpackMaxTableCapacity, maxFieldSectionSize, qpackBlockedStreams } = settings
    const list = [{ name: 'settings_qpack_max_table_capacity', value: qpackMaxTableCapacity }]
    if (Number.isFinite(maxFieldSectionSize)) {
      list.push({ name: 'settings_max_field_section_size', value: maxFieldSectionSize })
    }
    list.push({ name: 'settings_qpack_blocked_streams', value: qpackBlockedStreams })
    if (settings.enableConnectProtocol) list.push({ name: 'settings_enable_connect_protocol', value: 1 })
    if (settings.h3Datagram) list.push({ name: 'settings_h3_datagram', value: 1 })
    this.#frame(event, streamId, { frame_type: 'settings', settings: list })
    this.#log.write('http3:parameters_set', 'http', {
      initiator: event === 'created' ? 'local' : 'remote',
      max_field_section_size: Number.isFinite(maxFieldSectionSize) ? maxFieldSectionSize : undefined,
      max_table_capacity: qpackMaxTableCapacity,
      blocked_streams_count: qpackBlockedStreams,
      extended_connect: settings.enableConnectProtocol ? 1 : 0,
      h3_datagram: settings.h3Datagram ? 1 : 0,
    })
  }

  #frame(event: H3FrameEvent, streamId: number, frame: QlogData): void {
    this.#log.write(`http3:frame_${event}`, 'http', { stream_id: streamId, frame })
  }
}
