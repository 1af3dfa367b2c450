// Keeps the qlog of connections in memory, as text and as events, and knows which fields the drafts require.
import {
  type OpenQlog,
  type QlogData,
  qlogEventText,
  qlogHeadText,
} from '../../../../../src/transport/connection/qlog/index.ts'

export interface LoggedEvent {
  readonly time: number
  readonly name: string
  readonly category: string
  // biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives; tests look into every corner of it
  readonly data: any
}

export class MemoryLog {
  text = ''
  readonly events: LoggedEvent[] = []
  isEnded = false
  role = ''

  readonly open: OpenQlog = (trace) => {
    this.role = trace.role
    this.text = qlogHeadText(trace)
    return {
      write: (time, name, category, data: QlogData) => {
        const text = qlogEventText(time - trace.time, name, category, data)
        this.text += text
        this.events.push(JSON.parse(text.slice(1)))
      },
      end: () => {
        this.isEnded = true
      },
    }
  }

  named(name: string): LoggedEvent[] {
    return this.events.filter((event) => event.name === name)
  }

  /** Frames of a type in packets of a kind of event. */
  frames(name: 'quic:packet_sent' | 'quic:packet_received', type: string): QlogData[] {
    return this.named(name).flatMap(({ data }) =>
      data.frames.filter((frame: QlogData) => frame.frame_type === type),
    )
  }
}

/** Records of a file: RFC 7464, a record separator before and a line feed after each. */
export function parseSequence(text: string): QlogData[] {
  const [before, ...records] = text.split('\u001e')
  if (before !== '') throw new Error('text before the first record separator')
  return records.map((record) => {
    if (!record.endsWith('\n')) throw new Error('record without line feed')
    return JSON.parse(record)
  })
}
