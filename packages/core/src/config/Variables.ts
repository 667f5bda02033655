/**
 * Variables in the texts of properties: `${version}`, `${commit}` and `${environment}`; `$${` stands for `${` itself.
 */
import type { Json } from "../domain/Release.ts"
import type { StackSpec } from "../domain/Spec.ts"
import { type ConfigurationIssue, formatPath, type Path } from "./ConfigurationIssue.ts"
import { nearest } from "../text/nearest.ts"
import type { Sketch } from "./Sketch.ts"
import { isObject } from "./ShapeWalk.ts"

/** The names of the variables. */
export const variableNames = ["version", "commit", "environment"] as const
export type VariableName = (typeof variableNames)[number]

/** The values that a request gives to the variables. */
export type Variables = { readonly [Name in VariableName]?: string | undefined }

const isVariable = (name: string): name is VariableName => variableNames.some((known) => known === name)

const token = /\$\$\{|\$\{([^{}]*)\}|\$\{/g

/** A text with variables that was given its values; `complete` if all of them are known. */
export interface FilledText {
  readonly path: Path
  readonly text: string
  readonly complete: boolean
}

/** Texts with values; `missing` are the variables without a value, with the path of the first text that uses each. */
export interface Substituted {
  readonly value: Json
  readonly filled: ReadonlyArray<FilledText>
  readonly missing: ReadonlyMap<VariableName, Path>
}

/** Calls `visit` for each text in a value, except in references to outputs, and returns the value with its answers. */
const mapTexts = (value: Json, visit: (text: string, path: Path) => string, path: Path = []): Json => {
  if (typeof value === "string") return visit(value, path)
  if (Array.isArray(value)) return value.map((item: Json, index) => mapTexts(item, visit, [...path, index]))
  if (!isObject(value) || Object.hasOwn(value, "$output")) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapTexts(item as Json, visit, [...path, key])])
  )
}

/**
 * Gives the variables in the texts of a value their values, once: values are not looked into again.
 *
 * *Details*: a variable without a value, and one that does not exist, stays as it is.
 */
export const substitute = (value: Json, variables: Variables): Substituted => {
  const filled: Array<FilledText> = []
  const missing = new Map<VariableName, Path>()
  const result = mapTexts(value, (text, path) => {
    let uses = false
    let complete = true
    const changed = text.replaceAll(token, (found, name: string | undefined) => {
      if (found === "$${") return "${"
      if (name === undefined || !isVariable(name)) return found
      uses = true
      const given = variables[name]
      if (given !== undefined) return given
      if (!missing.has(name)) missing.set(name, path)
      complete = false
      return found
    })
    if (uses) filled.push({ path, text: changed, complete })
    return changed
  })
  return { value: result, filled, missing }
}

/** The properties of a stack as a request fills them. */
export const substituteIn = (
  stack: StackSpec,
  variables: Variables
): {
  readonly stack: StackSpec
  readonly filled: ReadonlyArray<FilledText>
  readonly missing: Substituted["missing"]
} => {
  const { value, ...rest } = substitute(stack.properties, variables)
  return { ...rest, stack: { ...stack, properties: value as StackSpec["properties"] } }
}

const issue = (path: Path, message: string, hint: string): ConfigurationIssue => ({
  path: formatPath(path),
  message,
  expected: `one of ${variableNames.map((name) => `\${${name}}`).join(", ")}, or $\${ for the text \${`,
  hint
})

const issuesIn = (properties: unknown, base: Path): ReadonlyArray<ConfigurationIssue> => {
  const issues: Array<ConfigurationIssue> = []
  mapTexts(
    properties as Json,
    (text, path) => {
      for (const [found, name] of text.matchAll(token)) {
        if (found === "$${" || (name !== undefined && isVariable(name))) continue
        const meant = name === undefined ? undefined : nearest(name.trim(), variableNames)
        const itself = "Write $${ where the text itself has ${."
        issues.push(
          issue(
            path,
            name === undefined ? "has a ${ without its }" : "names a variable that does not exist",
            meant === undefined ? itself : `Did you mean \${${meant}}? ${itself}`
          )
        )
        break
      }
      return text
    },
    base
  )
  return issues
}

/** All unknown variables in the properties of all stacks. */
export const check = (config: Sketch): ReadonlyArray<ConfigurationIssue> => [
  ...config.stacks.flatMap(({ index, properties }) => issuesIn(properties, ["stacks", index, "properties"])),
  ...config.overrides.flatMap(({ environment, properties, stack }) =>
    issuesIn(properties, ["environments", environment, "stacks", stack, "properties"])
  )
]
