/** `850ms`, `12s`, `4m 10s`, `2h 5m`, `3d 4h`. */
export const shortSpan = (millis: number): string => {
  if (millis < 0) return "0s"
  if (millis < 1000) return `${Math.round(millis)}ms`
  const seconds = Math.floor(millis / 1000)
  if (seconds < 60) return `${seconds}s`
  const pair = (whole: number, unit: string, rest: number, small: string) =>
    rest === 0 ? `${whole}${unit}` : `${whole}${unit} ${rest}${small}`
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "m", seconds % 60, "s")
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "m")
  return pair(Math.floor(seconds / 86_400), "d", Math.floor((seconds % 86_400) / 3600), "h")
}
