/**
 * Checks all types, including tests, examples and scripts, and that the diagrams and the API reference match the
 * sources.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { packages, root, run } from "./repository.ts"

const examples = readdirSync(join(root, "examples")).map((name) => join(root, "examples", name))
const projects = [
  ...packages.map((folder) => join(folder, "tsconfig.test.json")),
  ...examples.map((folder) => join(folder, "tsconfig.json")),
  join(root, "tools", "tsconfig.json"),
  join(root, "bench", "tsconfig.json")
]

const failures = [
  ["tsc", "-b"],
  ...projects.filter(existsSync).map((project) => ["tsc", "-p", project]),
  ["node", "scripts/diagrams.ts", "--check"],
  ["node", "scripts/errors.ts", "--check"],
  ["node", "scripts/templates.ts", "--check"],
  ["node", "scripts/api.ts", "--check"]
].flatMap(([command = "", ...args]) => {
  try {
    run(command, args)
    return []
  } catch (error) {
    return [String(error)]
  }
})
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1
