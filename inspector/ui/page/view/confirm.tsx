// A button that asks once more, in its own place, before it does something that cannot be undone.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

interface ConfirmProps {
  readonly label: string
  readonly question: string
  readonly onConfirm: () => void
  readonly isDisabled?: boolean
}

/** An unanswered question goes away, ms. */
const PATIENCE = 4_000

export function Confirm({ label, question, onConfirm, isDisabled = false }: ConfirmProps): JSX.Element {
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    if (!isAsking) return
    const timer = setTimeout(() => setAsking(false), PATIENCE)
    return () => clearTimeout(timer)
  }, [isAsking])
  const click = (): void => {
    if (isAsking) onConfirm()
    setAsking(!isAsking)
  }
  return (
    <button type="button" class={isAsking ? 'danger asking' : 'danger'} disabled={isDisabled} onClick={click}>
      {isAsking ? question : label}
    </button>
  )
}
