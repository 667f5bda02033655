/**
 * Reads a configuration file of any known kind into an unknown value.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { importConfig } from "./importConfig.ts"
import { NotParsed, type Parsed, positions } from "./Parsed.ts"
import { parseJson } from "./parseJson.ts"
import { parseYaml } from "./parseYaml.ts"

const unreadable = (file: string, cause: unknown): ConfigFileInvalid => {
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

const readText = (file: string): Effect.Effect<string, ConfigFileInvalid> =>
  Effect.gen(function* () {
    const bytes = yield* Effect.try({ try: () => Fs.readFileSync(file), catch: (cause) => unreadable(file, cause) })
    return yield* Effect.try({
      // Drops a byte order mark, which is not part of the text, and replaces nothing.
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () =>
        new ConfigFileInvalid({
          code: "config_unreadable",
          file,
          detail: "is not text in UTF-8",
          hint: "Save it as UTF-8."
        })
    })
  })

const parsed = (
  file: string,
  text: string,
  parse: (text: string) => Parsed
): Effect.Effect<Parsed, ConfigFileInvalid> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(parse(text))
    } catch (error) {
      if (!(error instanceof NotParsed)) throw error
      const { hint, message, offset } = error
      return Effect.fail(
        new ConfigFileInvalid({ code: "config_syntax", file, ...positions(text)(offset), detail: message, hint })
      )
    }
  })

const parseOf = (file: string): Effect.Effect<((text: string) => Parsed) | undefined> => {
  switch (Path.extname(file)) {
    case ".json":
      return Effect.succeed(parseJson)
    case ".yaml":
    case ".yml":
      // Loaded only where a YAML file is used: it is a third of the size of everything else here.
      return Effect.map(
        Effect.promise(() => import("yaml")),
        (yaml) => (text) => parseYaml(yaml, text)
      )
    default:
      return Effect.succeed(undefined)
  }
}

const modules = [".ts", ".mts", ".mjs", ".js", ".cjs"]

/**
 * Whether a configuration file is a module, whose code runs when it is read, rather than a text that is parsed.
 */
export const isModule = (file: string): boolean => modules.includes(Path.extname(file))

/** Reads a file by its extension, with the notation of its values if it is parsed text. */
export const readConfig = Effect.fnUntraced(function* (file: string): Effect.fn.Return<Parsed, ConfigFileInvalid> {
  const parse = yield* parseOf(file)
  if (parse === undefined && !isModule(file)) {
    return yield* new ConfigFileInvalid({
      code: "config_unreadable",
      file,
      detail: "has an extension that is not known",
      hint: "Use .ts, .mjs, .js, .json, .yaml or .yml."
    })
  }
  const read =
    parse === undefined
      ? { value: yield* importConfig(file), written: [] }
      : yield* parsed(file, yield* readText(file), parse)
  if (read.value !== null && read.value !== undefined) return read
  return yield* new ConfigFileInvalid({
    code: "config_empty",
    file,
    detail: "is empty",
    hint: "Give it organization, project, environments and stacks."
  })
})

/**
 * Reads a file by its extension: `.json`, `.yaml`, `.yml`, or a module (`.ts`, `.mts`, `.mjs`, `.js`, `.cjs`) whose
 * default export is the value. TypeScript is loaded by Node's own type stripping.
 *
 * *Details*: rejects whatever would lose a part of the file: a second YAML document, a duplicate key, bytes that are
 * not UTF-8.
 *
 * *Errors*: `ConfigFileInvalid`, with line and column if they are known.
 */
export const readConfigFile = (file: string): Effect.Effect<unknown, ConfigFileInvalid> =>
  Effect.map(readConfig(file), ({ value }) => value)
