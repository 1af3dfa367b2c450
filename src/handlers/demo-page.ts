// The page at `/` of `npm start`: shows which HTTP carried it, and tries the other routes. Used by demo-routes.ts.
import type { ExchangeProtocol } from './exchange.ts'

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
  h1 { font-weight: 600; margin-bottom: 0 }
  code, output { font-family: ui-monospace, monospace }
  li { margin: .3rem 0 }
  output { color: GrayText }
`

const SCRIPT = `
  const show = (id, text) => { document.getElementById(id).textContent = text }
  const entry = performance.getEntriesByType('navigation')[0]
  show('browser', entry && entry.nextHopProtocol || 'unknown')
  fetch('/health').then((r) => r.text()).then((t) => show('health', t), (e) => show('health', e))
  fetch('/echo', { method: 'POST', body: 'hello' }).then((r) => r.text()).then((t) => show('echo', t), (e) => show('echo', e))
  const socket = new WebSocket('wss://' + location.host + '/ws', 'echo')
  socket.onopen = () => socket.send('hello')
  socket.onmessage = (m) => { show('ws', m.data); socket.close(1000) }
  socket.onerror = () => show('ws', 'failed')
  const source = new EventSource('/sse?count=5')
  source.onmessage = (m) => { show('sse', m.data); if (m.lastEventId === '5') source.close() }
`

/** @param protocol what carried the request for the page itself */
export function demoPage(protocol: ExchangeProtocol): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>quactor</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body>
<h1>quactor</h1>
<p>An actor-model QUIC and HTTP/3 server. This page came over <code id="server">${protocol}</code>;
your browser says <output id="browser"></output>.</p>
<ul>
<li><a href="/health">/health</a> <output id="health"></output></li>
<li><code>POST /echo</code> <output id="echo"></output></li>
<li><a href="/sse">/sse</a> <output id="sse"></output></li>
<li><a href="/wt-demo">WebTransport</a> at <code>/wt</code></li>
<li>WebSocket <code>/ws</code> <output id="ws"></output></li>
<li><a href="/bytes/1000000">/bytes/1000000</a></li>
<li><a href="/slow/1000">/slow/1000</a></li>
<li><a href="/crash">/crash</a> resets its stream</li>
<li><a href="/hang">/hang</a> is reset at its deadline</li>
</ul>
<script>${SCRIPT}</script>
</body></html>
`
}
