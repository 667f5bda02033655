/**
 * Plug-ins of a project, used by the real program: resolved from the project's own `node_modules`, with another copy of
 * this code than the one in the program.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { temporary } from "./support.ts"

const id = "DX6604E"
const examples = fileURLToPath(new URL("../../../examples/", import.meta.url))

let binary: Binary
beforeAll(() => {
  binary = build()
})

/** A project in which packages are installed, with two versions of a page to publish. */
const project = (name: string, packages: Readonly<Record<string, string>>): string => {
  const cwd = temporary(name)
  Fs.writeFileSync(Path.join(cwd, "package.json"), `{ "type": "module" }`)
  for (const [installed, folder] of Object.entries(packages)) {
    const link = Path.join(cwd, "node_modules", installed)
    Fs.mkdirSync(Path.dirname(link), { recursive: true })
    Fs.symlinkSync(folder, link)
  }
  for (const version of ["v1", "v2", "broken"]) {
    Fs.mkdirSync(Path.join(cwd, version))
    Fs.writeFileSync(Path.join(cwd, version, version === "broken" ? "index.htm" : "index.html"), version)
  }
  return cwd
}

const both = {
  "@acme/site": Path.join(examples, "sdk-provider"),
  "@acme/plain-site": Path.join(examples, "sdk-provider-plain")
}

const gate = { interval: "100 millis", consecutivePasses: 1, gracePeriod: "0 millis" }

const typescript = `
import { defineConfig } from "@signalbox/core"
import { site, siteStack } from "@acme/site"

export default defineConfig({
  organization: "acme",
  project: "pages",
  environments: { production: {} },
  plugins: [site({ root: "www" })],
  stacks: [siteStack({ name: "home", gate: ${JSON.stringify(gate)} })]
})
`

const yaml = (plugin: string) => `
organization: acme
project: pages
environments: { production: {} }
plugins:
  - ${plugin}
stacks:
  - { name: home, provider: site, gate: ${JSON.stringify(gate)} }
`

/** What the web server would answer. */
const page = (cwd: string, root: string): string | undefined => {
  const file = Path.join(cwd, root, `${id}-production-home`, "current", "index.html")
  return Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : undefined
}

