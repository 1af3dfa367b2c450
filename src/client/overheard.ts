// HTTP/3 as the application of a client's connection, overheard: it does not report the end of the handshake, after which
// it can take requests. Made by session.ts.
import type { H3Connection } from '../http3/index.ts'
import type { SupervisedApplication } from '../supervisor/supervision.ts'
import { GLITCH_REFUND_PER_SWEEP } from './limits.ts'

/** @param handleOpen called when the handshake is complete and HTTP/3 has been told so */
export function overheard(h3: H3Connection, handleOpen: () => void): SupervisedApplication {
  return {
    sweep: (now) => {
      h3.replenish(GLITCH_REFUND_PER_SWEEP)
      h3.webtransport?.sweep(now)
    },
    handleHandshakeComplete: () => {
      h3.handleHandshakeComplete()
      handleOpen()
    },
    handleEarlyDataVerdict: (isAccepted) => h3.handleEarlyDataVerdict(isAccepted),
    acceptStream: (stream) => h3.acceptStream(stream),
    handleStreamCredit: (kind) => h3.handleStreamCredit(kind),
    handleDatagramFrame: (payload) => h3.handleDatagramFrame(payload),
    handleClosing: (close) => h3.handleClosing(close),
    handleClosed: () => h3.handleClosed(),
  }
}
