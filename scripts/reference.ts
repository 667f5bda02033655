/**
 * Writes the part of `docs/cli.md` that the program itself knows: its commands with their arguments and flags, taken from
 * its help, each with an example and its exit codes from `scripts/cliExamples.ts`.
 *
 *     node scripts/reference.ts           writes it (after `npm run build`)
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { examples } from "./cliExamples.ts"
import { root } from "./repository.ts"

interface Row {
  readonly name: string
  readonly about: string
}

export interface Group {
  readonly title: string
  readonly commands: ReadonlyArray<Row>
}

export interface Help {
  readonly about: string
  readonly usage: string
  readonly sections: ReadonlyMap<string, ReadonlyArray<Row>>
}

/** Reads a page of help: headings at the margin, entries two spaces in, names and descriptions four or more apart. */
const parse = (text: string): Help => {
  const blocks = text
    .trim()
    .split("\n\n")
    .map((block) => {
      const [title = "", ...lines] = block.split("\n")
      return [title.replace(/:$/, ""), lines.map((line) => line.trim())] as const
    })
  const lines = new Map(blocks)
  return {
    about: lines.get("DESCRIPTION")?.join(" ") ?? "",
    usage: lines.get("USAGE")?.join(" ") ?? "",
    sections: new Map(
      blocks.map(([title, entries]) => [
        title,
        entries.map((entry) => {
          const [name = "", about = ""] = entry.split(/ {4,}/)
          return { name, about }
        })
      ])
    )
  }
}

/** The program's help on a command, or on itself. */
export const helpOf = (program: string, ...command: ReadonlyArray<string>): Help =>
  parse(execFileSync(process.execPath, [program, ...command, "--help"], { encoding: "utf8" }))

const shared = ["DESCRIPTION", "USAGE", "FLAGS", "GLOBAL FLAGS"]

/** The groups of commands, in the order of the help. */
export const groupsOf = (help: Help): ReadonlyArray<Group> =>
  [...help.sections].filter(([title]) => !shared.includes(title)).map(([title, commands]) => ({ title, commands }))

const listed = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.map(({ about, name }) => `- \`${name}\`: ${about.replace(/ \(optional\)$/, "")}`)

const rowsOf = (help: Help): ReadonlyArray<Row> => [
  ...(help.sections.get("ARGUMENTS") ?? []),
  ...(help.sections.get("FLAGS") ?? [])
]

/** A command of a command, with a list of its own. */
const subsection = (program: string, name: string, { about, name: sub }: Row): ReadonlyArray<string> => [
  `\`${name} ${sub}\`: ${about}.`,
  listed(rowsOf(helpOf(program, name, sub))).join("\n")
]

const section = (program: string, name: string): string => {
  const help = helpOf(program, name)
  const example = examples[name]
  if (example === undefined) throw new Error(`scripts/cliExamples.ts has no example of: signalbox ${name}`)
  const rows = rowsOf(help)
  return [
    `### ${name}`,
    `${help.about}.`,
    `\`\`\`sh\n${example.lines.join("\n")}\n\`\`\``,
    ...(rows.length === 0 ? [] : [listed(rows).join("\n")]),
    ...(help.sections.get("SUBCOMMANDS") ?? []).flatMap((sub) => subsection(program, name, sub)),
    `Exits with ${example.exits
      .toSorted((left, right) => left - right)
      .map((code) => `\`${code}\``)
      .join(", ")}.`
  ].join("\n\n")
}

/** The generated part. */
export const reference = (program: string): string => {
  const help = helpOf(program)
  return [
    "## Flags of every command",
    listed([...(help.sections.get("FLAGS") ?? []), ...(help.sections.get("GLOBAL FLAGS") ?? [])]).join("\n"),
    ...groupsOf(help).flatMap(({ commands, title }) => [
      `## ${title}`,
      ...commands.map(({ name }) => section(program, name))
    ])
  ].join("\n\n")
}

const begin = "<!-- what follows is written by scripts/reference.ts -->"
const end = "<!-- up to here -->"

/** A page with the generated part put in its place. */
export const insert = (page: string, part: string): string => {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) throw new Error(`docs/cli.md has no place for the reference: ${begin} … ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${part}\n\n${page.slice(to)}`
}

if (import.meta.main) {
  const file = join(root, "docs", "cli.md")
  const program = process.argv[2] ?? join(root, "packages/cli/dist/signalbox.cjs")
  writeFileSync(file, insert(readFileSync(file, "utf8"), reference(program)))
}
