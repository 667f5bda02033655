/**
 * Writes `docs/api/*.md` from the doc comments of what the packages export, as their declarations have them.
 *
 *     node scripts/api.ts           writes them; the packages must have been built
 *     node scripts/api.ts --check   fails where one differs, or where an export has no words
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { root } from "./repository.ts"

/** The entry points, those first whose exports others repeat. */
const entries = [
  ["core-spi", "@signalbox/core/spi", "packages/core/dist/spi/index.d.ts"],
  ["core-analysis", "@signalbox/core/analysis", "packages/core/dist/analysis/index.d.ts"],
  ["core-text", "@signalbox/core/text", "packages/core/dist/text/index.d.ts"],
  ["core-testing", "@signalbox/core/testing", "packages/core/dist/testing/index.d.ts"],
  ["core-api", "@signalbox/core/api", "packages/core/dist/api/index.d.ts"],
  ["core-config", "@signalbox/core/config", "packages/core/dist/config/index.d.ts"],
  ["core-plugin", "@signalbox/core/plugin", "packages/core/dist/plugin/index.d.ts"],
  ["core-engine", "@signalbox/core/engine", "packages/core/dist/engine/index.d.ts"],
  ["core", "@signalbox/core", "packages/core/dist/index.d.ts"],
  ["node", "@signalbox/node", "packages/node/dist/index.d.ts"],
  ["fault-proxy", "@signalbox/fault-proxy", "packages/fault-proxy/dist/index.d.ts"],
  ["provider-local", "@signalbox/provider-local", "packages/provider-local/dist/index.d.ts"],
  ["provider-aws", "@signalbox/provider-aws", "packages/provider-aws/dist/index.d.ts"],
  ["provider-aws-testing", "@signalbox/provider-aws/testing", "packages/provider-aws/dist/testing/index.d.ts"],
  ["provider-gcp", "@signalbox/provider-gcp", "packages/provider-gcp/dist/index.d.ts"],
  ["provider-gcp-testing", "@signalbox/provider-gcp/testing", "packages/provider-gcp/dist/testing/index.d.ts"],
  ["notify", "@signalbox/notify", "packages/notify/dist/index.d.ts"],
  ["notify-testing", "@signalbox/notify/testing", "packages/notify/dist/testing/index.d.ts"]
] as const

interface Declared {
  readonly name: string
  readonly file: string
  readonly docs: Array<string>
  readonly code: Array<string>
}

