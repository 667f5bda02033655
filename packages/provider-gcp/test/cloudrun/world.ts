/**
 * A folder with a configuration and the package, beside a simulator, for the real program.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, type TestContext } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { platform, sharesOf } from "./platform.ts"

export const id = "DX6604E"

export const yaml = `
organization: acme
project: shop
environments: { production: { region: europe-west1, account: shop-1 } }
plugins: ["@signalbox/provider-gcp"]
stacks:
  - name: api
    provider: "gcp:cloud-run"
    strategy: { type: canary, steps: [{ weight: 25, bake: 0 millis }] }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties:
      service: api
      image: "example.com/shop/api:\${version}"
      env: { LEVEL: info }
`

/** The commands reach the simulator, unless `env` says otherwise. */
export const world = async (
  onTestFinished: TestContext["onTestFinished"],
  env: Readonly<Record<string, string>> = {}
) => {
  const binary = build()
  const simulator = await platform()
  const directory = mkdtempSync(join(tmpdir(), "signalbox-gcp-test-"))
  onTestFinished(async () => {
    await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const link = (name: string) => {
    const path = join(directory, "node_modules", "@signalbox", name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(fileURLToPath(new URL(`../../../${name}/`, import.meta.url)), path)
  }
  link("core")
  link("provider-gcp")
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
  const configuration = join(directory, "signalbox.config.yaml")
  const configure = (text: string) => writeFileSync(configuration, text)
  configure(yaml)
  const run = (...args: ReadonlyArray<string>) =>
    binary.run(directory, args, {
      env: {
        CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: simulator.grpc,
        CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: simulator.rest,
        CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: simulator.rest,
        ...env
      }
    })
  const ends = async (code: number, ...args: ReadonlyArray<string>): Promise<string> => {
    const ran = await run(...args)
    assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout + ran.stderr
  }
  const version = async (): Promise<ReadonlyArray<string>> => Object.keys(await sharesOf(simulator, 10))
  return { simulator, configure, configuration, ends, version }
}
