// What a redirect makes of a request: the Fetch standard's HTTP-redirect fetch, as far as it concerns a client without a
// page. Pure. Used by fetch.ts.

/** The parts of a request that a redirect may change. */
export interface RedirectedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly hasBody: boolean
}

const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308])

/** Describe a body; they go with it. */
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-type',
]

/** Are meant for the origin that they were made for, and for no other. */
const ORIGIN_HEADERS = ['authorization', 'cookie', 'host', 'proxy-authorization']

export function isRedirect(status: number): boolean {
  return REDIRECT_STATUS.has(status)
}

/**
 * The request to make next.
 * @param location value of the Location field
 * @param canRepeatBody the body, if there is one, can be sent once more
 * @throws TypeError when the location is no http or https URL, or the body would have to be sent again and cannot
 */
export function followRedirect(
  request: RedirectedRequest,
  status: number,
  location: string,
  canRepeatBody: boolean,
): RedirectedRequest {
  const url = parseLocation(location, request.url)
  const headers = new Headers(request.headers)
  let { method, hasBody } = request
  const isPostMoved = (status === 301 || status === 302) && method === 'POST'
  const isSeeOther = status === 303 && method !== 'GET' && method !== 'HEAD'
  if (isPostMoved || isSeeOther) {
    method = 'GET'
    hasBody = false
    for (const name of BODY_HEADERS) headers.delete(name)
  } else if (hasBody && status !== 303 && !canRepeatBody) {
    throw new TypeError('a body that was streamed cannot be sent again after a redirect')
  }
  if (url.origin !== request.url.origin) for (const name of ORIGIN_HEADERS) headers.delete(name)
  return { method, url, headers, hasBody }
}

function parseLocation(location: string, base: URL): URL {
  if (!URL.canParse(location, base.href)) throw new TypeError(`the redirect leads to no URL: ${location}`)
  const url = new URL(location, base.href)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`the redirect leads to ${url.protocol} where HTTP is not spoken`)
  }
  // The fragment of the first URL stays unless the location brings its own (RFC 9110 section 10.2.2).
  if (url.hash === '') url.hash = base.hash
  return url
}
