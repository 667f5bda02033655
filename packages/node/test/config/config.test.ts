import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { output, secret } from "@signalbox/core/config"
import * as Effect from "effect/Effect"
import { findConfig, loadManifest, loadSettings, readConfigFile } from "../../src/config/index.ts"

let root: string
beforeAll(() => {
  root = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "signalbox-config-")))
})
afterAll(() => Fs.rmSync(root, { recursive: true, force: true }))

let count = 0
const folder = () => {
  const path = Path.join(root, String(count++))
  Fs.mkdirSync(path)
  return path
}
const write = (name: string, text: string, directory = folder()) => {
  const path = Path.join(directory, name)
  Fs.mkdirSync(Path.dirname(path), { recursive: true })
  Fs.writeFileSync(path, text)
  return path
}
const read = (file: string) => Effect.runPromise(readConfigFile(file))

interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly line?: number
  readonly column?: number
}

/** Loads files as Node does: the test runner would load modules itself, with other errors. */
const refuseAll = (files: ReadonlyArray<string>): ReadonlyArray<Refusal> => {
  const script = `
    import * as Effect from "effect/Effect"
    import { readConfigFile } from ${JSON.stringify(new URL("../../src/config/readConfigFile.ts", import.meta.url).href)}
    for (const file of JSON.parse(process.argv[1])) {
      const { code, message, hint, line, column } = await Effect.runPromise(Effect.flip(readConfigFile(file)))
      console.log(JSON.stringify({ code, message, hint, line, column }))
    }`
  const output = execFileSync(
    process.execPath,
    ["--conditions=@signalbox/source", "--input-type=module", "--eval", script, JSON.stringify(files)],
    { cwd: Path.dirname(fileURLToPath(import.meta.url)), encoding: "utf8" }
  )
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Refusal)
}

describe("findConfig", () => {
  it("looks upward, prefers TypeScript and stops at the root of the repository", () => {
    const directory = folder()
    write("signalbox.config.json", "{}", directory)
    const inside = Path.join(directory, "repo", "a", "b")
    Fs.mkdirSync(inside, { recursive: true })
    assert.strictEqual(findConfig(inside), Path.join(directory, "signalbox.config.json"))
    Fs.mkdirSync(Path.join(directory, "repo", ".git"))
    assert.isUndefined(findConfig(inside))
    write("repo/signalbox.config.yaml", "a: 1", directory)
    write("repo/signalbox.config.ts", "export default {}", directory)
    assert.strictEqual(findConfig(inside), Path.join(directory, "repo", "signalbox.config.ts"))
  })
})

describe("readConfigFile", () => {
  it.each([
    ["signalbox.config.ts", "interface A { a: number }\nconst a: A = { a: 1 }\nexport default a"],
    ["signalbox.config.mjs", "export default { a: 1 }"],
    ["signalbox.config.cjs", "module.exports = { a: 1 }"],
    ["signalbox.config.json", '\uFEFF{ "a": 1 }'],
    ["signalbox.config.yaml", "a: 1"],
    ["signalbox.config.yml", "a: 1"]
  ])("reads %s", async (name, text) => {
    assert.deepEqual((await read(write(name, text))) as unknown, { a: 1 })
  })

  it("sees a module that has changed", async () => {
    const file = write("signalbox.config.mjs", "export default { a: 1 }")
    await read(file)
    Fs.writeFileSync(file, "export default { a: 2 }")
    assert.deepEqual((await read(file)) as unknown, { a: 2 })
  })

  it("blames the right party for a module without a value", () => {
    const directory = folder()
    write("package.json", `{ "type": "commonjs" }`, directory)
    const [refusal] = refuseAll([write("a.ts", `import "node:fs"\nexport default {}`, directory)])
    assert.include(refusal?.message, "package.json")
    assert.include(refusal?.hint, "signalbox.config.mjs")
  })

  it("refuses what gives no value, with the place and a hint, and quotes nothing of it", () => {
    const cases: ReadonlyArray<readonly [string, string, string, number?, number?]> = [
      ["a.json", `{\n  "a": 1,\n  "b": hunter2\n}`, "config_syntax", 3, 8],
      ["a.json", `{\n  "a": 1`, "config_syntax", 2, 9],
      ["a.json", "", "config_syntax", 1, 1],
      ["a.json", "null", "config_empty"],
      ["a.yaml", "a: 1\nb: [1, 2\nc: hunter2", "config_syntax", 3, 1],
      ["a.yaml", "a: *nowhere", "config_syntax", 1, 4],
      ["a.yaml", "", "config_empty"],
      ["a.mjs", "export const a = 1", "config_empty"],
      ["a.mjs", "export default Promise.resolve({})", "config_empty"],
      ["a.mjs", "export default Promise.reject(new Error('hunter2'))", "config_empty"],
      ["a.mjs", "export default () => ({})", "config_empty"],
      ["a.mjs", "\nthrow new TypeError('hunter2')", "config_failed", 2, 7],
      ["a.mjs", "throw 'hunter2'", "config_failed"],
      ["a.mjs", "export default {", "config_syntax"],
      ["a.mjs", "import 'nowhere-to-be-found'", "config_failed"],
      ["a.ts", "enum A { B }\nexport default {}", "config_syntax"],
      ["a.ts", "const a: = 1\nexport default {}", "config_syntax"],
      ["a.toml", "a = 1", "config_unreadable"]
    ]
    const files = cases.map(([name, text]) => write(name, text))
    const missing = [Path.join(folder(), "a.ts"), Path.join(folder(), "a.json")]
    const refusals = refuseAll([...files, ...missing])
    cases.forEach(([name, text, code, line, column], index) => {
      const { message, ...error } = refusals[index]!
      const about = `${name} ${JSON.stringify(text)}: ${message}`
      assert.strictEqual(error.code, code, about)
      assert.include(message, files[index]!)
      assert.isNotEmpty(error.hint)
      assert.notInclude(JSON.stringify([message, error]), "hunter2")
      if (line !== undefined) assert.deepEqual([error.line, error.column], [line, column], about)
    })
    assert.deepEqual(
      refusals.slice(-2).map(({ code }) => code),
      ["config_missing", "config_missing"]
    )
  })
})