/** Statements begin at the margin, and nothing within them does but what closes them. */
const statementsOf = (file: string): ReadonlyArray<{ readonly doc: string; readonly code: string }> => {
  const text = readFileSync(file, "utf8").replace(/^\/\/#.*$/gm, "")
  const parts = text.split(/^(?=export |declare |import |\/\*\*)/m)
  return parts.flatMap((part, index) => {
    const before = parts[index - 1] ?? ""
    const doc = before.startsWith("/**") ? plain(before) : ""
    return part.startsWith("/**") ? [] : [{ doc, code: part.trim() }]
  })
}

/** The text of a doc comment, without its frame and its tags. Fences in it are not for the compiler: they are parts. */
const plain = (comment: string): string =>
  comment
    .replace(/^\/\*\*\s?/, "")
    .replace(/\s*\*\/\s*$/, "")
    .replace(/^[ \t]*\* ?/gm, "")
    .replace(/^```ts$/gm, "```typescript")
    .trim()

/** What a module exports, by name; a name may be a value and a type at once. */
const exportsOf = (file: string): ReadonlyMap<string, Declared> => {
  const found = new Map<string, Declared>()
  const add = (name: string, declared: Declared) => {
    const known = found.get(name)
    if (known?.file !== declared.file) return found.set(name, declared)
    known.docs.push(...declared.docs)
    return known.code.push(...declared.code)
  }
  const at = (path: string) => join(dirname(file), path.replace(/\.ts$/, ".d.ts"))
  const local = new Map<string, Declared>()
  for (const { code, doc } of statementsOf(file)) {
    const declared =
      /^(export )?(?:declare )?(?:abstract )?(?:const|class|interface|type|function|namespace) (\w+)/.exec(code)
    if (declared !== null) {
      const one = { name: declared[2]!, file, docs: doc === "" ? [] : [doc], code: [code] }
      if (declared[1] === undefined) local.set(one.name, one)
      else add(one.name, one)
      continue
    }
    const star = /^export (?:type )?\* (?:as (\w+) )?from "(.+)"/.exec(code)
    if (star?.[2]?.startsWith(".") === true) {
      for (const [name, one] of exportsOf(at(star[2]))) add(star[1] === undefined ? name : `${star[1]}.${name}`, one)
      continue
    }
    const named = /^export (?:type )?\{([^}]*)\}(?: from "(.+)")?/.exec(code)
    if (named === null || (named[2] !== undefined && !named[2].startsWith("."))) continue
    const source = named[2] === undefined ? local : exportsOf(at(named[2]))
    for (const item of named[1]!.split(",").filter((part) => part.trim() !== "")) {
      const [from = "", to = from] = item
        .trim()
        .replace(/^type /, "")
        .split(" as ")
      const one = source.get(from)
      if (one !== undefined) add(to, { ...one, docs: [...one.docs], code: [...one.code] })
    }
  }
  return found
}

/** At most 150 lines; the type of a schema's values goes without saying. */
const shown = (code: ReadonlyArray<string>): string => {
  const said = code.filter((one) => !/^export type (\w+) = typeof \1\.Type;$/.test(one))
  const lines = said.flatMap((one) => one.replace(/^export (declare )?/, "").split("\n"))
  return [...lines.slice(0, 150), ...(lines.length > 150 ? ["// …"] : [])].join("\n")
}

/** Every page by its name, and the exports without a comment. */
export const pages = (): { readonly pages: ReadonlyMap<string, string>; readonly wordless: ReadonlyArray<string> } => {
  const wordless: Array<string> = []
  const written = new Map<string, string>()
  const result = new Map<string, string>()
  for (const [page, specifier, entry] of entries) {
    const sections: Array<string> = []
    const elsewhere = new Map<string, number>()
    const all = [...exportsOf(join(root, entry))].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    for (const [name, { code, docs, file }] of all) {
      const key = `${file}#${name.split(".").at(-1)}`
      const before = written.get(key)
      if (before !== undefined) {
        elsewhere.set(before, (elsewhere.get(before) ?? 0) + 1)
        continue
      }
      written.set(key, page)
      const source = relative(root, file)
        .replace("/dist/", "/src/")
        .replace(/\.d\.ts$/, ".ts")
      if (docs.join("").trim() === "") wordless.push(`${specifier}: ${name} (${source})`)
      sections.push(
        `## ${name}`,
        docs.join("\n\n"),
        `\`\`\`typescript\n${shown(code)}\n\`\`\``,
        `[Source](../../${source})`
      )
    }
    const others = [...elsewhere].map(([other, n]) => `[${n} more](${other}.md)`)
    result.set(
      page,
      [
        `# ${specifier}`,
        "Written by `scripts/api.ts` from the doc comments of the sources; change those, not this page.",
        ...(others.length === 0 ? [] : [`It also exports what is described elsewhere: ${others.join(", ")}.`]),
        ...sections.filter((section) => section !== "")
      ].join("\n\n") + "\n"
    )
  }
  return { pages: result, wordless }
}

const folder = join(root, "docs", "api")

if (import.meta.main) {
  const { pages: all, wordless } = pages()
  const failures = wordless.map((one) => `no words for ${one}`)
  if (process.argv.includes("--check")) {
    const there = existsSync(folder) ? readdirSync(folder) : []
    for (const name of new Set([...all.keys(), ...there.map((file) => file.replace(/\.md$/, ""))])) {
      const file = join(folder, `${name}.md`)
      if (existsSync(file) && readFileSync(file, "utf8") === all.get(name)) continue
      failures.push(`docs/api/${name}.md differs from the sources: run node_modules/.bin/node scripts/api.ts`)
    }
  } else {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of all) writeFileSync(join(folder, `${name}.md`), text)
  }
  for (const failure of failures) console.error(failure)
  process.exitCode = failures.length === 0 ? 0 : 1
}
