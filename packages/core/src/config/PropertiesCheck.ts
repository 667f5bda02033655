/**
 * Checks the properties of each stack, in each environment, against the schema of its provider.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Json } from "../domain/Release.ts"
import type { PropertyIssue, Provider } from "../spi/Provider.ts"
import { type ConfigurationIssue, didYouMean, formatPath, found, type Path } from "./ConfigurationIssue.ts"
import { references } from "./References.ts"
import type { Sketch } from "./Sketch.ts"
import { substitute } from "./Variables.ts"
import { isObject } from "./ShapeWalk.ts"

const standard = SchemaIssue.makeFormatterStandardSchemaV1()
const sentence = (issue: SchemaIssue.Issue): string => standard(issue).issues[0]?.message ?? "Expected a valid value"

const article = (expected: string): string =>
  expected
    .replace(/^Expected /, "")
    .replaceAll(/\s*\| undefined/g, "")
    .replaceAll(/\bboolean\b/g, "true or false")
    .replace(/^(string|number|object|array|integer)\b/, (word) => (/^[aio]/.test(word) ? `an ${word}` : `a ${word}`))
    .replaceAll(/\bstring\b/g, "text")

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inside, part) => (typeof inside === "object" && inside !== null ? Reflect.get(inside, part) : undefined),
    value
  )

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const typeFound = (value: unknown): string =>
  typeof value === "number" || typeof value === "boolean" ? `a ${typeof value}` : found(value)

const hintFor = (value: unknown, path: Path, expected: string): string => {
  if (value === undefined) return `Add ${path.length === 0 ? "it" : `"${path.at(-1)}"`} to the properties.`
  if (/\btext\b/.test(expected)) {
    if (value === null) return `Leave the key out, or write "" for an empty text.`
    if (typeof value === "number" || typeof value === "boolean") return "Write it as a text, in quotes."
  }
  return "See the properties in the documentation of the provider."
}

const mismatch = (root: unknown, path: Path, expected: string): PropertyIssue => {
  const value = at(root, path)
  return {
    path,
    message: value === undefined ? `is missing; expected ${expected}` : `expected ${expected}, got ${typeFound(value)}`,
    expected,
    hint: hintFor(value, path, expected)
  }
}

/** Issues of one decoding, except at or under a reference, since its value is not known yet. */
const findings = (issue: SchemaIssue.Issue, root: unknown, open: ReadonlyArray<Path>): ReadonlyArray<PropertyIssue> => {
  const hidden = (path: Path) => under(open, path)
  const walk = (one: SchemaIssue.Issue, path: Path): ReadonlyArray<PropertyIssue> => {
    if (hidden(path)) return []
    switch (one._tag) {
      case "Pointer":
        return walk(one.issue, [...path, ...one.path.map((part) => (typeof part === "number" ? part : String(part)))])
      case "Composite":
        return one.issues.flatMap((inner) => walk(inner, path))
      case "Encoding":
        return walk(one.issue, path)
      case "AnyOf": {
        const members = one.issues.map((inner) => walk(inner, path))
        if (members.length === 0) return [mismatch(root, path, article(sentence(one)))]
        // A union member that rejects only the references in the value: it may well fit once they are resolved.
        if (members.some((member) => member.length === 0)) return []
        return members.toSorted((left, right) => deepest(right) - deepest(left))[0]!
      }
      case "Filter": {
        if (one.issue._tag === "Pointer") return walk(one.issue, path)
        const expected = one.filter.annotations?.expected ?? one.filter.annotations?.message
        return [mismatch(root, path, typeof expected === "string" ? expected : article(sentence(one)))]
      }
      case "UnexpectedKey": {
        const keys = keysOf(one.ast)
        return [
          {
            path,
            message: "is not a known key",
            expected: keys.length === 0 ? "no keys" : `one of ${keys.join(", ")}`,
            hint: didYouMean(String(path.at(-1)), keys, "known keys")
          }
        ]
      }
      case "MissingKey":
        return [mismatch(root, path, "a value")]
      default:
        return [mismatch(root, path, article(sentence(one)))]
    }
  }
  return walk(issue, [])
}

const deepest = (list: ReadonlyArray<PropertyIssue>): number => Math.max(...list.map(({ path }) => path.length))

const under = (references: ReadonlyArray<Path>, path: Path): boolean =>
  references.some((reference) => reference.every((part, index) => path[index] === part))

/** The issues of the properties of one stack, as its provider sees them. */
export const issuesOf = (
  { checkProperties, properties: schema }: Pick<Provider, "checkProperties" | "properties">,
  properties: unknown,
  unknown: ReadonlyArray<Path> = []
): ReadonlyArray<PropertyIssue> => {
  const open = [...references(properties).map(([path]) => path), ...unknown]
  if (checkProperties !== undefined) {
    return checkProperties(properties, open).filter(({ path }) => !under(open, path))
  }
  const result = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: "error" })(properties)
  return Result.isSuccess(result) ? [] : findings(result.failure.issue, properties, open)
}

/**
 * Merges an environment's values into the manifest's: objects key by key, anything else (and references) as a whole.
 */
export const merge = (base: unknown, over: unknown): unknown => {
  if (over === undefined) return base
  if (!isObject(base) || !isObject(over) || isReference(base) || isReference(over)) return over
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [key, merge(base[key], over[key])])
  )
}

const isReference = (value: Readonly<Record<string, unknown>>): boolean =>
  Object.hasOwn(value, "$output") || Object.hasOwn(value, "$secret")

/** All issues of the properties of all stacks in all environments. */
export const check = (config: Sketch, installed: ReadonlyMap<string, Provider>): ReadonlyArray<ConfigurationIssue> => {
  const issues = new Map<string, ConfigurationIssue>()
  for (const stack of config.stacks) {
    const provider = stack.provider === undefined ? undefined : installed.get(stack.provider)
    if (provider === undefined) continue
    for (const environment of config.environments) {
      const over = config.overrides.find(
        (one) => one.environment === environment && one.stack === stack.name
      )?.properties
      const merged = merge(stack.properties, over)
      // The version and the commit become known with a request, and its provider checks them then.
      const { filled, value } = substitute(merged as Json, { environment })
      const later = filled.filter(({ complete }) => !complete).map(({ path }) => path)
      for (const { expected, hint, message, path } of issuesOf(provider, value, later)) {
        const written =
          over !== undefined && at(over, path) !== undefined
            ? ["environments", environment, "stacks", stack.name, "properties", ...path]
            : ["stacks", stack.index, "properties", ...path]
        const where = formatPath(written)
        issues.set(`${where} ${message}`, { path: where, message, expected, hint })
      }
    }
  }
  return [...issues.values()]
}
