// The numbers of the selection's connection, each with its last minute.
import type { JSX } from 'preact'
import type { ConnectionPanel } from '../../../protocol.ts'
import { bytes, count, duration } from '../model/format.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'
import { Sparkline } from './sparkline.tsx'

/** How a number of ConnectionMetrics reads, by its name. */
function format(name: string, value: number): string {
  if (/^rtt|Rtt|[dD]elay|[iI]dle|[pP]to/.test(name)) return duration(value)
  if (/bytes|window|credit|mtu|threshold|rate|size/i.test(name)) return bytes(value)
  return Number.isFinite(value) ? count(value) : '∞'
}

const FIRST = [
  'smoothedRtt',
  'rtt',
  'latestRtt',
  'minRtt',
  'rttVariance',
  'congestionWindow',
  'bytesInFlight',
  'packetsLost',
]

function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}

export function ConnectionView(): JSX.Element {
  store.second.value
  const panel = store.connection
  const { actor } = selection
  if (panel === undefined || actor === undefined)
    return <p class="empty">The numbers come with the next second.</p>
  const numbers = Object.entries(panel.metrics).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  )
  numbers.sort(([a], [b]) => rank(a) - rank(b))
  return (
    <div class="panel">
      <p class="about">
        {panel.name} · {panel.remote} · {panel.version}
      </p>
      <div class="plots">
        <Plot name="loop lag" series="lag" value={duration(store.lag)} />
        <Plot name="memory" series="rss" value={bytes(store.total((totals) => totals.process.rss))} />
        <Plot
          name="send credit"
          series="connection sendCredit"
          value={bytes(panel.flow.sendMax - panel.flow.sent)}
        />
        <Plot
          name="receive credit"
          series="connection receiveCredit"
          value={bytes(panel.flow.receiveMax - panel.flow.received)}
        />
        {numbers.map(([name, value]) => (
          <Plot key={name} name={words(name)} series={`connection ${name}`} value={format(name, value)} />
        ))}
        <Plot
          name="datagrams queued"
          series="connection datagramsQueued"
          value={count(panel.datagramsQueued)}
        />
      </div>
      <Urgencies panel={panel} />
      <Paths panel={panel} />
      <Words panel={panel} />
    </div>
  )
}

function rank(name: string): number {
  const place = FIRST.indexOf(name)
  return place < 0 ? FIRST.length : place
}

function Plot({ name, series, value }: { name: string; series: string; value: string }): JSX.Element {
  return (
    <div class="plot">
      <small>{name}</small>
      <b>{value}</b>
      <Sparkline samples={store.series.of(series)} width={120} height={26} label={`${name}, last minute`} />
    </div>
  )
}

function Urgencies({ panel }: { panel: ConnectionPanel }): JSX.Element {
  const most = Math.max(1, ...panel.urgencies)
  return (
    <section>
      <h3>Streams by urgency</h3>
      <div class="urgencies">
        {panel.urgencies.map((live, urgency) => (
          <span key={urgency} title={`urgency ${urgency}: ${live} streams`}>
            <i style={{ height: `${(live / most) * 36 + 1}px` }} />
            <b>{live}</b>
            <small>u={urgency}</small>
          </span>
        ))}
      </div>
    </section>
  )
}

function Paths({ panel }: { panel: ConnectionPanel }): JSX.Element {
  return (
    <section>
      <h3>Paths</h3>
      <table>
        <thead>
          <tr>
            <th>Remote</th>
            <th>State</th>
            <th class="numeric">RTT</th>
            <th class="numeric">sent</th>
            <th class="numeric">received</th>
          </tr>
        </thead>
        <tbody>
          {panel.paths.map((path) => (
            <tr key={path.remote} class={path.isActive ? 'active' : ''}>
              <td>{path.remote}</td>
              <td>
                {path.state}
                {path.isActive ? ', in use' : ''}
              </td>
              <td class="numeric">{path.rtt === 0 ? '' : duration(path.rtt)}</td>
              <td class="numeric">{bytes(path.bytesSent)}</td>
              <td class="numeric">{bytes(path.bytesReceived)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Words({ panel }: { panel: ConnectionPanel }): JSX.Element {
  const others = Object.entries(panel.metrics).filter(([, value]) => typeof value !== 'number')
  const application = Object.entries(panel.application)
  return (
    <section>
      <h3>More</h3>
      <dl class="words">
        <div>
          <dt>datagram channels</dt>
          <dd>{panel.datagramChannels}</dd>
        </div>
        {[...others, ...application].map(([name, value]) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