describe("the helpers of configurations", () => {
  const load = (text: string): unknown => {
    const file = write("signalbox.config.ts", text)
    const script = `
      import * as Effect from "effect/Effect"
      import { readConfigFile } from ${JSON.stringify(new URL("../../src/config/readConfigFile.ts", import.meta.url).href)}
      console.log(JSON.stringify(await Effect.runPromise(Effect.match(readConfigFile(process.argv[1]), {
        onSuccess: (success) => ({ success }),
        onFailure: ({ code, detail }) => ({ failure: { code, detail } })
      }))))`
    const printed = execFileSync(
      process.execPath,
      ["--conditions=@signalbox/source", "--input-type=module", "--eval", script, file],
      { cwd: Path.dirname(fileURLToPath(import.meta.url)), encoding: "utf8" }
    )
    return JSON.parse(printed)
  }

  it("exist without an installed @signalbox/core, and behave like the package's", () => {
    const loaded = load(`
      import { defineConfig, output, secret } from "@signalbox/core"
      export default defineConfig({ a: output("api", "url"), b: secret("TOKEN") } as never)`)
    assert.deepEqual(loaded, { success: { a: { ...output("api", "url") }, b: { ...secret("TOKEN") } } })
  })

  it("yield to the package if a file needs more of it", () => {
    const { failure } = load(`
      import { Signalbox } from "@signalbox/core"
      export default { Signalbox }`) as { readonly failure: { readonly code: string; readonly detail: string } }
    assert.strictEqual(failure.code, "config_failed")
    assert.include(failure.detail, "@signalbox/core, which is not there")
  })
})

describe("loadSettings", () => {
  it("flags take precedence over variables, these over the user's file", async () => {
    const cwd = folder()
    const file = write("signalbox.config.json", "{}", cwd)
    write("xdg/signalbox/config.yaml", "environment: user\nactor: user\ncolor: false", cwd)
    const settings = await Effect.runPromise(
      loadSettings({
        cwd,
        env: { XDG_CONFIG_HOME: Path.join(cwd, "xdg"), SIGNALBOX_ENVIRONMENT: "variable", SIGNALBOX_ACTOR: "variable" },
        flags: { environment: "flag" }
      })
    )
    assert.deepEqual(settings, {
      environment: "flag",
      actor: "variable",
      color: false,
      config: file,
      directory: cwd
    })
  })

  it("takes the folder of the configuration, wherever it is called", async () => {
    const cwd = folder()
    const file = write("signalbox.config.json", "{}", cwd)
    Fs.mkdirSync(Path.join(cwd, "inside"))
    const inside = await Effect.runPromise(loadSettings({ cwd: Path.join(cwd, "inside"), env: {}, flags: {} }))
    assert.strictEqual(inside.directory, cwd)
    assert.strictEqual(inside.config, file)
    const apart = await Effect.runPromise(loadSettings({ cwd, env: { SIGNALBOX_DIRECTORY: "state" }, flags: {} }))
    assert.strictEqual(apart.directory, Path.join(cwd, "state"))
  })

  it("refuses a user's file with keys that it does not know", async () => {
    const cwd = folder()
    write("xdg/signalbox/config.json", `{ "enviroment": "x" }`, cwd)
    const error = await Effect.runPromise(
      Effect.flip(loadSettings({ cwd, env: { XDG_CONFIG_HOME: Path.join(cwd, "xdg") }, flags: {} }))
    )
    assert.strictEqual(error.code, "config_syntax")
  })
})

describe("loadManifest", () => {
  it("says what is wrong in which file", async () => {
    const file = write("signalbox.config.json", `{ "organization": "a" }`)
    const error = await Effect.runPromise(
      Effect.flip(loadManifest({ file, cwd: Path.dirname(file), providers: new Map() }))
    )
    assert.strictEqual(error._tag, "ConfigurationInvalid")
    assert.include(error.message, "signalbox.config.json:1:1: project: is missing")
  })

  it("reports a missing one", async () => {
    const error = await Effect.runPromise(
      Effect.flip(loadManifest({ file: undefined, cwd: root, providers: new Map() }))
    )
    assert.strictEqual(error._tag, "ConfigFileInvalid")
  })
})
