// What the person has chosen and the browser keeps: the theme. Everything else begins anew with each visit.
import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'quactor-theme'
const THEMES: readonly Theme[] = ['system', 'light', 'dark']

function stored(): Theme {
  const value = localStorage.getItem(KEY) as Theme | null
  return value !== null && THEMES.includes(value) ? value : 'system'
}

export const theme = signal<Theme>(stored())

effect(() => {
  if (theme.value === 'system') {
    localStorage.removeItem(KEY)
    delete document.documentElement.dataset.theme
  } else {
    localStorage.setItem(KEY, theme.value)
    document.documentElement.dataset.theme = theme.value
  }
})

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!
}