const succeeds = async (cwd: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const { code, stderr, stdout } = await binary.run(cwd, args)
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stdout}${stderr}`)
  return stdout
}

const fails = async (cwd: string, code: number, ...args: ReadonlyArray<string>) => {
  const ran = await binary.run(cwd, [...args, "--json"])
  assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
  return (
    JSON.parse(ran.stderr.trim().split("\n").at(-1)!) as {
      readonly error: { readonly code: string } & Record<string, string>
    }
  ).error
}

const tiers = [
  { name: "with Effect, from TypeScript", file: "signalbox.config.ts", text: typescript, root: "www" },
  { name: "with Effect, from YAML", file: "signalbox.config.yaml", text: yaml(`"@acme/site"`), root: "sites" },
  {
    name: "without Effect, from YAML",
    file: "signalbox.config.yaml",
    text: yaml(`{ plugin: "@acme/plain-site", options: { root: public } }`),
    root: "public"
  }
]

describe.concurrent.each(tiers)("a provider of a plug-in, $name", ({ file, root, text }) => {
  it("is deployed, updated, rolled back, followed and destroyed by the command", async () => {
    const cwd = project("plugin", both)
    Fs.writeFileSync(Path.join(cwd, file), text)
    await succeeds(cwd, "init", "--id", id)
    await succeeds(cwd, "deploy", "--version", "v1", "--artifact", "v1")
    assert.strictEqual(page(cwd, root), "v1")

    const broken = await binary.run(cwd, ["deploy", "--version", "v3", "--artifact", "broken"])
    assert.strictEqual(broken.code, 3, broken.stderr)
    assert.strictEqual(page(cwd, root), "v1")

    await succeeds(cwd, "deploy", "--version", "v2", "--artifact", "v2", "--detach")
    await succeeds(cwd, "monitor", id, "--interval", "100ms")
    await succeeds(cwd, "attach", id)
    assert.strictEqual(page(cwd, root), "v2")
    await succeeds(cwd, "rollback", id)
    assert.strictEqual(page(cwd, root), "v1")
    await succeeds(cwd, "health")
    await succeeds(cwd, "destroy", id, "--yes")
    assert.isUndefined(page(cwd, root))
  })
})

describe("a plug-in", () => {
  it("finishes the work of a command that was killed, once", async () => {
    const cwd = project("plugin-killed", both)
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), yaml(`"@acme/plain-site"`))
    await succeeds(cwd, "init", "--id", id)
    const args = ["deploy", "--version", "v1", "--artifact", "v1", "--correlation-id", "first"]
    const child = spawn(process.execPath, [binary.path, ...args], {
      cwd,
      env: { ...cleanEnvironment(), HOME: cwd },
      stdio: ["ignore", "ignore", "pipe"]
    })
    child.stderr.on("data", (data) => {
      if (/publishing v1|stage/.test(String(data))) child.kill("SIGKILL")
    })
    const killed = await new Promise((resolve) => child.on("close", (_, signal) => resolve(signal)))
    assert.strictEqual(killed, "SIGKILL")
    await succeeds(cwd, ...args)
    assert.strictEqual(page(cwd, "sites"), "v1")
    const events = (await succeeds(cwd, "events", "first", "--json")).trim().split("\n")
    assert.strictEqual(events.filter((line) => line.includes(`"on":"deploy_completed","release"`)).length, 1)
  })

  it("is not needed to read, and is named with what to install by what needs it", async () => {
    const cwd = project("plugin-missing", both)
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), yaml(`"@acme/plain-site"`))
    await succeeds(cwd, "init", "--id", id)
    await succeeds(cwd, "deploy", "--version", "v1", "--artifact", "v1", "--correlation-id", "first")
    Fs.rmSync(Path.join(cwd, "node_modules"), { recursive: true })
    for (const args of [
      ["status"],
      ["history"],
      ["events", "first"],
      ["list"],
      ["info"],
      ["trace", "first"],
      ["active"]
    ]) {
      await succeeds(cwd, ...args)
    }
    for (const args of [
      ["deploy", "--version", "v2"],
      ["rollback", id],
      ["destroy", id, "--yes"],
      ["health"],
      ["can-deploy"]
    ]) {
      const error = await fails(cwd, 64, ...args)
      assert.strictEqual(error.code, "plugin_missing", args.join(" "))
      assert.include(error.hint, "npm install --save-dev @acme/plain-site")
    }
  })

  it("is found by the record if the configuration is gone", async () => {
    const cwd = project("plugin-recorded", both)
    const config = Path.join(cwd, "signalbox.config.ts")
    Fs.writeFileSync(config, typescript.replaceAll("@acme/site", "@signalbox-examples/sdk-provider"))
    Fs.mkdirSync(Path.join(cwd, "node_modules", "@signalbox-examples"))
    Fs.symlinkSync(both["@acme/site"], Path.join(cwd, "node_modules", "@signalbox-examples", "sdk-provider"))
    await succeeds(cwd, "init", "--id", id)
    await succeeds(cwd, "deploy", "--version", "v1", "--artifact", "v1")
    await succeeds(cwd, "deploy", "--version", "v2", "--artifact", "v2")
    Fs.rmSync(config)
    await succeeds(cwd, "rollback", id)
    // Its options were recorded too.
    assert.strictEqual(page(cwd, "www"), "v1")
    // Nothing in the folder names the deployment, only the command does.
    Fs.rmSync(Path.join(cwd, ".deployment-metadata.yaml"))
    await succeeds(cwd, "destroy", id, "--environment", "production", "--yes")
    assert.isUndefined(page(cwd, "www"))
  })

  it.each([
    ["throws", `throw new RangeError("secret")`, "plugin_broken", /RangeError/],
    ["imports what is not there", `import "./gone.js"`, "plugin_broken", /Cannot find module '.*gone\.js'/],
    ["is TypeScript", `import "./plugin.ts"`, "plugin_broken", /Stripping types.*init --template adapter/],
    ["is none", "export default 7", "plugin_broken", /no plug-in/],
    [
      "is older",
      `export default { name: "@acme/odd", spiVersion: 0 }`,
      "plugin_incompatible",
      /npm install @acme\/odd@latest/
    ],
    ["is newer", `export default { name: "@acme/odd", spiVersion: 2 }`, "plugin_incompatible", /Update Signalbox/],
    [
      "brings what is there",
      `export default { name: "@acme/odd", spiVersion: 1, providers: { local: {} } }`,
      "plugin_conflict",
      /local/
    ]
  ])("is refused if it %s", async (_, text, code, says) => {
    const cwd = project("plugin-odd", {})
    const folder = Path.join(cwd, "node_modules", "@acme", "odd")
    Fs.mkdirSync(folder, { recursive: true })
    Fs.writeFileSync(Path.join(folder, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    Fs.writeFileSync(Path.join(folder, "index.js"), text)
    Fs.writeFileSync(Path.join(folder, "plugin.ts"), "export {}")
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), yaml(`"@acme/odd"`))
    const error = await fails(cwd, 64, "init", "--id", id)
    assert.strictEqual(error.code, code)
    assert.match(`${error.message} ${error.hint}`, says)
    assert.notInclude(JSON.stringify(error), "secret")
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox")))
  })

  it("checks the properties of its stacks", async () => {
    const cwd = project("plugin-properties", both)
    const config = yaml(`"@acme/plain-site"`).replace("provider: site", "provider: site, properties: { colour: red }")
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), config)
    const error = await fails(cwd, 64, "init", "--id", id)
    assert.include(error, { code: "configuration_invalid", path: "stacks[0].properties.colour" })
  })
})

describe("a metric source of a plug-in", () => {
  /** Counts as many errors as its configuration says, and writes down what it was asked. */
  const metering = (name: string, errors: number, source = "meter") => {
    const cwd = project(name, both)
    const folder = Path.join(cwd, "node_modules", "@acme", "meter")
    Fs.mkdirSync(folder)
    Fs.writeFileSync(Path.join(folder, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    Fs.writeFileSync(
      Path.join(folder, "index.js"),
      `import { appendFileSync } from "node:fs"
      export default ({ errors }) => ({
        name: "@acme/meter",
        spiVersion: 1,
        options: { errors },
        metricSources: {
          meter: {
            check: ({ queries }) =>
              queries.requests === undefined ? { path: ["queries", "requests"], message: "there is no query" } : undefined,
            describe: () => ({ resolutionMs: 0, lagMs: 0, latency: false }),
            load: async ({ directory }) => ({
              measure: async ({ metrics: { url, queries }, ref, to, version }) => {
                appendFileSync(directory + "/asked.log", JSON.stringify([url, queries, ref.stack, version]) + "\\n")
                return { until: to, requests: 100, errors, latency: null, healthy: null }
              }
            })
          }
        }
      })`
    )
    Fs.writeFileSync(
      Path.join(cwd, "signalbox.config.yaml"),
      yaml(`{ plugin: "@acme/meter", options: { errors: ${errors} } }`)
        .replace("plugins:", `plugins:\n  - "@acme/plain-site"`)
        .replace(
          "provider: site,",
          `provider: site, metrics: { source: ${source}, url: "https://meter", queries: { requests: all } },`
        )
    )
    return cwd
  }

  it("is read by the gate of a stack that names it", async () => {
    const cwd = metering("plugin-metrics", 0)
    await succeeds(cwd, "init", "--id", id)
    await succeeds(cwd, "deploy", "--version", "v1", "--artifact", "v1")
    const asked = Fs.readFileSync(Path.join(cwd, "asked.log"), "utf8").trim().split("\n")
    assert.deepStrictEqual(JSON.parse(asked[0]!), ["https://meter", { requests: "all" }, "home", "v1"])
    assert.include(await succeeds(cwd, "health"), "0 errors")
  })

  it("stops a release that fails by its numbers", async () => {
    const cwd = metering("plugin-metrics-errors", 90)
    await succeeds(cwd, "init", "--id", id)
    const { code, stderr } = await binary.run(cwd, ["deploy", "--version", "v1", "--artifact", "v1"])
    assert.strictEqual(code, 3, stderr)
    assert.isUndefined(page(cwd, "sites"))
  })

  it("is refused where a stack names another one, and the hint lists the installed ones", async () => {
    const cwd = metering("plugin-metrics-unknown", 0, "gauge")
    await succeeds(cwd, "init", "--id", id)
    const error = await fails(cwd, 64, "deploy", "--version", "v1", "--artifact", "v1")
    assert.include(error, { code: "unknown_metric_source", path: "stacks.home.metrics.source" })
    assert.match(error["hint"]!, /meter.*prometheus|prometheus.*meter/)
  })
})

const shelf = `
import { effectStore } from "@signalbox/core/plugin"
import { makeSql } from "@signalbox/core/store"
import { Sqlite } from "@signalbox/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const open = (url) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Layer.buildWithScope(Sqlite.layer({ filename: new URL(url).pathname }), scope)
    return yield* Effect.provideContext(makeSql, context)
  })

