import { Configuration } from "@signalbox/core/config"
import { NotParsed, type Parsed, positions, twice } from "./Parsed.ts"

type Path = Configuration.Written["path"]

const deepest = 1000

/**
 * Parses JSON as `JSON.parse` does, and also records where each value is written. Invalid JSON is reported with its
 * offset, without quoting the text, as `JSON.parse` would. A duplicate key is rejected.
 */
export const parseJson = (text: string): Parsed => {
  const written: Array<Configuration.Written> = []
  const place = positions(text)
  let at = 0

  const invalid = (): NotParsed => {
    const rest = text.slice(at).trim()
    const why = text.trim() === "" ? "is empty" : rest === "" ? "the JSON ends too early" : "the JSON is not valid"
    return new NotParsed(at, why, "Correct the JSON there.")
  }
  /** Consumes a match here; undefined if there is none. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    at += match?.length ?? 0
    return match
  }
  const space = () => void take(/[ \t\r\n]*/y)
  const string = (): string | undefined => {
    const token = take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y)
    return token === undefined ? undefined : (JSON.parse(token) as string)
  }
  /** Reads members up to the closing bracket. */
  const members = (close: RegExp, member: (index: number) => void): void => {
    space()
    if (take(close) !== undefined) return
    let index = 0
    do {
      space()
      member(index++)
      space()
    } while (take(/,/y) !== undefined)
    if (take(close) === undefined) throw invalid()
  }
  const object = (path: Path): unknown => {
    const result: Record<string, unknown> = {}
    const lines = new Map<string, number>()
    members(/\}/y, () => {
      const start = at
      const key = string()
      if (key === undefined) throw invalid()
      const inside = [...path, key]
      const before = lines.get(key)
      if (before !== undefined) throw twice(start, Configuration.formatPath(inside), before)
      lines.set(key, place(start).line)
      space()
      if (take(/:/y) === undefined) throw invalid()
      const item = value(inside)
      // Defined, not assigned: `__proto__` must stay an ordinary key.
      Object.defineProperty(result, key, { value: item, enumerable: true, configurable: true, writable: true })
    })
    return result
  }
  const array = (path: Path): unknown => {
    const result: Array<unknown> = []
    members(/\]/y, (index) => result.push(value([...path, index])))
    return result
  }
  const value = (path: Path): unknown => {
    space()
    if (path.length > deepest) throw new NotParsed(at, `is nested more than ${deepest} levels deep`, "Make it flatter.")
    const start = at
    const note = (token?: string) =>
      written.push({ path, ...place(start), ...(token === undefined ? {} : { text: token }) })
    if (take(/\{/y) !== undefined) {
      note()
      return object(path)
    }
    if (take(/\[/y) !== undefined) {
      note()
      return array(path)
    }
    const quoted = string()
    if (quoted !== undefined) {
      note()
      return quoted
    }
    const token = take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)
    if (token === undefined) throw invalid()
    note(token)
    return JSON.parse(token)
  }

  const result = value([])
  space()
  if (at < text.length) throw invalid()
  return { value: result, written }
}
