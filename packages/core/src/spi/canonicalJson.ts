const ordered = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(ordered)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, ordered(inner)])
        )
      : value

/** JSON in which the keys of objects are in order, so that equal values have equal digests. */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value))