export default () => ({ name: "@acme/shelf", spiVersion: 1, stores: { shelf: effectStore(open) } })
`

describe("a command of a plug-in", () => {
  const commanding = (name: string) => {
    const cwd = project(name, both)
    const folder = Path.join(cwd, "node_modules", "@acme", "tool")
    Fs.mkdirSync(folder)
    Fs.writeFileSync(Path.join(folder, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    Fs.writeFileSync(
      Path.join(folder, "index.js"),
      `export default {
        name: "@acme/tool",
        spiVersion: 1,
        commands: {
          tool: {
            description: "does it",
            run: async ({ args, directory, stdout, stderr }) => {
              stdout(JSON.stringify({ args, directory }))
              stderr("told\\n")
              if (args[0] === "throw") throw new Error("it broke")
              return 5
            }
          }
        }
      }`
    )
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), yaml(`"@acme/tool"`))
    return cwd
  }

  it("gets everything after its word, and its exit code is the program's", async () => {
    const cwd = commanding("plugin-command")
    const { code, stderr, stdout } = await binary.run(cwd, ["tool", "do", "--print", "--json", "-x", "1"])
    assert.strictEqual(code, 5, stderr)
    assert.deepStrictEqual(JSON.parse(stdout), { args: ["do", "--print", "--json", "-x", "1"], directory: cwd })
    assert.strictEqual(stderr, "told\n")
    assert.strictEqual((await binary.run(cwd, ["tool", "throw"])).code, 1)
  })

  it("is unknown if no plug-in has it", async () => {
    const cwd = commanding("plugin-command-unknown")
    assert.strictEqual((await fails(cwd, 64, "tools")).code, "unknown_subcommand")
  })
})

describe("a store of a plug-in", () => {
  const packages = fileURLToPath(new URL("../../", import.meta.url))
  const shelved = (name: string, more = "") => {
    const cwd = project(name, {
      ...both,
      "@signalbox/core": Path.join(packages, "core"),
      "@signalbox/node": Path.join(packages, "node"),
      effect: Path.join(packages, "core", "node_modules", "effect")
    })
    const folder = Path.join(cwd, "node_modules", "@acme", "shelf")
    Fs.mkdirSync(folder)
    Fs.writeFileSync(Path.join(folder, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    Fs.writeFileSync(Path.join(folder, "index.js"), shelf)
    const config = `${yaml(`"@acme/plain-site"`).replace("plugins:", `plugins:\n  - "@acme/shelf"`)}${more}`
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), config)
    return cwd
  }

  it("is opened by the scheme of the URL", async () => {
    const cwd = shelved("plugin-store")
    const env = { SIGNALBOX_DATABASE_URL: `shelf://${cwd}/shared.db` }
    for (const args of [["init", "--id", id], ["deploy", "--version", "v1", "--artifact", "v1"], ["status"]]) {
      const { code, stderr } = await binary.run(cwd, args, { env })
      assert.strictEqual(code, 0, stderr)
    }
    assert.isTrue(Fs.existsSync(Path.join(cwd, "shared.db")))
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox", "signalbox.db")))
    const unknown = await binary.run(cwd, ["status", "--json"], { env: { SIGNALBOX_DATABASE_URL: "drawer:///here" } })
    assert.strictEqual(unknown.code, 64, unknown.stderr)
    assert.match(unknown.stderr, /store_misconfigured.*drawer:/)
  })

  it("is found by every command if the configuration names it, and is not left for another one unnoticed", async () => {
    const cwd = shelved("plugin-store-configured")
    const config = Path.join(cwd, "signalbox.config.yaml")
    Fs.appendFileSync(config, `store: "shelf://${cwd}/shared.db"\n`)
    await succeeds(cwd, "init", "--id", id)
    await succeeds(cwd, "deploy", "--version", "v1", "--artifact", "v1")
    assert.include(await succeeds(cwd, "status"), "v1")
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox", "signalbox.db")))
    // A checkout without the folder's files asks the configuration.
    Fs.rmSync(Path.join(cwd, ".deployment-metadata.yaml"))
    assert.include(await succeeds(cwd, "status", id), "v1")
    Fs.writeFileSync(
      Path.join(cwd, ".deployment-metadata.yaml"),
      `deployment_id: ${id}\nstore: shelf://${cwd}/other.db\n`
    )
    const error = await fails(cwd, 64, "deploy", "--version", "v2", "--artifact", "v2")
    assert.strictEqual(error.code, "store_changed")
    assert.isFalse(Fs.existsSync(Path.join(cwd, "other.db")))
  })

  it("is refused with a password in the configuration", async () => {
    const cwd = shelved("plugin-store-password", `store: "postgres://ada:secret@db.example.com/signalbox"\n`)
    const error = await fails(cwd, 64, "init", "--id", id)
    assert.include(error, { code: "configuration_invalid", path: "store" })
    assert.notInclude(JSON.stringify(error), "secret")
  })
})
