// routes(): a small table of URL patterns for those who use no framework. The first pattern that fits wins; matching is
// the standard URLPattern (Node's own from version 23.8 on, else the package urlpattern-polyfill). Makes a fetch handler.
import { URLPattern as PolyfilledPattern } from 'urlpattern-polyfill/urlpattern'
import type { FetchHandler } from './fetch-handler.ts'
import type { ServerRequest } from './lazy-request.ts'

/** What a route is given beside the request. */
export interface RouteMatch {
  /** Named groups of the path: `/files/:name` has `name`, decoded as they stand in the URL. */
  readonly params: Readonly<Record<string, string | undefined>>
  /** The request's URL. */
  readonly url: URL
}

/** Answers the requests that fit one pattern. */
export type RouteHandler = (request: ServerRequest, match: RouteMatch) => Response | Promise<Response>

/**
 * Patterns and their handlers: `/path/:name` for every method, or `GET /path`. HEAD goes where GET goes.
 */
export type RouteTable = Readonly<Record<string, RouteHandler>>

interface Route {
  readonly method: string | undefined
  readonly pattern: PolyfilledPattern
  readonly handler: RouteHandler
}

/** Node's own where it has one: it is the faster. */
const Pattern = (Reflect.get(globalThis, 'URLPattern') ?? PolyfilledPattern) as typeof PolyfilledPattern

const ROUTE = /^(?:([A-Z]+) )?(\/.*)$/

/**
 * Makes a fetch handler of a table.
 * @param table in the order in which patterns are tried
 * @param fallback for paths that no pattern fits; default 404
 * @throws TypeError for a route that is not `/pattern` or `METHOD /pattern`
 */
export function routes(table: RouteTable, fallback: FetchHandler = notFound): FetchHandler {
  const all = Object.entries(table).map(([route, handler]) => parseRoute(route, handler))
  return (request) => {
    const url = new URL(request.url)
    const allowed = new Set<string>()
    for (const { method, pattern, handler } of all) {
      const match = pattern.exec({ pathname: url.pathname })
      if (match === null) continue
      const isFit = method === undefined || method === request.method
      if (isFit || (method === 'GET' && request.method === 'HEAD')) {
        return handler(request, { params: match.pathname.groups, url })
      }
      allowed.add(method)
      if (method === 'GET') allowed.add('HEAD')
    }
    return allowed.size === 0 ? fallback(request) : notAllowed(allowed)
  }
}

function parseRoute(route: string, handler: RouteHandler): Route {
  const parts = ROUTE.exec(route)
  if (parts === null)
    throw new TypeError(`a route is "/pattern" or "METHOD /pattern", not ${JSON.stringify(route)}`)
  return { method: parts[1], pattern: new Pattern({ pathname: parts[2] }), handler }
}

function notFound(): Response {
  return new Response('not found\n', { status: 404 })
}

/** RFC 9110 section 15.5.6: with the methods that there are. */
function notAllowed(methods: ReadonlySet<string>): Response {
  return new Response('method not allowed\n', { status: 405, headers: { allow: [...methods].join(', ') } })
}
