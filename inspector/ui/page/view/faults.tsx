// Crashes, hangs and missed transitions, the latest first, with what was done about each.
import type { JSX } from 'preact'
import { shortName, timeOfDay } from '../model/format.ts'
import { store } from '../model/store.ts'

export function Faults(): JSX.Element {
  store.revision.value
  if (store.faults.length === 0) return <p class="empty pane">No handler has crashed or hung.</p>
  return (
    <div class="faults pane">
      <table>
        <thead>
          <tr>
            <th>Time</th>
            <th>What</th>
            <th>Where</th>
            <th>Error</th>
            <th>Outcome</th>
          </tr>
        </thead>
        <tbody>
          {store.faults.toReversed().map((fault) => (
            <tr key={fault.id}>
              <td class="time">{timeOfDay((store.workers.get(fault.worker)?.epoch ?? 0) + fault.time)}</td>
              <td>
                <span class="badge red">{fault.kind}</span>
              </td>
              <td>
                {fault.method} {fault.path}
                <small>
                  {fault.stream === undefined ? '' : `stream ${fault.stream} of `}
                  {shortName(fault.connection)}
                </small>
              </td>
              <td class="error">{fault.error}</td>
              <td>{fault.outcome}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
