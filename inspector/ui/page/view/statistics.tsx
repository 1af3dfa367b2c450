// How long the states of this machine last, over all actors that have left them since somebody looks.
import type { JSX } from 'preact'
import { count, duration } from '../model/format.ts'
import { dwellOf } from '../model/heat.ts'
import { selection } from '../model/selection.ts'
import { store } from '../model/store.ts'

export function Statistics(): JSX.Element {
  store.second.value
  const { machine } = selection
  const rows = machine === undefined ? [] : dwellOf(machine)
  if (rows.length === 0)
    return <p class="empty">No actor of this machine has left a state since this page is open.</p>
  const longest = Math.log1p(Math.max(...rows.map(({ p99 }) => p99)))
  return (
    <table class="dwell">
      <caption>Time in state, all {machine?.id} actors since somebody looks</caption>
      <thead>
        <tr>
          <th>State</th>
          <th class="numeric">p50</th>
          <th class="numeric">p99</th>
          <th class="numeric">left it</th>
          <th>
            <span class="visually-hidden">bar</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ state, p50, p99, left }) => (
          <tr key={state}>
            <td>{state}</td>
            <td class="numeric">{duration(p50)}</td>
            <td class="numeric">{duration(p99)}</td>
            <td class="numeric">{count(left)}</td>
            <td class="bar">
              <i class="p99" style={{ width: `${(Math.log1p(p99) / longest) * 100}%` }} />
              <i class="p50" style={{ width: `${(Math.log1p(p50) / longest) * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
