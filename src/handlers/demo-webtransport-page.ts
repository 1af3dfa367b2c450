// The page at `/wt-demo` of `npm start`: a person opens a WebTransport session in the browser, sends on all three ways and
// sees what comes back. Used by demo-routes.ts.
const STYLE = `
  :root {
    color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; accent-color: var(--accent);
    --accent: light-dark(#0b57d0, #8ab4f8); --on: light-dark(#fff, #10151c);
    --line: light-dark(#cfd4dc, #3a414c); --soft: light-dark(#f5f7fa, #1b2028); --quiet: light-dark(#555e6b, #a3adba);
  }
  body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
  h1 { font-weight: 600; margin: 0 }
  p { margin: .5rem 0 }
  small { color: var(--quiet); display: block; margin-top: .7rem }
  fieldset { border: 1px solid var(--line); border-radius: .6rem; margin: 1rem 0; padding: .4rem 1rem 1rem }
  legend { font-weight: 600; padding: 0 .4rem }
  .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .4rem }
  button, input { font: inherit; padding: .25rem .7rem; border: 1px solid var(--line); border-radius: .4rem }
  input { background: var(--soft) }
  button { background: var(--accent); color: var(--on); border-color: transparent; cursor: pointer }
  button:disabled { background: var(--soft); color: var(--quiet); border-color: var(--line); cursor: default }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  #text { flex: 1 1 12rem } #code { width: 7rem } #reason { width: 9rem } #query { width: 14rem }
  code, pre { font-family: ui-monospace, monospace; font-size: .9em }
  pre { height: 16rem; overflow-y: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft);
    border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; margin: 0 }
`

const SCRIPT = `
  const field = (id) => document.getElementById(id)
  const log = (text) => {
    field('log').textContent += new Date().toISOString().slice(11, 23) + '  ' + text + '\\n'
    field('log').scrollTop = field('log').scrollHeight
  }
  const text = (bytes) => new TextDecoder().decode(bytes)
  const bytes = () => new TextEncoder().encode(field('text').value)
  const attempt = (work) => async () => { try { await work() } catch (error) { log(String(error)) } }
  let session, datagrams
  const enable = (isOpen) => {
    for (const button of document.querySelectorAll('button.open')) button.disabled = !isOpen
    field('connect').disabled = isOpen
  }
  enable(false)

  async function readAll(readable) {
    let length = 0, head = ''
    for (const reader = readable.getReader(); ;) {
      const { value, done } = await reader.read()
      if (done) return { length, head }
      length += value.length
      if (head.length < 60) head += text(value).slice(0, 60)
    }
  }

  async function connect() {
    const url = new URL('/wt' + field('query').value, location.href)
    const hash = document.body.dataset.hash
    const value = Uint8Array.from(atob(hash), (c) => c.charCodeAt(0))
    const own = new WebTransport(url, hash ? { serverCertificateHashes: [{ algorithm: 'sha-256', value }] } : {})
    session = own
    own.closed.then(
      ({ closeCode, reason }) => log('closed with code ' + closeCode + ' and reason "' + reason + '"'),
      (error) => log('closed: ' + error),
    ).finally(() => enable(false))
    own.draining?.then(() => log('the server wants the session to end soon'))
    await own.ready
    log('ready, datagrams up to ' + own.datagrams.maxDatagramSize + ' bytes')
    enable(true)
    datagrams = (own.datagrams.createWritable?.() ?? own.datagrams.writable).getWriter()
    receiveDatagrams(own).catch(() => {})
    receiveStreams(own).catch(() => {})
    receiveServerStreams(own).catch(() => {})
  }

  async function receiveDatagrams(own) {
    for (const reader = own.datagrams.readable.getReader(); ;) {
      const { value, done } = await reader.read()
      if (done) return
      log('datagram from the server: ' + text(value))
    }
  }

  async function receiveStreams(own) {
    for (const reader = own.incomingUnidirectionalStreams.getReader(); ;) {
      const { value, done } = await reader.read()
      if (done) return
      readAll(value).then(({ length, head }) => log('stream of the server, ' + length + ' bytes: ' + head), log)
    }
  }

  async function receiveServerStreams(own) {
    for (const reader = own.incomingBidirectionalStreams.getReader(); ;) {
      const { value, done } = await reader.read()
      if (done) return
      log('the server opened a bidirectional stream')
      value.readable.pipeTo(value.writable).catch(() => {})
    }
  }

  async function write(writable, chunk, count = 1) {
    const writer = writable.getWriter()
    for (let index = 0; index < count; index++) await writer.write(chunk)
    await writer.close()
  }

  field('connect').onclick = attempt(connect)
  field('datagram').onclick = attempt(() => datagrams.write(bytes()))
  field('bidi').onclick = attempt(async () => {
    const { readable, writable } = await session.createBidirectionalStream()
    const [{ head }] = await Promise.all([readAll(readable), write(writable, bytes())])
    log('back on the same stream: ' + head)
  })
  field('uni').onclick = attempt(async () => write(await session.createUnidirectionalStream(), bytes()))
  field('megabytes').onclick = attempt(async () => {
    const begin = performance.now()
    const { readable, writable } = await session.createBidirectionalStream()
    const [{ length }] = await Promise.all([readAll(readable), write(writable, new Uint8Array(100_000), 100)])
    const seconds = (performance.now() - begin) / 1000
    log(length + ' bytes there and back in ' + seconds.toFixed(2) + ' s')
  })
  field('close').onclick = attempt(() => {
    session.close({ closeCode: Number(field('code').value), reason: field('reason').value })
  })
  if (!('WebTransport' in window)) log('this browser has no WebTransport')
`

/** @param certificateHash SHA-256 of a self-signed certificate in base64, by which browsers accept it; else empty */
export function demoWebTransportPage(certificateHash = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>WebTransport with quactor</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body data-hash="${certificateHash}">
<h1>WebTransport</h1>
<p>Everything that is sent to <code>/wt</code> comes back: datagrams as datagrams, bidirectional streams on themselves,
unidirectional streams on new ones that the server opens.</p>
<fieldset><legend>Session</legend>
<div class="row"><label>/wt <input id="query" placeholder="?open"></label>
<button id="connect">Connect</button></div>
<div class="row"><label>code <input id="code" type="number" value="7" min="0" max="4294967295"></label>
<label>reason <input id="reason" value="enough"></label>
<button id="close" class="open">Close</button></div>
<small><code>?open</code> makes the server open streams and send a datagram by itself, <code>?drain</code> ask for an end,
<code>?close=CODE&amp;reason=TEXT</code> close.</small>
</fieldset>
<fieldset><legend>Send</legend>
<div class="row"><label for="text">text</label><input id="text" value="hello"></div>
<div class="row"><button id="datagram" class="open">Datagram</button>
<button id="bidi" class="open">Bidirectional stream</button>
<button id="uni" class="open">Unidirectional stream</button>
<button id="megabytes" class="open">10 MB there and back</button></div>
</fieldset>
<pre id="log" role="log" aria-label="What has happened" tabindex="0"></pre>
<script>${SCRIPT}</script>
</body></html>
`
}
