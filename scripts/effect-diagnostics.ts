/**
 * Runs the Effect language service over the sources of all packages: Effects that never run, missing `return` before
 * `yield*`, keys that do not follow the file, and the like. Its rules are the `plugins` of `tsconfig.base.json`; the
 * compiler that understands them is a build of the pinned TypeScript version, so nothing has to be patched.
 */
import { join } from "node:path"
import { packages, run } from "./repository.ts"

const compiler = run("effect-tsgo", ["get-exe-path"]).trim()
const failures = packages.flatMap((folder) => {
  try {
    run(compiler, ["-p", join(folder, "tsconfig.json"), "--noEmit"])
    return []
  } catch (error) {
    return [String(error)]
  }
})
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1
