import { type ConfigurationIssue, formatPath, found, type Path } from "./ConfigurationIssue.ts"

const deepest = 64

const notJson = (value: unknown, path: Path, why: string): ConfigurationIssue => ({
  path: formatPath(path),
  message: why,
  expected: "a JSON value",
  hint:
    "A configuration is kept with the execution, so it holds only texts, numbers, true, false, null, lists and objects" +
    `${value instanceof Promise ? "; await the promise first" : ""}.`
})

const absent = (path: Path): ConfigurationIssue => ({
  path: formatPath(path),
  message: "is undefined",
  expected: "a JSON value",
  hint: "Give it a value, or leave it out: an environment variable that is not set is undefined too."
})

/** Whether a copy of an object's own keys would lose something. */
const unseen = (value: object): string | undefined => {
  const symbol = Object.getOwnPropertySymbols(value).find((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  )
  if (symbol !== undefined) return "has a symbol as a key"
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    return Object.keys(value).some((key) => !(Number(key) < value.length)) ? "is a list with keys besides" : undefined
  }
  return typeof prototype === "object" && prototype !== null && Object.keys(prototype).length > 0
    ? "has keys in its prototype"
    : undefined
}

/**
 * Copies a value as JSON knows it, and reports what JSON cannot hold; nothing is dropped silently. A configuration
 * module can export anything: cycles, functions, getters that throw, unset environment variables.
 */
export const toPlain = (
  value: unknown
): { readonly value: unknown; readonly issues: ReadonlyArray<ConfigurationIssue> } => {
  const issues: Array<ConfigurationIssue> = []
  const copy = (one: unknown, path: Path, above: ReadonlyArray<unknown>): unknown => {
    if (one === undefined) {
      issues.push(absent(path))
      return undefined
    }
    if (typeof one === "string") {
      if (!one.isWellFormed()) issues.push(notJson(one, path, "holds half a character (a lone surrogate)"))
      return one
    }
    if (one === null || typeof one === "boolean") return one
    if (typeof one === "number") {
      if (!Number.isFinite(one)) issues.push(notJson(one, path, `expected a finite number, got ${one}`))
      return one
    }
    if (typeof one !== "object") {
      issues.push(notJson(one, path, `expected a JSON value, got ${found(one)}`))
      return null
    }
    if (above.includes(one)) {
      issues.push(notJson(one, path, "contains itself"))
      return null
    }
    if (above.length >= deepest) {
      issues.push(notJson(one, path, `is nested more than ${deepest} levels deep`))
      return null
    }
    const inside = [...above, one]
    const lost = unseen(one)
    if (lost !== undefined) issues.push(notJson(one, path, lost))
    if (Array.isArray(one)) return Array.from(one, (item, index) => copy(item, [...path, index], inside) ?? null)
    const prototype: unknown = Object.getPrototypeOf(one)
    // A module evaluated in another context has another Object.prototype, whose own prototype is null.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      issues.push(notJson(one, path, "expected a plain object, got an instance of a class"))
      return null
    }
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(one)) {
      let item: unknown
      try {
        item = (one as Record<string, unknown>)[key]
      } catch {
        issues.push(notJson(undefined, [...path, key], "expected a JSON value, got a getter that throws"))
        continue
      }
      const plain = copy(item, [...path, key], inside)
      // Defined, not assigned: `__proto__` must stay an ordinary key.
      if (plain !== undefined) {
        Object.defineProperty(result, key, { value: plain, enumerable: true, configurable: true, writable: true })
      }
    }
    return result
  }
  // A missing value is reported by the shape, which knows what is missing.
  return { value: value === undefined ? value : copy(value, [], []), issues }
}
