/**
 * Reads a configuration file of any of the known kinds into an unknown value.
 *
 * @since 0.1.0
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { jsonErrorAt } from "./jsonErrorAt.ts"
import { importWithHelpers } from "./importWithHelpers.ts"

const positionOf = (text: string, offset: number) => {
  const before = text.slice(0, offset).split("\n")
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

const syntax = (file: string, at: { readonly line?: number; readonly column?: number }, detail: string, kind: string) =>
  new ConfigFileInvalid({
    code: "config_syntax",
    file,
    ...at,
    detail,
    hint: `Correct the ${kind} there.`
  })

const readText = (file: string): Effect.Effect<string, ConfigFileInvalid> =>
  Effect.try({
    // A byte order mark is no part of the text.
    try: () => Fs.readFileSync(file, "utf8").replace(/^\uFEFF/, ""),
    catch: (cause) => {
      const { code } = cause as NodeJS.ErrnoException
      return code === "ENOENT"
        ? new ConfigFileInvalid({
            code: "config_missing",
            file,
            detail: "there is no such file",
            hint: "Check the path given with --config or SIGNALBOX_CONFIG."
          })
        : new ConfigFileInvalid({
            code: "config_unreadable",
            file,
            detail: code === "EISDIR" ? "is a directory" : `cannot be read (${code ?? "unknown reason"})`,
            hint: "Check that it is a file that you may read."
          })
    }
  })

const parseJson = (file: string, text: string): Effect.Effect<unknown, ConfigFileInvalid> =>
  Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: () => {
      const offset = jsonErrorAt(text)
      const rest = text.slice(offset).trim()
      const detail = text.trim() === "" ? "is empty" : rest === "" ? "the JSON ends too early" : "the JSON is not valid"
      return syntax(file, positionOf(text, offset), detail, "JSON")
    }
  })

const parseYaml = (file: string, text: string): Effect.Effect<unknown, ConfigFileInvalid> =>
  Effect.gen(function* () {
    // Loaded only where a YAML file is used: it is a third of the size of everything else here.
    const Yaml = yield* Effect.promise(() => import("yaml"))
    const lines = new Yaml.LineCounter()
    const document = Yaml.parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      logLevel: "silent"
    })
    const [error] = document.errors
    if (error !== undefined) {
      const { col, line } = lines.linePos(error.pos[0])
      return yield* syntax(
        file,
        { line, column: col },
        `the YAML is not valid (${error.code.toLowerCase().replaceAll("_", " ")})`,
        "YAML"
      )
    }
    let alias: number | undefined
    Yaml.visit(document, {
      Alias: (_, node) => {
        if (node.resolve(document) === undefined) alias ??= node.range?.[0]
      }
    })
    return yield* Effect.try({
      try: () => document.toJS({ maxAliasCount: 100 }) as unknown,
      catch: () =>
        syntax(
          file,
          alias === undefined ? {} : positionOf(text, alias),
          "the YAML uses an alias that cannot be resolved",
          "YAML"
        )
    })
  })

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
  // The message of what the file itself threw is the author's own; it is not repeated because it may hold a secret.
  return new ConfigFileInvalid({
    code: "config_failed",
    file,
    ...at,
    detail: `threw ${/^[A-Z]\w*$/.test(error.name) ? `a ${error.name}` : "an error"} while it was loaded`,
    hint: `Run it by itself to see the error: node ${Path.basename(file)}`
  })
}

let loads = 0

const importModule = (file: string): Effect.Effect<unknown, ConfigFileInvalid> =>
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
    // Modules are kept by URL: a second load in one process must see a file that has changed.
    url.searchParams.set("load", `${Fs.statSync(file).mtimeMs}-${loads++}`)
    const loaded = yield* Effect.tryPromise({
      try: () => importWithHelpers(url) as Promise<Readonly<Record<string, unknown>>>,
      catch: (cause) => failed(file, cause)
    })
    if (!("default" in loaded)) {
      return yield* new ConfigFileInvalid({
        code: "config_empty",
        file,
        detail: "has no default export",
        hint: "Write: export default defineConfig({ … })"
      })
    }
    const value = loaded.default
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

/**
 * Reads a file by its extension: `.json`, `.yaml`, `.yml`, or a module (`.ts`, `.mts`, `.mjs`, `.js`, `.cjs`) whose default
 * export is the value. TypeScript is loaded by Node's own type stripping.
 *
 * *Errors*: `ConfigFileInvalid`, with line and column where they are known.
 *
 * @since 0.1.0
 */
export const readConfigFile = (file: string): Effect.Effect<unknown, ConfigFileInvalid> => {
  const empty = (value: unknown) =>
    value === null || value === undefined
      ? Effect.fail(
          new ConfigFileInvalid({
            code: "config_empty",
            file,
            detail: "is empty",
            hint: "Give it organization, project, environments and stacks."
          })
        )
      : Effect.succeed(value)
  switch (Path.extname(file)) {
    case ".json":
      return Effect.flatMap(
        Effect.flatMap(readText(file), (text) => parseJson(file, text)),
        empty
      )
    case ".yaml":
    case ".yml":
      return Effect.flatMap(
        Effect.flatMap(readText(file), (text) => parseYaml(file, text)),
        empty
      )
    case ".ts":
    case ".mts":
    case ".mjs":
    case ".js":
    case ".cjs":
      return Effect.flatMap(importModule(file), empty)
    default:
      return Effect.fail(
        new ConfigFileInvalid({
          code: "config_unreadable",
          file,
          detail: "has an extension that is not known",
          hint: "Use .ts, .mjs, .js, .json, .yaml or .yml."
        })
      )
  }
}
