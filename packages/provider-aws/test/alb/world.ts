/**
 * A folder with a configuration and the package, beside a simulator, for the real program in the time of the simulator.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, type TestContext } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { type Platform, platform, propertiesOf } from "./platform.ts"

export const id = "DX6604E"

const preload = fileURLToPath(new URL("scaled.mjs", import.meta.url))

/** How much faster the time runs. */
const scale = 60

/** A configuration with one stack; `more` are further properties of it. */
export const yamlOf = (
  it: Platform,
  more: {
    readonly strategy?: string
    readonly provider?: string
    readonly gate?: string
    readonly properties?: object
  } = {}
): string => `
organization: acme
project: shop
# The time runs faster than the machine.
leaseTtl: 15 minutes
environments: { production: { region: ${it.simulator.region}, account: "${it.simulator.account}" } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - name: api
    provider: "${more.provider ?? "aws:alb"}"
    strategy: ${more.strategy ?? "{ type: canary, steps: [{ weight: 25, bake: 1 minute }] }"}
    gate: ${more.gate ?? "{ interval: 10 seconds, consecutivePasses: 1, gracePeriod: 0 millis, minSamples: 20, errorWindow: 5 minutes, maxErrorCount: 5 }"}
    properties: ${JSON.stringify(more.properties ?? { ...propertiesOf(it), artifact: "s3://shop-builds/api-${version}.zip" })}
`

/** Folders, processes and requests of a test. */
export const world = async (
  onTestFinished: TestContext["onTestFinished"],
  given?: Platform,
  { scaled = true }: { readonly scaled?: boolean } = {}
) => {
  const binary = build()
  const it = given ?? (await platform({ scale, weightMillis: [1000, 3000] }))
  const { service, simulator } = it
  const directory = mkdtempSync(join(tmpdir(), "signalbox-alb-test-"))
  let asking = true
  const answers: Array<{ readonly status: number; readonly version: string }> = []
  const ask = async () => {
    const response = await fetch(simulator.listenerUrl(service.listener))
    answers.push({ status: response.status, version: await response.text() })
  }
  /** Asks all the time, some requests at once. */
  const load = Promise.all(
    Array.from({ length: 2 }, async () => {
      while (asking) {
        await ask()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
  )
  onTestFinished(async () => {
    asking = false
    await load
    if (given === undefined) await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const link = (name: string) => {
    const path = join(directory, "node_modules", "@signalbox", name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(fileURLToPath(new URL(`../../../${name}/`, import.meta.url)), path)
  }
  link("core")
  link("provider-aws")
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
  const configure = (text: string) => writeFileSync(join(directory, "signalbox.config.yaml"), text)
  configure(yamlOf(it))
  const env = {
    ...(scaled ? { NODE_OPTIONS: `--import=${preload}`, TIME_SCALE: String(scale) } : {}),
    AWS_ENDPOINT_URL: simulator.endpoint,
    AWS_ACCESS_KEY_ID: "deployer",
    AWS_SECRET_ACCESS_KEY: "secret"
  }
  const run = (...args: ReadonlyArray<string>) => binary.run(directory, args, { env })
  const ends = async (code: number, ...args: ReadonlyArray<string>): Promise<string> => {
    const ran = await run(...args)
    assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout + ran.stderr
  }
  return { ...it, answers, configure, directory, ends, env, path: binary.path, run }
}
