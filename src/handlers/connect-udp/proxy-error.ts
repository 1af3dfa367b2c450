// Why a proxied request came to nothing, as the client is told: a status and Proxy-Status (RFC 9209). Thrown and caught
// in udp-proxy.ts.

/** Error types of RFC 9209 section 2.3 that occur here. */
export type ProxyErrorType =
  | 'connection_limit_reached'
  | 'destination_ip_prohibited'
  | 'destination_unavailable'
  | 'dns_error'
  | 'dns_timeout'
  | 'http_request_denied'
  | 'http_request_error'

export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly status: number
  readonly type: ProxyErrorType

  constructor(status: number, type: ProxyErrorType, details: string) {
    super(details)
    this.status = status
    this.type = type
  }

  /** Value of the Proxy-Status field (RFC 9209 section 2). */
  get proxyStatus(): string {
    // A string of a structured field: printable ASCII, with two characters escaped (RFC 8941 section 3.3.3).
    const details = this.message.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')
    return `quactor; error=${this.type}; details="${details}"`
  }
}
