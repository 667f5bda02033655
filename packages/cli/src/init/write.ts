/**
 * Writes what `init` can begin a project with.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { ExitCode } from "../main/ExitCode.ts"
import { Failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"

/** Files: their paths with `/`, and their texts. */
export type Template = ReadonlyArray<readonly [path: string, text: string]>

const taken = (path: string, isPackage: boolean): Failure =>
  new Failure({
    exitCode: ExitCode.failed,
    info: {
      code: "example_exists",
      message: `${path} is there already; nothing was written`,
      hint: isPackage
        ? "Name another folder for the package: signalbox init --template adapter my-adapter"
        : "Make a deployment from your own configuration with: signalbox init. For the example take an empty folder."
    }
  })

/**
 * Writes the files of a template into the folder, and overwrites nothing; returns their paths. Folders of the template
 * must not exist yet. `packageIn` is the folder of a package, which is no deployment.
 */
export const writeTemplate = Effect.fnUntraced(function* (
  { host, settings }: Invocation,
  files: Template,
  packageIn?: string
): Effect.fn.Return<ReadonlyArray<string>, Failure> {
  const directory = packageIn ?? settings.directory
  const isPackage = packageIn !== undefined
  const shown = (path: string) => Path.relative(host.cwd, path) || "."
  const paths = files.map(([name]) => Path.join(directory, name))
  const folders = paths.map((path) => Path.dirname(path)).filter((path) => path !== directory)
  // A configuration above this folder applies to it too, and would stop doing so.
  const config = isPackage ? undefined : settings.config
  const there = [config, ...paths, ...folders].find((path) => path !== undefined && Fs.existsSync(path))
  if (there !== undefined) return yield* taken(shown(there), isPackage)
  yield* Effect.try({
    try: () => {
      for (const [index, [, text]] of files.entries()) {
        Fs.mkdirSync(Path.dirname(paths[index]!), { recursive: true })
        Fs.writeFileSync(paths[index]!, text, { flag: "wx" })
      }
    },
    catch: (cause) => {
      const { code, path } = cause as NodeJS.ErrnoException
      if (code === "EEXIST") return taken(shown(path ?? directory), isPackage)
      return new Failure({
        exitCode: ExitCode.unavailable,
        info: {
          code: "example_unwritable",
          message: `${shown(path ?? directory)} cannot be written (${code ?? "unknown reason"})`,
          hint: "Make the folder writable, or choose another folder with --directory."
        }
      })
    }
  })
  return paths
})
