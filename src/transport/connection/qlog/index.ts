// What others may use of a connection's log: writers and tests the sink and its text, HTTP/3 the log.
export { ConnectionLog } from './connection-log.ts'
export { QLOG_EVENT_SCHEMAS, qlogEventText, qlogGapText, qlogHeadText } from './serialize.ts'
export type { OpenQlog, QlogCategory, QlogData, QlogSink, QlogTrace, QlogValue } from './sink.ts'
