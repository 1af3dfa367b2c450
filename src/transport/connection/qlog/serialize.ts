// Text of a qlog file: JSON text sequences (draft-ietf-quic-qlog-main-schema, "QlogFileSeq"; RFC 7464). Used by the
// writer in transport/io and by tests.
//
// Two fields more than the drafts ask for, which allow custom ones: `qlog_version` and `qlog_format` in the head, and
// `category` in each event. By them qvis, which reads qlog 0.3, opens the file as it is.
import { toHex } from '../../wire/index.ts'
import type { QlogCategory, QlogData, QlogTrace } from './sink.ts'

const RECORD_SEPARATOR = '\u001e'

/** Drafts that the events follow; the final names are for implementations of the RFCs only. */
export const QLOG_EVENT_SCHEMAS = [
  'urn:ietf:params:qlog:events:quic-13',
  'urn:ietf:params:qlog:events:http3-13',
  'urn:ietf:params:qlog:events:loglevel-14',
] as const

/**
 * First record of a file.
 * @param wallClock date and time of the first event (RFC 3339), when that is known
 */
export function qlogHeadText(trace: QlogTrace, wallClock?: string): string {
  const group = toHex(trace.originalDestinationConnectionId)
  return record({
    file_schema: 'urn:ietf:params:qlog:file:sequential',
    serialization_format: 'application/qlog+json-seq',
    qlog_version: '0.3',
    qlog_format: 'JSON-SEQ',
    title: `quactor ${trace.role} ${group}`,
    trace: {
      vantage_point: { name: 'quactor', type: trace.role },
      common_fields: {
        group_id: group,
        time_format: 'relative_to_epoch',
        reference_time: { clock_type: 'monotonic', epoch: 'unknown', wall_clock_time: wallClock },
      },
      event_schemas: QLOG_EVENT_SCHEMAS,
    },
  })
}

/** One event. @param time ms since the first one */
export function qlogEventText(time: number, name: string, category: QlogCategory, data: QlogData): string {
  return record({ time: roundTime(time), name, category, data })
}

/** Last record of a file that is not complete. */
export function qlogGapText(time: number, dropped: number): string {
  const message = `${dropped} events are missing: the disk was too slow`
  return record({ time: roundTime(time), name: 'loglevel:warning', data: { message } })
}

/** Microseconds are enough. */
function roundTime(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function record(value: QlogData): string {
  return `${RECORD_SEPARATOR}${JSON.stringify(value)}\n`
}
