// Counters of one connection, for its panel and its log.

export class ConnectionStats {
  datagramsReceived = 0
  datagramsSent = 0
  bytesReceived = 0
  bytesSent = 0
  packetsReceived = 0
  /** Packets that no key opened. */
  undecryptable = 0
  duplicates = 0
  datagramFramesReceived = 0
  /** Exceptions that were not protocol errors: a defect of ours or of the application. */
  internalErrors = 0

  noteReceived(bytes: number): void {
    this.datagramsReceived++
    this.bytesReceived += bytes
  }

  noteSent(bytes: number): void {
    this.datagramsSent++
    this.bytesSent += bytes
  }
}
