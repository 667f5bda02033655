/**
 * Imports a configuration module, and reports why it has no value.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { importWithHelpers } from "./importWithHelpers.ts"

class EndsProgram extends Error {
  override readonly name = "EndsProgram"
}

/** What a module must not do while it is loaded, and the alternative. */
const misdeeds = {
  exits: ["ends the program while it is loaded (process.exit)", "Throw an error instead."],
  never: ["never finishes loading: it awaits what never comes", "Look at what it awaits at its top level."]
} as const

let loading = 0
let exit = process.exit

/**
 * Loads a module and detects if it ends the program or leaves it without anything to do: the program would exit with 0,
 * as if all work were done.
 */
const loaded = async <A>(load: () => Promise<A>): Promise<A> => {
  if (loading++ === 0) exit = process.exit
  let idle = () => undefined as void
  const never = new Promise<never>((_, reject) => {
    idle = () => reject(new EndsProgram("never"))
  })
  process.once("beforeExit", idle)
  process.exit = () => {
    throw new EndsProgram("exits")
  }
  try {
    return await Promise.race([load(), never])
  } finally {
    if (--loading === 0) process.exit = exit
    process.off("beforeExit", idle)
  }
}

/** The first frame within the file itself, as `file:line:column`. */
const frameIn = (file: string, error: Error): { readonly line?: number; readonly column?: number } => {
  const url = pathToFileURL(file).href
  for (const frame of error.stack?.split("\n") ?? []) {
    const [, line, column] =
      frame.includes(url) || frame.includes(file) ? (/:(\d+)(?::(\d+))?\)?$/.exec(frame) ?? []) : []
    if (line !== undefined) return { line: Number(line), ...(column === undefined ? {} : { column: Number(column) }) }
  }
  return {}
}

const failed = (file: string, cause: unknown): ConfigFileInvalid => {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const at = frameIn(file, error)
  const { code } = error as NodeJS.ErrnoException
  const [message = ""] = error.message.split("\n")
  if (error instanceof EndsProgram) {
    const [detail, hint] = misdeeds[message as keyof typeof misdeeds]
    return new ConfigFileInvalid({ code: "config_failed", file, ...at, detail, hint })
  }
  if (code === "ENOENT" || (code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${file}' imported`))) {
    return new ConfigFileInvalid({
      code: "config_missing",
      file,
      detail: "there is no such file",
      hint: "Check the path given with --config or SIGNALBOX_CONFIG."
    })
  }
  if (code === "ERR_MODULE_NOT_FOUND") {
    const wanted = /'([^']+)'/.exec(message)?.[1] ?? "a module"
    return new ConfigFileInvalid({
      code: "config_failed",
      file,
      detail: `imports ${wanted}, which is not there`,
      hint: "Install it beside the configuration, or correct the import."
    })
  }
  if (error instanceof SyntaxError && /Cannot use import statement|Unexpected token 'export'/.test(message)) {
    return new ConfigFileInvalid({
      code: "config_syntax",
      file,
      ...at,
      detail: "is taken for CommonJS, because the package.json beside or above it says so",
      hint: `Say "type": "module" there, or use signalbox.config.mjs.`
    })
  }
  if (
    error instanceof SyntaxError ||
    code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX" ||
    code === "ERR_INVALID_TYPESCRIPT_SYNTAX"
  ) {
    return new ConfigFileInvalid({
      code: "config_syntax",
      file,
      ...at,
      detail:
        code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
          ? "uses TypeScript that is more than types (enum, namespace, parameter properties)"
          : `is not valid ${file.endsWith("ts") ? "TypeScript" : "JavaScript"}`,
      hint: `Correct it; ${file.endsWith("ts") ? "tsc --noEmit" : "node --check"} tells more.`
    })
  }
  // The message of an error from the file itself is the author's own; it is not repeated because it may contain a
  // secret.
  return new ConfigFileInvalid({
    code: "config_failed",
    file,
    ...at,
    detail: `threw ${/^[A-Z]\w*$/.test(error.name) ? `a ${error.name}` : "an error"} while it was loaded`,
    hint: `Run it by itself to see the error: node ${Path.basename(file)}`
  })
}

let loads = 0

/** The default export of a module. */
export const importConfig = (file: string): Effect.Effect<unknown, ConfigFileInvalid> =>
  Effect.gen(function* () {
    yield* Effect.filterOrFail(
      Effect.sync(() => Fs.statSync(file, { throwIfNoEntry: false })),
      (stat) => stat?.isFile() === true,
      (stat) =>
        new ConfigFileInvalid({
          code: stat === undefined ? "config_missing" : "config_unreadable",
          file,
          detail: stat === undefined ? "there is no such file" : "is not a file",
          hint: "Check the path given with --config or SIGNALBOX_CONFIG."
        })
    )
    const url = pathToFileURL(file)
    // Modules are cached by URL: a second load in one process must see a changed file.
    url.searchParams.set("load", `${Fs.statSync(file).mtimeMs}-${loads++}`)
    const module = yield* Effect.tryPromise({
      try: () => loaded(() => importWithHelpers(url)) as Promise<Readonly<Record<string, unknown>>>,
      catch: (cause) => failed(file, cause)
    })
    if (!("default" in module)) {
      return yield* new ConfigFileInvalid({
        code: "config_empty",
        file,
        detail: "has no default export",
        hint: "Write: export default defineConfig({ … })"
      })
    }
    const value = module.default
    if (value instanceof Promise) {
      value.catch(() => undefined)
      return yield* new ConfigFileInvalid({
        code: "config_empty",
        file,
        detail: "exports a Promise",
        hint: "Await it: export default defineConfig(await …)"
      })
    }
    if (typeof value === "function") {
      return yield* new ConfigFileInvalid({
        code: "config_empty",
        file,
        detail: "exports a function",
        hint: "Export the configuration itself: export default defineConfig({ … })"
      })
    }
    return value
  })
