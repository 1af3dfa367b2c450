// What the WebTransport part of HTTP/3 offers to the supervisor, the handlers and the client.

export type { CloseMessage } from './capsules.ts'
export { MAX_APPLICATION_CODE, toApplicationCode, toHttpCode, WtErrorCode } from './errors.ts'
export { MAX_CLOSE_MESSAGE, MAX_SESSIONS } from './limits.ts'
export { chooseProtocol, encodeProtocols, offeredProtocols, readProtocol } from './protocols.ts'
export { WebTransportSession } from './session.ts'
export type { AbruptEnd, SessionEnd, SessionEvents } from './session-events.ts'
export {
  type SessionSupervision,
  WEBTRANSPORT_TOKENS,
  type WebTransportDraft,
  type WebTransportOptions,
  WebTransportSessions,
  webtransportSettings,
} from './sessions.ts'
export { WebTransportStream, type WebTransportStreamEvents } from './stream.ts'
