/** Where two plain values differ, as a path with both values; undefined if they are equal. */
export const differs = (left: unknown, right: unknown, path: string): string | undefined => {
  if (Object.is(left, right)) return undefined
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return `${path}: ${JSON.stringify(left)} instead of ${JSON.stringify(right)}`
  }
  const one = left as Readonly<Record<string, unknown>>
  const other = right as Readonly<Record<string, unknown>>
  for (const key in one) {
    const difference = differs(one[key], other[key], `${path}.${key}`)
    if (difference !== undefined) return difference
  }
  for (const key in other) {
    if (!(key in one) && other[key] !== undefined)
      return `${path}.${key}: nothing instead of ${JSON.stringify(other[key])}`
  }
  return undefined
}
