// Validates the field lines of one message while they are decoded, RFC 9114 sections 4.1.2 to 4.4 (RFC 9220 for
// :protocol), and keeps what the request stream needs. One object per connection is reused for every section.

import { malformed } from './errors.ts'
import { ByteClass, isConnectionSpecific, parseContentLength } from './field-grammar.ts'
import type { FieldReceiver } from './qpack/section-decoder.ts'

/** Which section is being decoded. */
export const SectionKind = { request: 0, response: 1, trailers: 2 } as const

/** Collects and validates one field section. */
export class MessageHead implements FieldReceiver {
  method: string | undefined
  scheme: string | undefined
  authority: string | undefined
  path: string | undefined
  protocol: string | undefined
  /** Status code of a response, 0 while none was seen. */
  status = 0
  /** Regular fields as a flat list; a fresh array per section, handed over to its reader. */
  fields: string[] = []
  /** Declared content-length in bytes, -1 when absent. */
  contentLength = -1
  /** Value of the priority field (RFC 9218 section 5). */
  priority: string | undefined
  private kind: number = SectionKind.trailers
  private host: string | undefined
  private cookieIndex = -1
  private isPastPseudo = false

  /** Pseudo-header fields and regular ones, as a flat list. */
  get allFields(): string[] {
    const { status, method, scheme, authority, path, protocol } = this
    const pseudo = {
      ':status': status === 0 ? undefined : String(status),
      ':method': method,
      ':scheme': scheme,
    }
    const more = { ':authority': authority, ':path': path, ':protocol': protocol }
    const present = Object.entries({ ...pseudo, ...more }).filter(([, value]) => value !== undefined)
    return [...(present.flat() as string[]), ...this.fields]
  }

  /** Prepares for the next section. */
  begin(kind: number): void {
    this.kind = kind
    this.method = undefined
    this.scheme = undefined
    this.authority = undefined
    this.path = undefined
    this.protocol = undefined
    this.host = undefined
    this.priority = undefined
    this.status = 0
    this.contentLength = -1
    this.cookieIndex = -1
    this.isPastPseudo = false
    this.fields = []
  }

  handleField(name: string, value: string, nameClasses: number, valueClasses: number): void {
    if ((valueClasses & ByteClass.notValue) !== 0) throw malformed('control character in a field value')
    if (name.charCodeAt(0) === 0x3a) {
      this.handlePseudo(name, value, valueClasses)
      return
    }
    // RFC 9114 section 4.2: upper case and anything that is no token character.
    if (name === '' || (nameClasses & ByteClass.notName) !== 0) throw malformed('invalid field name')
    this.isPastPseudo = true
    this.handleRegular(name, value)
  }

  private handlePseudo(name: string, value: string, classes: number): void {
    // RFC 9114 section 4.3: "MUST NOT appear in trailer sections", and only before regular fields.
    if (this.kind === SectionKind.trailers) throw malformed('pseudo-header field in trailers')
    if (this.isPastPseudo) throw malformed('pseudo-header field after a regular field')
    if (this.kind === SectionKind.response) {
      if (name !== ':status' || this.status !== 0)
        throw malformed(`pseudo-header field ${name} in a response`)
      this.status = parseStatus(value)
      return
    }
    switch (name) {
      case ':method':
        if (this.method !== undefined || value === '' || (classes & ByteClass.notToken) !== 0) break
        this.method = value
        return
      case ':scheme':
        if (this.scheme !== undefined || !isScheme(value)) break
        this.scheme = value
        return
      case ':authority':
        if (this.authority !== undefined || !isAuthority(value, classes)) break
        this.authority = value
        return
      case ':path':
        if (this.path !== undefined || (classes & ByteClass.notTarget) !== 0) break
        this.path = value
        return
      case ':protocol':
        if (this.protocol !== undefined || value === '' || (classes & ByteClass.notToken) !== 0) break
        this.protocol = value
        return
      default:
    }
    throw malformed(`unknown, repeated or invalid pseudo-header field ${name}`)
  }

  private handleRegular(name: string, value: string): void {
    switch (name) {
      case 'cookie':
        if (this.joinCookie(value)) return
        break
      case 'content-length':
        this.noteContentLength(value)
        break
      case 'host':
        if (this.kind === SectionKind.request) this.noteHost(value)
        break
      case 'priority':
        // RFC 8941 section 4.2: lines of one name are one field.
        this.priority = this.priority === undefined ? value : `${this.priority}, ${value}`
        break
      case 'te':
        // RFC 9114 section 4.2: "MUST NOT contain any value other than "trailers"", in requests only.
        if (this.kind !== SectionKind.request || value !== 'trailers') throw malformed('TE field')
        break
      default:
        if (isConnectionSpecific(name)) throw malformed(`connection-specific field ${name}`)
    }
    this.fields.push(name, value)
  }

