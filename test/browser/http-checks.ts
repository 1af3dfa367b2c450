/** HTTP/3 without WebTransport. */
import { type Check, type CheckContext, expect } from './check.ts'

const UPLOAD_BYTES = 10_000_000
const DOWNLOAD_BYTES = 50_000_000
const EVENTS = 3
const PARALLEL = 100

async function onlyHttp3({ call }: CheckContext): Promise<void> {
  const others = ((await call('http', 'protocols')) as string[]).filter((name) => name !== 'h3')
  expect(others.length === 0, `also used: ${others.map((name) => name || '(unknown)').join(', ')}`)
}

export const HTTP_CHECKS: readonly Check[] = [
  { title: 'a page loads over h3 at once', run: onlyHttp3 },
  {
    title: 'upload of 10 MB, and an echo of 1 MB',
    run: async (context) => {
      await context.call('http', 'echo', 1_000_000)
      await context.call('http', 'upload', UPLOAD_BYTES)
      await onlyHttp3(context)
    },
  },
  {
    title: 'download of 50 MB',
    run: async (context) => {
      await context.call('http', 'download', DOWNLOAD_BYTES)
      await onlyHttp3(context)
    },
  },
  {
    title: 'server-sent events come as they happen',
    run: async ({ call }) => {
      await call('http', 'events', EVENTS)
    },
  },
  {
    title: 'a download and an upload aborted in the middle, and a request after them',
    run: async (context) => {
      await context.call('http', 'abort')
      await onlyHttp3(context)
    },
  },
  {
    title: 'the page is left while a request waits',
    run: async ({ call }) => {
      await call('http', 'hang')
    },
  },
  {
    title: '100 parallel fetches',
    run: async (context) => {
      await context.call('http', 'parallel', PARALLEL)
      await onlyHttp3(context)
    },
  },
]
