// A plot the size of a word, of the last minute.
import type { JSX } from 'preact'
import { SAMPLES } from '../model/series.ts'

interface SparklineProps {
  readonly samples: readonly number[]
  readonly width?: number
  readonly height?: number
  readonly label: string
}

export function Sparkline({ samples, width = 60, height = 16, label }: SparklineProps): JSX.Element {
  const most = Math.max(1e-9, ...samples)
  const step = (width - 2) / (SAMPLES - 1)
  const first = SAMPLES - samples.length
  const points = samples.map((value, index) => {
    const x = (1 + (first + index) * step).toFixed(1)
    const y = (height - 1.5 - (Math.max(0, value) / most) * (height - 3)).toFixed(1)
    return `${x},${y}`
  })
  const start = (1 + first * step).toFixed(1)
  const area = points.length === 0 ? '' : `${start},${height} ${points.join(' ')} ${width - 1},${height}`
  return (
    <svg
      class="spark"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      <polygon points={area} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}
