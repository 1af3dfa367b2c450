// Numbers as people read them: durations, sizes, times of day.

/** @param ms - milliseconds; one or two significant parts: `420 ms`, `12.4 s`, `3 m 05 s`, `2 h 10 m` */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '∞'
  if (ms < 0.005) return '0 ms'
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  const seconds = ms / 1_000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} m ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (Math.abs(value) >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

const grouped = new Intl.NumberFormat('en-US')

export function count(value: number): string {
  return grouped.format(Math.round(value * 100) / 100)
}

/** `14:03:12.345`, from ms since 1970. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms)
  const part = (value: number, width = 2): string => String(value).padStart(width, '0')
  return `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`
}

/** `a1b2c3d4`: the beginning of a connection's name tells it apart. */
export function shortName(name: string): string {
  return name.length > 10 ? name.slice(0, 8) : name
}
