import { effectProvider, type Plugin } from "@signalbox/core/plugin"
import { SimulatedProvider } from "@signalbox/core/testing"
import { connect } from "@signalbox/node"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { configuration, environment, rejected } from "./support.ts"

const cloud = (): Plugin => ({
  name: "@acme/cloud",
  spiVersion: 1,
  providers: { simulated: effectProvider(() => SimulatedProvider.make().provider) }
})

describe("plug-ins of a connection", () => {
  it("bring the providers of its stacks", async () => {
    const from = temporaryDirectory(onTestFinished)
    const plugin = cloud()
    const signalbox = await connect({ directory: join(from, ".signalbox"), plugins: [plugin], from })
    onTestFinished(signalbox.close)
    const config = { ...configuration(), plugins: [plugin] }
    const { deploymentId } = await signalbox.deployments.init({ configuration: config })
    const execution = await signalbox.deploy({ configuration: config, deploymentId, environment, version: "1.0.0" })
    expect((await execution.done).status).toBe("completed")
  })

  it("are resolved by name from a folder", async () => {
    const from = temporaryDirectory(onTestFinished)
    const folder = join(from, "node_modules", "@acme", "empty")
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    writeFileSync(join(folder, "index.js"), `export default { name: "@acme/empty", spiVersion: 1 }`)
    // Outside of the test runner, which resolves imports itself.
    const program = `
      import { connect } from "@signalbox/node"
      const open = (...plugins) => connect({ directory: ".signalbox", plugins, from: process.argv[1] })
      await (await open("@acme/empty")).close()
      await open("@acme/missing").catch(({ code, hint, name }) => console.log(JSON.stringify({ code, hint, name })))
    `
    const args = ["--conditions=@signalbox/source", "--input-type=module", "--eval", program, from]
    const told = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" })
    expect(JSON.parse(told)).toEqual({
      code: "plugin_missing",
      hint: "Install it beside the configuration: npm install --save-dev @acme/missing",
      name: "InvalidInputError"
    })
  })

  it("are refused if they bring a kind of provider that the program brings itself, or a built-in metric source", async () => {
    const from = temporaryDirectory(onTestFinished)
    const directory = join(from, ".signalbox")
    const { provider } = SimulatedProvider.make()
    const twice = await rejected(connect({ directory, providers: [provider], plugins: [cloud()], from }))
    expect(twice).toMatchObject({ code: "plugin_conflict", name: "InvalidInputError" })
    expect(twice.message).toContain('"simulated"')
    const metricSources = { prometheus: { load: () => ({ measure: () => Promise.reject(new Error("never")) }) } }
    const meter: Plugin = { name: "@acme/meter", spiVersion: 1, metricSources }
    expect(await rejected(connect({ directory, plugins: [meter], from }))).toMatchObject({ code: "plugin_conflict" })
    expect(existsSync(directory)).toBe(false)
  })

  it("bring the store of a scheme", async () => {
    const error = await rejected(connect({ url: "drawer://here", providers: [] }))
    expect(error).toMatchObject({ code: "store_misconfigured" })
  })

  it("are not needed for a folder as the store", async () => {
    const from = temporaryDirectory(onTestFinished)
    const open = (url: string) => connect({ url, plugins: [cloud()], from })
    const signalbox = await open(`sqlite://${from}/a%20store`)
    const { deploymentId } = await signalbox.deployments.init({ configuration: configuration() })
    await signalbox.close()
    expect(existsSync(join(from, "a store", "signalbox.db"))).toBe(true)
    const again = await open(`sqlite://${from}/a%20store`)
    onTestFinished(again.close)
    expect((await again.deployments.list()).map((one) => one.deploymentId)).toEqual([deploymentId])
    expect(await rejected(open("sqlite:store"))).toMatchObject({ code: "store_misconfigured" })
  })
})
