// RFC 9000 figures 2 and 3 and RFC 8446 appendix A, typed off the RFCs as lists of arrows, independent of the
// charts. Each chart must have every arrow of its figure and no arrow that is neither in it nor named here.
import { describe, expect, it } from 'vitest'
import {
  type CompiledMachine,
  clientHandshake,
  Outcome,
  receiveStream,
  sendStream,
  serverHandshake,
} from '../../src/machines/index.ts'

type Arrow = `${string} --${string}--> ${string}`

/** RFC 9000 figure 2; a reset passes through resetQueued, from the decision to the packet. */
const FIGURE_2: Arrow[] = [
  'ready --send.stream--> send',
  'send --send.fin--> dataSent',
  'dataSent --send.allAcked--> dataRecvd',
  'ready --app.reset--> resetQueued',
  'send --app.reset--> resetQueued',
  'dataSent --app.reset--> resetQueued',
  'resetQueued --send.resetStream--> resetSent',
  'resetSent --send.resetAcked--> resetRecvd',
]

const BEYOND_FIGURE_2: Arrow[] = [
  'ready --send.fin--> dataSent', // an empty stream: the first STREAM frame carries the FIN
  // RFC 9000 section 3.5: an endpoint that receives STOP_SENDING MUST send RESET_STREAM in these states.
  'ready --recv.stopSending--> resetQueued',
  'send --recv.stopSending--> resetQueued',
  'dataSent --recv.stopSending--> resetQueued',
  // draft-ietf-quic-reliable-stream-reset section 5.3, where this end is called "Data Recvd".
  'dataSent --send.resetAcked--> resetRecvd',
  ...closedFrom('ready', 'send', 'dataSent', 'resetQueued', 'resetSent'),
]

/** RFC 9000 figure 3 without its two optional arrows. */
const FIGURE_3: Arrow[] = [
  'recv --recv.fin--> sizeKnown',
  'sizeKnown --recv.allData--> dataRecvd',
  'dataRecvd --app.readAll--> dataRead',
  'recv --recv.resetStream--> resetRecvd',
  'sizeKnown --recv.resetStream--> resetRecvd',
  'resetRecvd --app.readReset--> resetRead',
]

const BEYOND_FIGURE_3: Arrow[] = [
  'recv --app.stop--> stopped',
  'stopped --recv.fin--> resetRead',
  'stopped --recv.resetStream--> resetRead',
  'sizeKnown --app.stop--> resetRead',
  'dataRecvd --app.stop--> resetRead',
  'resetRecvd --app.stop--> resetRead',
  'dataRecvd --app.readReset--> resetRead', // RESET_STREAM_AT, when its reliable part has been read
  ...closedFrom('recv', 'sizeKnown', 'dataRecvd', 'resetRecvd', 'stopped'),
]

/** RFC 8446 appendix A.2 without EndOfEarlyData; HelloRetryRequest leads to a state of its own. */
const FIGURE_A2: Arrow[] = [
  'start --recv.clientHello--> recvdCh',
  'recvdCh --send.helloRetryRequest--> waitSecondCh',
  'waitSecondCh --recv.clientHello--> recvdSecondCh',
  'recvdCh --send.serverHello--> negotiated',
  'recvdSecondCh --send.serverHello--> negotiated',
  'recvdCh --psk.accepted--> pskChosen',
  'recvdSecondCh --psk.accepted--> pskChosenAgain',
  'pskChosen --earlyData.accepted--> earlyDataChosen',
  'pskChosen --send.serverHello--> negotiatedPsk',
  'pskChosenAgain --send.serverHello--> negotiatedPsk',
  'earlyDataChosen --send.serverHello--> negotiatedPsk',
  'negotiatedPsk --send.finished--> waitFinished',
  'negotiated --send.finished--> waitFinished',
  'negotiated --send.certificateRequest--> negotiatedClientAuth',
  'negotiatedClientAuth --send.finished--> waitCert',
  'waitCert --recv.certificateEmpty--> waitFinished',
  'waitCert --recv.certificate--> waitCv',
  'waitCv --recv.certificateVerify--> waitVerified',
  'waitVerified --certificate.verified--> waitFinished',
  'waitFinished --recv.finished--> connected',
]

/** RFC 8446 appendix A.1 without EndOfEarlyData. */
const FIGURE_A1: Arrow[] = [
  'start --send.clientHello--> waitSh',
  'waitSh --recv.helloRetryRequest--> retry',
  'retry --send.clientHello--> waitSecondSh',
  'waitSh --recv.serverHello--> waitEe',
  'waitSecondSh --recv.serverHello--> waitEe',
  'waitEe --recv.encryptedExtensions--> waitCertCr',
  'waitEe --psk.accepted--> waitEePsk',
  'waitEePsk --recv.encryptedExtensions--> waitFinished',
  'waitCertCr --recv.certificateRequest--> waitCert',
  'waitCertCr --recv.certificate--> waitCv',
  'waitCert --recv.certificate--> waitCv',
  'waitCv --recv.certificateVerify--> waitVerified',
  'waitVerified --certificate.verified--> waitFinished',
  'waitFinished --recv.finished--> connected',
]

function closedFrom(...states: string[]): Arrow[] {
  return states.map((state): Arrow => `${state} --connection.closed--> connectionClosed`)
}

function arrowsOf(table: CompiledMachine): Arrow[] {
  const arrows: Arrow[] = []
  for (let pair = 0; pair < table.outcome.length; pair++) {
    if (table.outcome[pair] !== Outcome.transition) continue
    const from = table.name[Math.floor(pair / table.width)]
    arrows.push(`${from} --${table.events[pair % table.width]}--> ${table.name[table.next[pair]!]}`)
  }
  return arrows.sort()
}

describe('charts against the figures of the RFCs', () => {
  it('sending part, RFC 9000 section 3.1 figure 2', () => {
    expect(arrowsOf(sendStream)).toEqual([...FIGURE_2, ...BEYOND_FIGURE_2].sort())
  })

  it('receiving part, RFC 9000 section 3.2 figure 3', () => {
    expect(arrowsOf(receiveStream)).toEqual([...FIGURE_3, ...BEYOND_FIGURE_3].sort())
  })

  it.each([
    ['server, RFC 8446 appendix A.2', serverHandshake, FIGURE_A2],
    ['client, RFC 8446 appendix A.1', clientHandshake, FIGURE_A1],
  ] as const)(
    '%s: the figure, and otherwise only failure and the end of the connection',
    (_title, table, figure) => {
      const isEnding = (arrow: string): boolean => arrow.endsWith('> failed') || arrow.endsWith('> abandoned')
      expect(arrowsOf(table).filter((arrow) => !isEnding(arrow))).toEqual([...figure].sort())
    },
  )

  it.each([serverHandshake, clientHandshake])(
    'a message out of order fails the handshake, RFC 8446 section 4',
    (table) => {
      for (const [state, name] of table.name.entries()) {
        if (table.final[state] === 1) continue
        for (const type of table.events.filter((event) => event.startsWith('recv.'))) {
          const pair = state * table.width + table.eventIndex.get(type)!
          expect(table.outcome[pair], `${name} ${type}`).toBe(Outcome.transition)
        }
        for (const type of ['recv.endOfEarlyData', 'recv.keyUpdate']) {
          const pair = state * table.width + table.eventIndex.get(type)!
          expect(table.name[table.next[pair]!], `${name} ${type}, RFC 9001 sections 6 and 8.3`).toBe('failed')
        }
      }
    },
  )
})
