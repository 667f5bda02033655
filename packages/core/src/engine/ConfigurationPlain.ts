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

/**
 * Copies a value as JSON knows it: keys without a value are left out, and what JSON cannot hold is reported. A
 * configuration module can hand over anything: cycles, functions, getters that throw.
 */
export const toPlain = (
  value: unknown
): { readonly value: unknown; readonly issues: ReadonlyArray<ConfigurationIssue> } => {
  const issues: Array<ConfigurationIssue> = []
  const copy = (one: unknown, path: Path, above: ReadonlyArray<unknown>): unknown => {
    if (one === null || typeof one === "string" || typeof one === "boolean" || one === undefined) return one
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
    if (Array.isArray(one)) return Array.from(one, (item, index) => copy(item, [...path, index], inside) ?? null)
    const prototype: unknown = Object.getPrototypeOf(one)
    // A module evaluated in another context has another Object.prototype; its own prototype is null then.
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
  return { value: copy(value, [], []), issues }
}