  // RFC 9114 section 4.2.1: crumbs "MUST be concatenated" with "; " before a generic application sees them.
  private joinCookie(value: string): boolean {
    if (this.cookieIndex < 0) {
      this.cookieIndex = this.fields.length + 1
      return false
    }
    this.fields[this.cookieIndex] += `; ${value}`
    return true
  }

  private noteContentLength(value: string): void {
    if (this.kind === SectionKind.trailers) throw malformed('content-length in trailers')
    // RFC 9110 section 8.6: several values are unrecoverable unless identical; we accept exactly one.
    if (this.contentLength !== -1) throw malformed('content-length occurs twice')
    this.contentLength = parseContentLength(value)
    if (this.contentLength < 0) throw malformed('invalid content-length')
  }

  private noteHost(value: string): void {
    if (this.host !== undefined) throw malformed('host occurs twice')
    this.host = value
  }

  /**
   * Checks what can only be judged when the whole section has been seen.
   * @param allowsProtocol whether we announced extended CONNECT
   * @throws H3Error H3_MESSAGE_ERROR (stream)
   */
  finish(allowsProtocol: boolean): void {
    if (this.kind === SectionKind.response) {
      if (this.status === 0) throw malformed(':status is missing')
      return
    }
    if (this.kind !== SectionKind.request) return
    if (this.method === undefined) throw malformed(':method is missing')
    if (this.protocol !== undefined) this.checkExtendedConnect(allowsProtocol)
    else if (this.method === 'CONNECT') this.checkConnect()
    else this.checkTarget()
  }

  // RFC 9114 section 4.4
  private checkConnect(): void {
    if (this.scheme !== undefined || this.path !== undefined) throw malformed('CONNECT with :scheme or :path')
    if (this.authority === undefined) throw malformed('CONNECT without :authority')
    if (this.host !== undefined && this.host !== this.authority)
      throw malformed('host differs from :authority')
  }

  // RFC 8441 section 4 by way of RFC 9220: :scheme and :path are present, and the setting must have been announced.
  private checkExtendedConnect(allowsProtocol: boolean): void {
    if (!allowsProtocol) throw malformed(':protocol, but extended CONNECT was not announced')
    if (this.method !== 'CONNECT') throw malformed(':protocol without CONNECT')
    this.checkTarget()
  }

  // RFC 9114 section 4.3.1
  private checkTarget(): void {
    const { scheme, path } = this
    if (scheme === undefined || path === undefined) throw malformed(':scheme or :path is missing')
    const isWeb = scheme === 'https' || scheme === 'http'
    if (isWeb) {
      const isAsterisk = path === '*' && this.method === 'OPTIONS'
      if (path.charCodeAt(0) !== 0x2f && !isAsterisk) throw malformed('invalid :path')
      if (this.authority === undefined && this.host === undefined)
        throw malformed('neither :authority nor host')
    }
    this.settleAuthority()
  }

  private settleAuthority(): void {
    if (this.host === undefined) return
    if (this.authority === undefined) {
      if (!isAuthority(this.host, 0)) throw malformed('invalid host')
      this.authority = this.host
    } else if (this.host !== this.authority) {
      throw malformed('host differs from :authority')
    }
  }
}

function parseStatus(value: string): number {
  // RFC 9110 section 15: three digits, classes 1 to 5. RFC 9114 section 4.5: 101 does not exist here.
  const status = value.length === 3 ? parseContentLength(value) : 0
  if (status < 100 || status > 599 || status === 101) throw malformed('invalid :status')
  return status
}

function isScheme(value: string): boolean {
  return value === 'https' || value === 'http' || /^[a-z][a-z0-9+.-]*$/i.test(value)
}

function isAuthority(value: string, classes: number): boolean {
  // RFC 9114 section 4.3.1: not empty, no userinfo; and nothing that would end an authority in a URI.
  if (value === '' || (classes & ByteClass.notTarget) !== 0) return false
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code === 0x40 || code === 0x2f || code === 0x3f || code === 0x5c || code <= 0x20 || code > 0x7e)
      return false
  }
  return true
}
