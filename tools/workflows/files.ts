import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const names = {
  output: "GITHUB_OUTPUT",
  state: "GITHUB_STATE",
  env: "GITHUB_ENV",
  path: "GITHUB_PATH",
  summary: "GITHUB_STEP_SUMMARY"
} as const

/** The files through which one step speaks to the runner. */
export interface StepFiles {
  readonly env: Readonly<Record<string, string>>
  readonly read: (name: keyof typeof names) => string
  readonly values: (name: "output" | "state" | "env") => Readonly<Record<string, string>>
}

/** The values of such a file: `name=value`, or a heredoc. Anything else fails the step, as on the runner. */
export const valuesOf = (text: string): Readonly<Record<string, string>> => {
  const values: Record<string, string> = {}
  const lines = text.split("\n")
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    if (line === "") continue
    const [, name, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (name !== undefined) {
      const end = lines.indexOf(delimiter!, index + 1)
      if (end === -1) throw new Error(`Matching delimiter not found '${delimiter}'`)
      values[name] = lines.slice(index + 1, end).join("\n")
      index = end
      continue
    }
    const equals = line.indexOf("=")
    if (equals < 1) throw new Error(`Invalid format '${line}'`)
    values[line.slice(0, equals)] = line.slice(equals + 1)
  }
  return values
}

/** Makes the files of a step, empty. */
export const stepFiles = (folder: string): StepFiles => {
  const home = mkdtempSync(join(folder, "step-"))
  const paths = Object.fromEntries(Object.keys(names).map((name) => [name, join(home, name)]))
  for (const path of Object.values(paths)) writeFileSync(path, "")
  const read: StepFiles["read"] = (name) => readFileSync(paths[name]!, "utf8")
  return {
    env: Object.fromEntries(Object.entries(names).map(([name, variable]) => [variable, paths[name]!])),
    read,
    values: (name) => valuesOf(read(name))
  }
}
