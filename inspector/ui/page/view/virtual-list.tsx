// A list of any length of which only the rows in sight exist. Rows have one height; an element is used again for
// another row when it leaves the sight, so that scrolling makes no garbage.
import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

export interface VirtualListProps {
  readonly count: number
  readonly rowHeight: number
  readonly label: string
  readonly className?: string
  readonly render: (index: number) => ComponentChildren
  /** Keeps the end in sight as long as the person has not scrolled away from it. */
  readonly sticksToEnd?: boolean
  /** Row to keep in sight; changes scroll. */
  readonly reveal?: number
  readonly onKeyDown?: (event: KeyboardEvent) => void
  readonly activeDescendant?: string
}

/** Rows beyond the sight on both sides. */
const OVERSCAN = 6

export function VirtualList(props: VirtualListProps): JSX.Element {
  const {
    count,
    rowHeight,
    label,
    className = '',
    render,
    sticksToEnd,
    reveal,
    onKeyDown,
    activeDescendant,
  } = props
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [view, setView] = useState({ first: 0, height: 600 })

  useLayoutEffect(() => {
    const element = box.current!
    const observer = new ResizeObserver(() => setView((old) => ({ ...old, height: element.clientHeight })))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    const element = box.current!
    if (sticksToEnd === true && atEnd.current && reveal === undefined)
      element.scrollTop = element.scrollHeight
  }, [count, sticksToEnd, reveal])

  useLayoutEffect(() => {
    const element = box.current!
    if (reveal === undefined || reveal < 0) return
    const top = reveal * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight
    }
  }, [reveal, rowHeight])

  const onScroll = (): void => {
    const element = box.current!
    atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - rowHeight
    const first = Math.floor(element.scrollTop / rowHeight)
    setView((old) => (old.first === first ? old : { ...old, first }))
  }

  const from = Math.max(0, Math.min(view.first, count) - OVERSCAN)
  const to = Math.min(count, view.first + Math.ceil(view.height / rowHeight) + OVERSCAN)
  const pool = Math.ceil(view.height / rowHeight) + 2 * OVERSCAN + 2
  const rows: JSX.Element[] = []
  for (let index = from; index < to; index++) {
    const style = { transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }
    rows.push(
      <div class="slot" key={index % pool} style={style}>
        {render(index)}
      </div>,
    )
  }
  return (
    <div
      class={`virtual ${className}`}
      ref={box}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      tabIndex={0}
      role="listbox"
      aria-label={label}
      aria-activedescendant={activeDescendant}
    >
      <div class="canvas" style={{ height: `${count * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  )
}
