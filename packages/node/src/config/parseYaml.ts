import type * as Yaml from "yaml"
import { Configuration } from "@signalbox/core/config"
import { NotParsed, type Parsed, positions, twice } from "./Parsed.ts"

type Path = Configuration.Written["path"]

/** More nodes than any configuration has, and fewer than aliases of aliases can make. */
const most = 100_000
const deepest = 1000

/** The accepted tags: the kinds that JSON knows. Any other tag would be ignored silently. */
const tags = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`))

/**
 * Parses YAML into JSON values, and also records where each value is written and, for unquoted ones, how. Rejects
 * whatever would lose a part of it: a second document, a duplicate key, a merge key, an unknown tag.
 */
export const parseYaml = (
  { isAlias, isMap, isScalar, isSeq, parseAllDocuments }: typeof Yaml,
  text: string
): Parsed => {
  const written: Array<Configuration.Written> = []
  const place = positions(text)
  const offsetOf = (node: unknown): number => (node as { readonly range?: Yaml.Range | null } | null)?.range?.[0] ?? 0

  const documents = [
    ...parseAllDocuments(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false, logLevel: "silent" })
  ]
  const [document, second] = documents
  if (document === undefined) return { value: null, written }
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    const code = error.code.toLowerCase().replaceAll("_", " ")
    throw new NotParsed(error.pos[0], `the YAML is not valid (${code})`, "Correct the YAML there.")
  }
  if (second !== undefined) {
    // Its first line, if there is one; its contents come after that.
    const end = document.range[1]
    const marker = text.slice(end).search(/^---/m)
    throw new NotParsed(
      marker === -1 ? second.range[0] : end + marker,
      "a second YAML document begins here, and only one is read",
      "Put everything into one document: remove the line --- or move what follows into a file of its own."
    )
  }

  let nodes = 0
  const object = (node: Yaml.YAMLMap, path: Path, above: ReadonlyArray<unknown>): unknown => {
    const result: Record<string, unknown> = {}
    const lines = new Map<string, number>()
    for (const { key, value: item } of node.items) {
      const start = offsetOf(key)
      const name = isScalar(key) ? String(key.value) : ""
      if (name === "<<" && isScalar(key) && key.type === "PLAIN") {
        throw new NotParsed(
          start,
          "merge keys (<<) are not known",
          "Write the keys out, or use an alias for the whole value."
        )
      }
      const inside = [...path, name]
      const before = lines.get(name)
      if (before !== undefined) throw twice(start, Configuration.formatPath(inside), before)
      lines.set(name, place(start).line)
      const plain = item === null ? null : value(item, inside, above)
      if (item === null) written.push({ path: inside, ...place(start) })
      // Defined, not assigned: `__proto__` must stay an ordinary key.
      Object.defineProperty(result, name, { value: plain, enumerable: true, configurable: true, writable: true })
    }
    return result
  }
  const value = (node: unknown, path: Path, above: ReadonlyArray<unknown>): unknown => {
    const start = offsetOf(node)
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target === undefined || above.includes(target)) {
        throw new NotParsed(start, "the YAML uses an alias that cannot be resolved", "Correct the YAML there.")
      }
      return value(target, path, above)
    }
    if (++nodes > most || above.length > deepest) {
      throw new NotParsed(start, "the YAML is too large, or its aliases make it so", "Make it smaller.")
    }
    const { tag } = node as { readonly tag?: string }
    if (tag !== undefined && !tags.has(tag)) {
      throw new NotParsed(start, "the YAML has a tag that is not known", "Remove the tag, or write the value out.")
    }
    if (isMap(node)) {
      written.push({ path, ...place(start) })
      return object(node, path, [...above, node])
    }
    if (isSeq(node)) {
      written.push({ path, ...place(start) })
      return node.items.map((item, index) => value(item, [...path, index], [...above, node]))
    }
    if (!isScalar(node)) return null
    const { source, type } = node
    const isPlain = type === "PLAIN" && source !== undefined && typeof node.value !== "string"
    written.push({ path, ...place(start), ...(isPlain ? { text: source, plain: true } : {}) })
    // The dates and bytes of YAML 1.1 do not exist in JSON; they stay strings.
    return typeof node.value === "object" && node.value !== null ? source : node.value
  }
  return { value: value(document.contents, [], []), written }
}
