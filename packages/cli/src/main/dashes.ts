/**
 * Words after the command of `run` belong to the command; without `--` before it, its flags are parsed as flags of
 * `run`.
 */
import type { FailureShape } from "./Failure.ts"

/** Flags without a value. */
const alone: ReadonlySet<string> = new Set(["--json", "--degraded", "--color", "--no-color"])

/** Where the command begins: at the first word that is neither a flag nor a flag's value. */
const beginOf = (words: ReadonlyArray<string>): number => {
  const isValue = (index: number): boolean => {
    const before = words[index - 1]
    return before !== undefined && before.startsWith("-") && !before.includes("=") && !alone.has(before)
  }
  return words.findIndex((word, index) => !word.startsWith("-") && !isValue(index))
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** The same failure; if it concerns a flag of the command, with the intended command line. */
export const dashes = (argv: ReadonlyArray<string>, failure: FailureShape): FailureShape => {
  const at = argv.indexOf("run")
  if (at === -1 || argv.includes("--") || failure.info.code !== "unrecognized_option") return failure
  const words = argv.slice(at + 1)
  const begin = beginOf(words)
  const flag = words.findIndex((word) => word.split("=")[0] === failure.info.path)
  if (begin === -1 || flag < begin) return failure
  const meant = [...argv.slice(0, at + 1), ...words.slice(0, begin), "--", ...words.slice(begin)]
  const hint = `What follows the command goes after --: signalbox ${meant.map(quoted).join(" ")}`
  return { ...failure, info: { ...failure.info, hint } }
}
