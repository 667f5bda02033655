/**
 * Writes `docs/errors.md` from the registry of codes.
 *
 *     node scripts/errors.ts             writes it
 *     node scripts/errors.ts --check     fails where it is not current
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errors } from "../packages/core/src/domain/errors/Codes.ts"
import { edgeErrors } from "../packages/core/src/domain/errors/EdgeErrors.ts"
import type { ErrorSpec } from "../packages/core/src/domain/errors/Registry.ts"
import { root } from "./repository.ts"

const exits = {
  failed: 1,
  blocked: 2,
  not_found: 4,
  unavailable: 6,
  usage: 64,
  timeout: 124,
  interrupted: 130
} as const

const row = ([code, { exit, fault, meaning, params, retryable }]: readonly [string, ErrorSpec]): string => {
  const names = Object.entries(params).map(([name, type]) => `\`${name}${type.endsWith("?") ? "?" : ""}\``)
  return `| \`${code}\` | ${meaning} | ${exits[exit]} | ${fault} | ${retryable ? "yes" : "no"} | ${names.join(", ")} |`
}

const table = (specs: Readonly<Record<string, ErrorSpec>>): ReadonlyArray<string> => [
  "| code | meaning | exit code | fault | retryable | parameters |",
  "| --- | --- | --- | --- | --- | --- |",
  ...Object.entries(specs)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(row)
]

const page = `# Errors

<!-- Written by scripts/errors.ts from the registry in packages/core/src/domain/errors. -->

Errors are data: a stable \`code\`, named \`params\`, sometimes \`remedies\`, and \`detail\` for text from outside, such as the message of
a provider. \`message\` and \`hint\` are rendered from them where an error is shown. The exit code is the one of a command that
fails with the error; _fault_ says who has to act.

## Of the engine and its adapters

${table(errors).join("\n")}

## Of the command line, configuration files and the SDK

${table(edgeErrors).join("\n")}
`

const file = join(root, "docs", "errors.md")
if (process.argv.includes("--check")) {
  const cells = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---")
  if (cells(readFileSync(file, "utf8")) !== cells(page)) {
    process.stderr.write("docs/errors.md is not current: node scripts/errors.ts\n")
    process.exitCode = 1
  }
} else writeFileSync(file, page)
