import * as Schema from "effect/Schema"
import type { EdgeError } from "../domain/errors/index.ts"
import { nearest } from "../text/nearest.ts"

/**
 * One issue of a configuration.
 *
 * *Details*: `path` points into the configuration, such as `stacks[1].strategy.steps[0].weight`; it is empty for the
 * configuration as a whole. `line` and `column`, from 1, locate it in a JSON or YAML file. Values that could be secrets
 * are never quoted.
 */
export const ConfigurationIssue = Schema.Struct({
  path: Schema.String,
  message: Schema.String,
  expected: Schema.String,
  hint: Schema.String,
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.Int)
})
export type ConfigurationIssue = typeof ConfigurationIssue.Type

const line = (issue: ConfigurationIssue): string =>
  issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`

/**
 * A configuration that cannot be used, with all its issues in the order of the file.
 *
 * *Errors*: not retryable; nothing was written or called.
 */
export class ConfigurationInvalid extends Schema.TaggedError<ConfigurationInvalid>()("ConfigurationInvalid", {
  issues: Schema.NonEmptyArray(ConfigurationIssue),
  file: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const [first, ...others] = this.issues
    const where = this.file === undefined ? "" : `${this.where}: `
    return [`${where}${line(first)}`, ...others.map((issue) => `  ${line(issue)}`)].join("\n")
  }

  /** The file, with the line and the column of the first issue if they are known. */
  get where(): string {
    const [first] = this.issues
    return [this.file, first.line, first.column].filter((part) => part !== undefined).join(":")
  }

  /** The first issue, as every surface shows it. */
  get info(): EdgeError {
    const first = this.issues[0]
    return {
      code: "configuration_invalid",
      message: first.message,
      hint: first.hint,
      path: first.path
    }
  }
}

/**
 * The location of a value in the configuration.
 */
export type Path = ReadonlyArray<string | number>

/**
 * Writes a path as JavaScript would.
 */
export const formatPath = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`
    if (!/^[A-Za-z_$][\w$-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`
    return text === "" ? part : `${text}.${part}`
  }, "")

/**
 * Describes a value without revealing its text.
 */
export const found = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (value === null) return "null"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  switch (typeof value) {
    case "string":
      return value === "" ? "an empty text" : "a text"
    case "number":
      return `the number ${value}`
    case "boolean":
      return String(value)
    case "object":
      return "an object"
    default:
      return `a ${typeof value}`
  }
}

/**
 * "Did you mean …?", or the list of choices.
 */
export const didYouMean = (word: string, candidates: ReadonlyArray<string>, what: string): string => {
  const best = nearest(word, candidates)
  if (best !== undefined) return `Did you mean "${best}"?`
  return candidates.length === 0 ? `There are no ${what}.` : `The ${what} are: ${candidates.join(", ")}.`
}

/**
 * Names what is missing: quoted if it is plainly a misspelling, otherwise not at all, since it could be anything.
 */
export const noSuch = (what: string, word: string, candidates: ReadonlyArray<string>): string =>
  nearest(word, candidates) === undefined ? `there is no such ${what}` : `there is no ${what} "${word}"`
