/**
 * Flags that ask for help or for the version are removed from a command line before anything else is read, wherever
 * they are. If a value is missing before one of them, as with an empty variable in `--version $VERSION -v`, the program
 * would print something, do nothing and exit with 0.
 */
import type * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"

type Level = Completions.CommandDescriptor

/** The flags of a command; for one with subcommands, their common flags. */
const flagsOf = ({ flags, subcommands: [first, ...others] }: Level): Level["flags"] =>
  first === undefined
    ? flags
    : flagsOf(first).filter(({ name }) => others.every((other) => flagsOf(other).some((flag) => flag.name === name)))

const isFlag = (word: string): boolean => /^-(?!\d|\.\d|$)/.test(word)

/** `-ab` is `-a -b`. */
const separate = (word: string): ReadonlyArray<string> =>
  isFlag(word) && !word.startsWith("--") && !word.includes("=")
    ? Array.from(word.slice(1), (flag) => `-${flag}`)
    : [word]

const before = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = argv.indexOf("--")
  return (end === -1 ? argv : argv.slice(0, end)).flatMap(separate)
}

/** Whether a command line asks for help or for the version, or might. */
export const asksForText = (argv: ReadonlyArray<string>): boolean =>
  before(argv).some((word) => ["--help", "-h", "--version", "-v"].includes(word.split("=")[0]!))

/** Walks a command line: the command that it names, and the first flag with a missing value before another flag. */
export const walk = (
  root: Command.Command.Any,
  argv: ReadonlyArray<string>
): { readonly command: ReadonlyArray<string>; readonly missing: string | undefined } => {
  let level = Completions.fromCommand(root)
  const command: Array<string> = []
  const words = before(argv)
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (!isFlag(word)) {
      const next = level.subcommands.find(({ name }) => name === word)
      if (next === undefined) continue
      level = next
      command.push(word)
      continue
    }
    const name = word.replace(/^--?/, "")
    const flag = flagsOf(level).find((one) => one.name === name || one.aliases.includes(name))
    if (flag === undefined || flag.type._tag === "Boolean") continue
    const value = words[index + 1]
    if (value === undefined || isFlag(value)) return { command, missing: word }
    index++
  }
  return { command, missing: undefined }
}
