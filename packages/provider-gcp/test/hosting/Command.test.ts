/**
 * Sites that the real program deploys, from a configuration that names the plug-in by its package.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { type Binary, build } from "../../../cli/test/binary.ts"
import { type Platform, platform, project, shown, site } from "./platform.ts"

const id = "DX6604E"

const yaml = `
organization: acme
project: shop
environments: { production: { account: ${project} } }
plugins: ["@signalbox/provider-gcp"]
stacks:
  - name: web
    provider: "gcp:firebase-hosting"
    strategy: { type: blue_green, bake: 0 millis }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties:
      site: ${site}
      public: "\${version}"
`

let binary: Binary
let here: Platform
beforeEach(async () => {
  binary = build()
  here = await platform()
  const { directory } = here
  const link = join(directory, "node_modules", "@signalbox", "provider-gcp")
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), link)
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
  configure(yaml)
})
afterEach(() => here.close())

const configure = (text: string) => writeFileSync(join(here.directory, "signalbox.config.yaml"), text)

const run = (...args: ReadonlyArray<string>) =>
  binary.run(here.directory, args, { env: { FIREBASE_HOSTING_API_URL: here.simulator.hosting.url } })

const ends = async (code: number, ...args: ReadonlyArray<string>): Promise<string> => {
  const ran = await run(...args)
  assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
  return ran.stdout + ran.stderr
}

describe("the command, on Firebase Hosting", () => {
  it("shows, deploys, updates, rolls back and takes a site offline", async () => {
    const { hosting } = here.simulator
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("release 2 files on shop")
    assert.deepStrictEqual(here.simulator.changes, [])

    await ends(0, "deploy", "--version", "v1")
    assert.strictEqual(await shown(here), "v1")
    await ends(0, "deploy", "--version", "v2")
    assert.strictEqual(await shown(here), "v2")
    // What went live is the very version that was on the preview channel, which is gone.
    const released = here.simulator.changes.flatMap(({ method, request }) =>
      method === "CreateRelease" ? [[request["channel"], request["versionName"]]] : []
    )
    const [v2, v1] = hosting.versions(site).map(({ name }) => name)
    assert.deepStrictEqual(released, [
      ["signalbox", v1],
      ["live", v1],
      ["signalbox", v2],
      ["live", v2]
    ])
    assert.lengthOf(hosting.channels(site), 1)

    const uploads = here.simulator.calls.filter(({ method }) => method === "UploadFile").length
    await ends(0, "rollback", id)
    assert.strictEqual(await shown(here), "v1")
    assert.strictEqual(here.simulator.calls.filter(({ method }) => method === "UploadFile").length, uploads)
    await ends(0, "health")
    await ends(0, "destroy", id, "--yes")
    assert.isUndefined(await shown(here))
  })

  it("writes a configuration to begin with, which plans a site", async () => {
    rmSync(join(here.directory, "signalbox.config.yaml"))
    rmSync(join(here.directory, "firebase.json"))
    symlinkSync(
      fileURLToPath(new URL("../../../core/", import.meta.url)),
      join(here.directory, "node_modules", "@signalbox", "core")
    )
    await here.simulator.hosting.site("acme-prod", "acme-hello")
    await ends(0, "init", "--template", "firebase")
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("release 1 files on acme-hello")
  })

  it("calls and changes nothing where something of the configuration is wrong", async () => {
    await ends(0, "init", "--id", id)
    const wrong = async (before: string, after: string, ...words: ReadonlyArray<string>) => {
      configure(yaml.replace(before, after))
      const said = await ends(64, "deploy", "--version", "v1")
      for (const word of words) expect(said).toContain(word)
    }
    await wrong("site:", "sites:", "sites", `Did you mean "site"?`)
    await wrong(`public: "`, `public: "missing-`, "the folder missing-v1 is not there")
    assert.deepStrictEqual(here.simulator.calls, [])
  })
})
